"""Einsum + sizes -> ContractionTree; the only import of opt_einsum.

A contraction tree computes an einsum by pairs.  Its leaves are the operands after
what they can do alone (diagonals, sums over lone indices); each contraction takes
two tensors and keeps the indices that some tensor left, or the output, still needs.
"""

from __future__ import annotations

import importlib.util
import itertools
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from .errors import OptionError, suggestion
from .spec import Einsum, Index, Subscripts, unique

Path = tuple[tuple[int, ...], ...]
Optimizer = str | Sequence[Sequence[int]]

# The size of an index that nobody gave; it steers the path and limits nothing.
ASSUMED_SIZE = 32

METHODS = ("auto", "optimal", "branch-all", "branch-2", "branch-1", "dp", "greedy")


@dataclass(frozen=True)
class Contraction:
    """One pairwise step: tensors ``left`` and ``right`` become tensor ``result``.

    Tensors are numbered: first the operands, then each result as it is made.
    """

    left: int
    right: int
    result: int
    einsum: Einsum


@dataclass(frozen=True)
class ContractionTree:
    """An einsum as leaves, pairwise contractions, and a root.

    ``leaves[k]`` are the distinct subscripts of operand k that another operand or
    the output needs; ``path`` is in opt_einsum's linear format.
    """

    einsum: Einsum
    leaves: tuple[Subscripts, ...]
    contractions: tuple[Contraction, ...]
    path: Path

    @property
    def root(self) -> Subscripts:
        """The subscripts of the last tensor, before the output's own form."""
        if self.contractions:
            return self.contractions[-1].einsum.output
        return self.leaves[0]


def contraction_tree(
    einsum: Einsum,
    sizes: Mapping[Index, int] | None = None,
    optimize: Optimizer = "auto",
) -> ContractionTree:
    """Plan ``einsum`` by pairs.

    ``optimize`` is a method of opt_einsum or a path in its linear format; unknown
    sizes are taken as ``ASSUMED_SIZE``.  Raises OptionError for an unknown method or
    a path that does not fit.
    """
    leaves = _leaves(einsum)
    path = _path(einsum, leaves, sizes or {}, optimize)
    return ContractionTree(einsum, leaves, tuple(_contract(einsum, leaves, path)), path)


def _leaves(einsum: Einsum) -> tuple[Subscripts, ...]:
    holders = Counter(itertools.chain(*map(unique, einsum.operands)))
    needed = set(einsum.output) | {index for index, n in holders.items() if n > 1}
    return tuple(
        tuple(index for index in unique(subscripts) if index in needed)
        for subscripts in einsum.operands
    )


def _contract(
    einsum: Einsum, leaves: tuple[Subscripts, ...], path: Path
) -> Iterator[Contraction]:
    tensors = list(enumerate(leaves))
    holders = Counter(itertools.chain(*leaves, unique(einsum.output)))
    serial = itertools.count(len(leaves))
    for positions in path:
        taken = [tensors[p] for p in sorted(positions)]
        tensors = [t for p, t in enumerate(tensors) if p not in positions]
        left, u = taken[0]
        for right, v in taken[1:]:
            holders.subtract((*u, *v))
            w = _kept(u, v, holders)
            if not tensors and right == taken[-1][0]:
                w = tuple(index for index in unique(einsum.output) if index in w)
            holders.update(w)
            result = next(serial)
            yield Contraction(left, right, result, Einsum((u, v), w))
            left, u = result, w
        tensors.append((left, u))


def _kept(u: Subscripts, v: Subscripts, holders: Mapping[Index, int]) -> Subscripts:
    """Order the surviving indices as batch, left, right: the layout of a matmul."""
    kept = [index for index in (*u, *v) if holders[index] > 0]
    return unique(sorted(kept, key=lambda index: not (index in u and index in v)))


def _path(
    einsum: Einsum,
    leaves: tuple[Subscripts, ...],
    sizes: Mapping[Index, int],
    optimize: Optimizer,
) -> Path:
    count = len(leaves)
    if not isinstance(optimize, str):
        return _checked_path(optimize, count)
    if optimize not in METHODS:
        choices = list(METHODS)
        hint = suggestion(optimize, choices) or f"; there are {', '.join(choices)}"
        raise OptionError(f"unknown optimize method {optimize!r}{hint}")
    if count <= 2:
        return (tuple(range(count)),)
    # Integers hash alike in every process, letters do not: ties break the same way.
    number = {index: k for k, index in enumerate(einsum.indices)}
    extents = {k: max(1, sizes.get(i, ASSUMED_SIZE)) for i, k in number.items()}
    inputs = [frozenset(number[i] for i in leaf) for leaf in leaves]
    output = frozenset(number[i] for i in einsum.output)
    search = _search_method(optimize, count)
    return tuple(tuple(sorted(step)) for step in search(inputs, output, extents))


def _checked_path(path: Sequence[Sequence[int]], count: int) -> Path:
    """Return ``path`` as tuples, or raise OptionError where it is no path."""
    left = count
    for step in path:
        ok = step and len(set(step)) == len(step)
        if not ok or not all(isinstance(p, int) and 0 <= p < left for p in step):
            raise OptionError(
                f"path step {list(step)} does not fit: {left} tensors are left, "
                f"numbered from 0"
            )
        left += 1 - len(step)
    if left != 1:
        raise OptionError(f"the path leaves {left} tensors; it must leave one")
    return tuple(tuple(sorted(step)) for step in path)


def _search_method(name: str, count: int) -> Callable[..., Any]:
    paths = _opt_einsum_paths()
    # An exhaustive search is exact, and fast enough only for a handful of operands.
    if name == "auto":
        name = "optimal" if count <= 5 else "dp" if count <= 12 else "greedy"
    method: Callable[..., Any] = paths.get_path_fn(name)
    return method


def _opt_einsum_paths() -> ModuleType:
    if "opt_einsum" in sys.modules:
        return importlib.import_module("opt_einsum.paths")
    with _without_package_init("opt_einsum"):
        return importlib.import_module("opt_einsum.paths")


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
