"""Time a generated module beside np.einsum, and say on what machine.

    OPENBLAS_NUM_THREADS=1 python examples/compare.py

The times are the least of many calls that take turns: what else the machine does makes
a call slower and never faster.
"""

from __future__ import annotations

import math
import os
import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import eingrad

SPEC = "bqhd,bkhd->bhqk"
SIZES = {"b": 4, "q": 128, "k": 128, "h": 8, "d": 64}
SECONDS = 4.0

# How the common builds of NumPy are told to use fewer threads.
THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def main() -> None:
    """Time the module and np.einsum on the same arrays."""
    module = eingrad.load(SPEC, operands=("query", "key"), output="scores")
    query, key, grad = operands()
    for_query, for_key = eingrad.gradient_specs(SPEC)
    forward = {
        "module.forward": lambda: module.forward(query, key),
        "np.einsum": lambda: np.einsum(SPEC, query, key),
        "np.einsum, optimize=True": lambda: np.einsum(SPEC, query, key, optimize=True),
    }
    backward = {
        "module.backward": lambda: module.backward(grad, query, key),
        "np.einsum, two calls": lambda: (
            np.einsum(for_query, grad, key),
            np.einsum(for_key, query, grad),
        ),
        "np.einsum, two calls, optimize=True": lambda: (
            np.einsum(for_query, grad, key, optimize=True),
            np.einsum(for_key, query, grad, optimize=True),
        ),
    }
    for line in facts():
        print(line)
    report("forward", fastest(forward))
    report("both gradients", fastest(backward))


def operands() -> tuple[Any, Any, Any]:
    """Draw query, key and a cotangent."""
    rng = np.random.default_rng(0)
    terms = ("bqhd", "bkhd", "bhqk")
    shapes = [tuple(SIZES[index] for index in term) for term in terms]
    query, key, grad = (rng.standard_normal(s, dtype=np.float32) for s in shapes)
    return query, key, grad


def fastest(calls: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Return the least time of each call in seconds; the calls take turns."""
    times = dict.fromkeys(calls, math.inf)
    end = time.perf_counter() + SECONDS
    rounds = 0
    while time.perf_counter() < end or rounds < 5:
        for name, call in calls.items():
            begin = time.perf_counter()
            call()
            times[name] = min(times[name], time.perf_counter() - begin)
        rounds += 1
    return times


def report(what: str, found: Mapping[str, float]) -> None:
    """Print the times, and each as a multiple of the first."""
    print(f"\n{what}")
    ours = next(iter(found.values()))
    for name, seconds in found.items():
        print(f"  {name:<36} {seconds * 1e3:8.2f} ms {seconds / ours:7.2f} x")


def facts() -> list[str]:
    """Say what was measured on what."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    sizes = ", ".join(f"{index}={size}" for index, size in SIZES.items())
    limits = sorted({os.environ[name] for name in THREADS if name in os.environ})
    return [
        f"arrays    float32, {sizes}",
        f"machine   {processor()}, {os.cpu_count()} logical cores",
        f"software  Python {platform.python_version()}, NumPy {np.__version__}, "
        f"{blas['name']} {blas['version']}",
        f"threads   {' or '.join(limits) or 'as many as the BLAS takes'}",
    ]


def processor() -> str:
    """Name the processor as well as the system can."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
