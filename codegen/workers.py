"""Rendering in several processes, each of which reads kernels and writes texts.

A worker ends when its input does, so none outlives a build that is killed; and it is a
program of its own, so a build may be started from any script.  Both speak one line of
JSON a kernel.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue

from .contraction import Path
from .errors import ConfigError, EingradError, InternalError
from .kernel_tables import KernelConfig
from .kernel_text import Rendered, render_kernel
from .options import Options

Job = tuple[KernelConfig, Path | None]
Render = Callable[[KernelConfig, Path | None], Rendered]

# Fewer kernels for each process take less time than it takes to start one.
ENOUGH = 16


def render_all(
    jobs: Sequence[Job], processes: int | None, render: Render = render_kernel
) -> Iterator[Rendered]:
    """Yield what is rendered of each job, in order.

    processes: how many to use; None is one for each processor, or fewer.

    Raises ConfigError for a kernel that cannot be generated, and EingradError where no
    process can be started.
    """
    if processes is None:
        processes = min(os.cpu_count() or 1, len(jobs) // ENOUGH)
    if render is not render_kernel or min(processes, len(jobs)) < 2:
        yield from (render(*job) for job in jobs)
        return
    count = min(processes, len(jobs))
    idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()

    def render_one(job: Job) -> Rendered:
        worker = idle.get()
        try:
            return _ask(worker, job)
        finally:
            idle.put(worker)

    with ExitStack() as stack:
        for _ in range(count):
            worker = stack.enter_context(_start())
            idle.put(worker)
        yield from stack.enter_context(ThreadPoolExecutor(count)).map(render_one, jobs)


def _start() -> subprocess.Popen[bytes]:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-c", "from eingrad.workers import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
    except OSError as error:
        raise EingradError(
            f"cannot start a process that renders: {error.strerror}; "
            "`eingrad build --jobs 1` needs none"
        ) from error


def _ask(worker: subprocess.Popen[bytes], job: Job) -> Rendered:
    """Have one job done by a worker that has no other."""
    kernel, plan = job
    options = kernel.options.unlike_default()
    question = json.dumps([kernel.name, kernel.spec, options, plan], default=dict)
    if worker.stdin is None or worker.stdout is None:
        raise InternalError("a worker lacks its pipes")
    try:
        worker.stdin.write(f"{question}\n".encode())
        worker.stdin.flush()
        answer = json.loads(worker.stdout.readline())
    except (OSError, ValueError) as error:
        raise InternalError(f"rendering kernel {kernel.name!r} failed") from error
    if "text" in answer:
        return Rendered(answer["text"], tuple(map(tuple, answer["plan"])))
    raise (InternalError if answer["ours"] else ConfigError)(answer["error"])


def serve() -> None:
    """Answer on stdout for the kernels on stdin, until there are no more."""
    # An interrupt is for the build, which then closes our input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in sys.stdin.buffer:
        name, spec, options, plan = json.loads(line)
        try:
            kernel = KernelConfig(name, spec, Options(**options))
            rendered = render_kernel(kernel, plan)
            answer: Mapping[str, object] = vars(rendered)
        except EingradError as error:
            ours = isinstance(error, InternalError)
            answer = {"error": str(error), "ours": ours}
        try:
            sys.stdout.buffer.write(f"{json.dumps(answer)}\n".encode())
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            # The build is gone, and at a usual exit Python would write once more.
            os._exit(0)
