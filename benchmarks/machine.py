"""The machine: settings made before NumPy is imported, and what it can do at most.

Nothing here imports NumPy at the top: thread counts and the BLAS kernel are read
from the environment when NumPy is loaded.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_THREAD_COUNTS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


@dataclass(frozen=True)
class Machine:
    """What was measured and read off before the first workload; rates per second."""

    cpu: str
    system: str
    python: str
    threads: int
    blas: str
    gemm_float32: float
    gemm_float64: float
    bandwidths: tuple[tuple[int, float], ...]

    def bandwidth_of(self, moved: int) -> float:
        """Return the rate measured on arrays that take at least ``moved`` bytes."""
        rates = (rate for size, rate in self.bandwidths if size >= moved)
        return next(rates, self.bandwidths[-1][1])


def settle(threads: int, *, keep_coretype: bool = False) -> None:
    """Pin the process to ``threads`` cores, and start it again with its settings.

    ``OPENBLAS_CORETYPE`` would tie NumPy, and nobody else, to the kernels of another
    processor, so it is cleared.
    """
    wanted = dict(os.environ)
    wanted.update(dict.fromkeys(_THREAD_COUNTS, str(threads)))
    wanted["JAX_ENABLE_X64"] = "1"
    wanted["JAX_PLATFORMS"] = "cpu"
    if threads == 1:
        wanted["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    if not keep_coretype:
        wanted.pop("OPENBLAS_CORETYPE", None)
    if wanted != dict(os.environ):
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], wanted)
    if hasattr(os, "sched_setaffinity"):
        # The first core is where interrupts go.
        cores = sorted(os.sched_getaffinity(0))[-threads:]
        os.sched_setaffinity(0, cores)


def survey(threads: int) -> Machine:
    """Measure the machine; a few seconds."""
    return Machine(
        cpu=_cpu(),
        system=platform.platform(),
        python=platform.python_version(),
        threads=threads,
        blas=_blas(),
        gemm_float32=_gemm_rate("float32"),
        gemm_float64=_gemm_rate("float64"),
        bandwidths=tuple(map(_bandwidth, (2**18, 2**20, 2**22, 2**24, 2**26))),
    )


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.processor() or platform.machine()


def _blas() -> str:
    """Name the BLAS that NumPy uses, with its kernel."""
    import numpy as np

    try:
        import threadpoolctl
    except ImportError:
        return f"unknown (no threadpoolctl), NumPy {np.__version__}"
    libraries = [
        [library.get(key) for key in ("internal_api", "version", "architecture")]
        for library in threadpoolctl.threadpool_info()
        if library["user_api"] == "blas"
    ]
    found = (" ".join(filter(None, library)) for library in libraries)
    return ", ".join(found) or "unknown"


def _best(run: Callable[[], object], repeats: int) -> float:
    """Return the shortest time of ``run``, in seconds."""
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def _gemm_rate(dtype: str, size: int = 1024) -> float:
    """Measure the flops a second of a square matrix product."""
    import numpy as np

    a, b, c = (np.ones((size, size), dtype) for _ in range(3))
    return 2 * size**3 / _best(lambda: np.matmul(a, b, out=c), 50)


def _bandwidth(array_bytes: int) -> tuple[int, float]:
    """Measure bytes a second of a copy and of an addition, and keep the better.

    Returns the bytes that such an addition moves, and the rate.
    """
    import numpy as np

    a, b, c = (np.ones(array_bytes // 4, np.float32) for _ in range(3))
    repeats = max(20, 2**28 // array_bytes // 16)
    copy = _best(lambda: np.copyto(c, a), repeats)
    add = _best(lambda: np.add(a, b, out=c), repeats)
    rate = max(2 * a.nbytes / copy, 3 * a.nbytes / add)
    return 3 * a.nbytes, rate
