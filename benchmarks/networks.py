"""Networks of many operands: counted work, time, and how long generation takes.

python benchmarks/networks.py [--threads 1|2]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from machine import Machine
    from timing import Effort
    from workloads import Workload


GENERATION = """
import json, sys, time, eingrad
spec, shapes = json.load(sys.stdin)
start = time.perf_counter()
eingrad.generate(spec, shapes=[tuple(shape) for shape in shapes])
print(time.perf_counter() - start)
"""


@dataclass(frozen=True)
class Line:
    """A network: multiply-adds counted from the program, and seconds of each way."""

    name: str
    operands: int
    forward: int
    joint: int
    ours: float
    opt_einsum: float
    ratio: float


@dataclass(frozen=True)
class Generation:
    """How long it takes to generate the module of a network."""

    name: str
    operands: int
    seconds: float


def lines() -> tuple[Workload, ...]:
    """Return the networks whose gradients are counted and timed."""
    from graphs import matrix_chain, matrix_ring
    from workloads import network

    return (
        network("chain of 100", matrix_chain(100)),
        network("ring of 200", matrix_ring(200, 16)),
    )


def generated() -> Iterable[Workload]:
    """Yield the networks whose generation is timed."""
    from graphs import matrix_chain, peps, random_regular
    from workloads import network

    for length in (25, 50, 100, 200, 400):
        yield network(f"chain of {length}", matrix_chain(length))
    yield network("3-regular of 100", random_regular(100, 2))
    yield network("peps 6x6", peps(6, 2))


def count(workload: Workload) -> tuple[int, int]:
    """Count the multiply-adds of forward, and of forward with all gradients."""
    from eingrad.options import Options
    from eingrad.pipeline import derive
    from eingrad.program import multiply_adds
    from eingrad.request import read_request

    found = derive(read_request(workload.spec, Options(shapes=workload.shapes)))
    forward = multiply_adds(found.forward.steps, workload.sizes)
    return forward, multiply_adds(found.joint.program.steps, workload.sizes)


def measure_line(workload: Workload, machine: Machine, effort: Effort) -> Line:
    """Count and time one network against an expression for each gradient."""
    from match import play
    from peers import OURS, PEERS

    peer = next(peer for peer in PEERS if peer.name == "opt_einsum")
    result = play(workload, [OURS, peer], machine, effort)
    if result.why_not:
        raise RuntimeError(f"{workload.name}: {result.why_not}")
    seconds = {name: times.median for name, times in result.times.items()}
    return Line(
        workload.name,
        len(workload.shapes),
        *count(workload),
        ours=seconds[OURS.name],
        opt_einsum=seconds[peer.name],
        ratio=result.ratios[peer.name],
    )


def time_generation(workload: Workload, repeats: int = 3) -> Generation:
    """Time the generation of one network, in a new process that remembers nothing."""
    command = [sys.executable, "-c", GENERATION]
    given = json.dumps([workload.spec, workload.shapes])
    seconds = [
        float(subprocess.check_output(command, input=given, text=True))
        for _ in range(repeats)
    ]
    return Generation(workload.name, len(workload.shapes), statistics.median(seconds))


@dataclass(frozen=True)
class Networks:
    """Everything measured about networks."""

    lines: tuple[Line, ...]
    generation: tuple[Generation, ...]

    def __str__(self) -> str:
        rows = [
            "network          forward madds  all/forward  eingrad ms"
            "  opt_einsum ms  ratio"
        ]
        rows += [
            f"{line.name:14} {line.forward:14,}  {line.joint / line.forward:11.3f}"
            f"  {1e3 * line.ours:10.2f}  {1e3 * line.opt_einsum:13.1f}"
            f"  {line.ratio:5.0f}"
            for line in self.lines
        ]
        rows += ["", "generation         operands  seconds  ms/operand"]
        rows += [
            f"{made.name:18} {made.operands:8}  {made.seconds:7.2f}"
            f"  {1e3 * made.seconds / made.operands:10.2f}"
            for made in self.generation
        ]
        return "\n".join(rows)


def measure_networks(machine: Machine, effort: Effort) -> Networks:
    """Measure all of it; about a minute."""
    time_generation(lines()[0], repeats=1)
    return Networks(
        tuple(measure_line(workload, machine, effort) for workload in lines()),
        tuple(map(time_generation, generated())),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the tables."""
    from machine import settle, survey

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, choices=(1, 2), default=1)
    threads = parser.parse_args(arguments).threads
    settle(threads)
    from timing import Effort

    print(measure_networks(survey(threads), Effort()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
