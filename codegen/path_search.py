"""The searches for contraction paths; the only import of opt_einsum and of cotengra.

A search takes the indices of each tensor, those of the output, and the size of each
index, all numbered, and returns a path in opt_einsum's linear format.
"""

from __future__ import annotations

import functools
import importlib.util
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from .errors import OptionError

Tensor = frozenset[int]
Search = Callable[[Sequence[Tensor], Tensor, Mapping[int, int]], Any]

# Random-greedy searches stop at this many trials, or contractions altogether.
RANDOM_TRIALS = 32
RANDOM_STEPS = 2000

METHODS = (
    *("auto", "optimal", "branch-all", "branch-2", "branch-1", "dp", "greedy"),
    "cotengra",
)

# The seeds that cotengra's searches start from, and the trials of each.
COTENGRA_SEEDS = range(8)
COTENGRA_TRIALS = 32


def searches(name: str, count: int, *, small: bool = False) -> Iterator[Search]:
    """Yield the searches that a method of ``METHODS`` stands for.

    With ``small``, "auto" stands for searches for small intermediates as well.

    Raises OptionError where it is not installed.
    """
    if name == "cotengra":
        yield from _cotengra()
        return
    with _opt_einsum() as (paths, random_paths):
        if name != "auto":
            yield paths.get_path_fn(name)
            return
        # An exhaustive search is exact, and fast enough only for a handful of operands.
        if count <= 12:
            yield paths.get_path_fn("optimal" if count <= 5 else "dp")
        yield paths.get_path_fn("greedy")
        repeats = max(1, min(RANDOM_TRIALS, RANDOM_STEPS // count))
        state = random.getstate()
        try:
            yield random_paths.RandomGreedy(max_repeats=repeats)
            if small and count <= 12:
                yield paths.DynamicProgramming(minimize="size")
            if small:
                yield random_paths.RandomGreedy(max_repeats=repeats, minimize="size")
        finally:
            random.setstate(state)


def _cotengra() -> Iterator[Search]:
    """Yield random-greedy searches, each refined by its best subtrees.

    They are what cotengra has that gives one path for one seed; it imports NumPy.
    """
    try:
        cotengra = importlib.import_module("cotengra")
    except ModuleNotFoundError as error:
        raise OptionError(
            "optimize 'cotengra' is not installed; run: pip install cotengra"
        ) from error

    def search(
        inputs: Sequence[Tensor], output: Tensor, sizes: Mapping[int, int], seed: int
    ) -> Any:
        greedy = cotengra.RandomGreedyOptimizer(
            max_repeats=COTENGRA_TRIALS, seed=seed, accel=False, parallel=False
        )
        tensors = [tuple(sorted(tensor)) for tensor in inputs]
        tree = greedy.search(tensors, tuple(sorted(output)), dict(sizes))
        return tree.subtree_reconfigure(minimize="flops", seed=seed).get_path()

    for seed in COTENGRA_SEEDS:
        yield functools.partial(search, seed=seed)


@contextmanager
def _opt_einsum() -> Iterator[tuple[ModuleType, ModuleType]]:
    """Import opt_einsum's path searches."""
    names = ("opt_einsum.paths", "opt_einsum.path_random")
    if "opt_einsum" in sys.modules:
        yield importlib.import_module(names[0]), importlib.import_module(names[1])
        return
    with _without_package_init("opt_einsum"):
        yield importlib.import_module(names[0]), importlib.import_module(names[1])


@contextmanager
def _without_package_init(package: str) -> Iterator[None]:
    """Let submodules of ``package`` be imported without its ``__init__``.

    opt_einsum's path search is pure Python, its ``__init__`` imports NumPy, which
    generation does without.  What was imported here is forgotten afterwards, so that
    a later import of the package finds it untouched.
    """
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    stand_in = ModuleType(package)
    stand_in.__path__ = list(spec.submodule_search_locations or ())
    sys.modules[package] = stand_in
    try:
        yield
    finally:
        for name in [n for n in sys.modules if n.split(".")[0] == package]:
            del sys.modules[name]
