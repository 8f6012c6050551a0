"""How far the primitive that the cost model picks is from the best candidate.

    python benchmarks/regret.py [--seed N] [--cases N] [--verbose]

For random pairwise specs, on sizes drawn afresh, every candidate is compiled and timed
in one run, interleaved; the regret is the time of the pick over that of the fastest.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np

import eingrad
from eingrad import pairwise
from eingrad.candidate import Candidate, Problem
from eingrad.contraction import contraction_trees
from eingrad.functions import Writer
from eingrad.layer import forward_program
from eingrad.lower import lower
from eingrad.program import Program
from eingrad.spec import Einsum, parse
from eingrad.targets.numpy import size_names

SPECS = (
    "ij,jk->ik", "ij,kj->ik", "ji,jk->ik", "ji,kj->ik", "ij,jk->ki",
    "bij,bjk->bik", "bij,bkj->bik", "bqhd,bkhd->bhqk", "bhqk,bkhd->bqhd",
    "ijk,jl->ilk", "ilk,ijk->jl", "ijk,kl->ijl", "ij,j->i", "i,ij->j",
    "bi,bi->b", "ib,ib->b", "ij,ij->ij", "ij,j->ij", "ij,i->ij", "i,j->ij",
    "ijk,ijk->k", "ijk,ik->jk", "jr,kr->jkr", "jkr,kr->jr", "bij,bj->bi",
    "ij,ji->ij", "ij,ji->", "ij,ij->", "ijb,jkb->ikb", "bi,bj->bij",
    "abc,cd->abd", "abc,bd->adc", "abcd,cdef->abef", "abcd,bd->ac",
    "ecd,edf->ecf", "bcn,en->bce", "nec,nd->ecd", "iab,jb->ija",
)  # fmt: skip
SIZES = (3, 5, 8, 13, 17, 31, 32, 50, 64, 100, 129, 200, 256, 500)
MOST_WORK = 3e7
LEAST_WORK = 30
# They have the functions that candidates call.
MODULES = (
    eingrad.load("ij,jk->ik", sizes={"i": 4096, "j": 64, "k": 64}),
    eingrad.load("ijk->ik", sizes={"i": 20, "j": 30, "k": 3}),
)


@dataclass(frozen=True)
class Case:
    """A pairwise spec and the sizes of its indices."""

    einsum: Einsum
    sizes: dict[str, int]

    def __str__(self) -> str:
        sizes = ",".join(f"{i}={n}" for i, n in self.sizes.items())
        return f"{self.einsum} {sizes}"


def cases(count: int, seed: int) -> Iterator[Case]:
    """Draw cases whose multiply-adds are neither trivial nor slow."""
    rng = np.random.default_rng(seed)
    drawn = 0
    while drawn < count:
        einsum = parse(SPECS[drawn % len(SPECS)])
        sizes = {i: int(rng.choice(SIZES)) for i in einsum.indices}
        work = float(np.prod(list(sizes.values()), dtype=float))
        if LEAST_WORK < work < MOST_WORK:
            drawn += 1
            yield Case(einsum, sizes)


def compiled(case: Case) -> list[tuple[str, float, Callable[..., Any]]]:
    """Compile every candidate: its primitive, its estimate, and the function."""
    program = forward_program(
        contraction_trees(case.einsum, case.sizes)[0], ("a", "b"), "output"
    )
    found: list[Candidate] = []

    def remember(problem: Problem, *args: Any) -> Candidate:
        found.extend(pairwise.candidates(problem))
        return found[0]

    with mock.patch.object(pairwise, "choose", remember):
        lower(program, {"output": "output"}, case.sizes)
    functions = []
    for candidate in found:
        with mock.patch.object(pairwise, "choose", lambda *a, c=candidate, **k: c):
            functions.append(
                (candidate.primitive, candidate.time, _function(program, case))
            )
    return functions


def _function(program: Program, case: Case) -> Callable[..., Any]:
    arrays = lower(program, {"output": "output"}, case.sizes)
    names = size_names(case.einsum.indices, ["a", "b", "output"])
    same = {index: index for index in case.einsum.indices}
    writer = Writer(program, arrays, same, names, {}, 88)
    lines = writer.function(arrays.blocks, known=("a", "b"), kept=("output",)).lines
    text = "\n".join(["def run(a, b):", *lines, "    return output"])
    space = dict(itertools.chain(*(vars(module).items() for module in MODULES)))
    exec(text, space)
    function: Callable[..., Any] = space["run"]
    function.__doc__ = text
    return function


def timed(functions: list[Callable[..., Any]], arrays: list[Any]) -> list[float]:
    """Return the median time of each function, in nanoseconds, interleaved."""
    loops = []
    for function in functions:
        start = time.perf_counter()
        function(*arrays)
        loops.append(max(1, int(2e-3 / (time.perf_counter() - start + 1e-7))))
    rounds: list[list[float]] = [[] for _ in functions]
    for _ in range(9):
        for k, function in enumerate(functions):
            # The caches hold what the one before has used.
            function(*arrays)
            start = time.perf_counter()
            for _ in range(loops[k]):
                function(*arrays)
            rounds[k].append((time.perf_counter() - start) / loops[k])
    return [statistics.median(r) * 1e9 for r in rounds]


def main() -> None:
    """Print the regret of each case and its distribution."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=76)
    parser.add_argument("--verbose", action="store_true", help="print all candidates")
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    regrets = []
    for case in cases(options.cases, options.seed):
        arrays = [
            rng.random([case.sizes[i] for i in term], dtype=np.float32)
            for term in case.einsum.operands
        ]
        found = compiled(case)
        times = timed([function for _, _, function in found], arrays)
        pick = min(range(len(found)), key=lambda k: found[k][1])
        regret = times[pick] / min(times)
        regrets.append(regret)
        best = times.index(min(times))
        print(
            f"{regret:6.2f}  {case!s:46} "
            f"picked {found[pick][0]:8} {times[pick] / 1e3:9.1f} us, "
            f"best {found[best][0]:8} {min(times) / 1e3:9.1f} us"
        )
        if options.verbose:
            for (name, estimate, function), t in zip(found, times, strict=True):
                us, guess = t / 1e3, estimate / 1e3
                print(f"        {name:8} {us:10.1f} us, estimated {guess:10.1f}")
                if regret > 1.25:
                    print(function.__doc__.split("\n", 1)[1])
    ordered = sorted(regrets)
    print(
        f"median {statistics.median(ordered):.2f}, geomean "
        f"{statistics.geometric_mean(ordered):.2f}, "
        f"95 % within {ordered[int(0.95 * len(ordered))]:.2f}, "
        f"worst {ordered[-1]:.2f}, "
        f"within 1.25: {sum(r <= 1.25 for r in ordered)} of {len(ordered)}"
    )


if __name__ == "__main__":
    main()
