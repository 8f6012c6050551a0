"""Einsum + sizes -> ContractionTree.

A contraction tree computes an einsum by pairs.  Its leaves are the operands after
what they can do alone (diagonals, sums over lone indices); each contraction takes
two tensors and keeps the indices that some tensor left, or the output, still needs.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .errors import OptionError, suggestion
from .path_search import METHODS, searches
from .spec import Einsum, Index, Subscripts, unique

Path = tuple[tuple[int, ...], ...]
Optimizer = str | Sequence[Sequence[int]]

# The size of an index that nobody gave; it steers the path and limits nothing.
ASSUMED_SIZE = 32

# Of the trees that "auto" finds, those within this factor of the least multiply-adds
# are worth a closer look, this many at most, and one only of a large network.
NEAR_LEAST = 1.3
MOST_TREES = 6
CLOSER_LOOK = 12


@dataclass(frozen=True)
class Contraction:
    """One pairwise step, of the tensors ``left`` and ``right``.

    Tensors are numbered: first the operands, then each result as it is made.
    """

    left: int
    right: int
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

    def multiply_adds(self, sizes: Mapping[Index, int]) -> int:
        """Count the multiply-adds of all contractions."""
        return sum(
            math.prod(sizes.get(index, ASSUMED_SIZE) for index in step.einsum.indices)
            for step in self.contractions
        )


def contraction_trees(
    einsum: Einsum,
    sizes: Mapping[Index, int] | None = None,
    optimize: Optimizer = "auto",
    *,
    every: bool = False,
) -> tuple[ContractionTree, ...]:
    """Plan ``einsum`` by pairs, in one or more ways that are worth a closer look.

    ``optimize`` is a method or a path in opt_einsum's linear format; ``auto`` gives the
    few trees whose multiply-adds come near the least found;
    with ``every``, all trees that were found, and some of small intermediates too.
    Unknown sizes are taken as ``ASSUMED_SIZE``.  Raises OptionError for an unknown
    method or a path that does not fit.
    """
    known = sizes or {}
    leaves = _leaves(einsum)
    found: dict[tuple[Contraction, ...], ContractionTree] = {}
    for path in _paths(einsum, leaves, known, optimize, every):
        steps = tuple(_contract(einsum, leaves, path))
        found.setdefault(steps, ContractionTree(einsum, leaves, steps, path))
    guessed = {**_guessed(einsum), **known}
    trees = sorted(
        found.values(),
        key=lambda tree: (tree.multiply_adds(known), tree.multiply_adds(guessed)),
    )
    if every:
        return tuple(trees)
    enough = NEAR_LEAST * trees[0].multiply_adds(known)
    near = [tree for tree in trees if tree.multiply_adds(known) <= enough]
    return tuple(near[: 1 if len(leaves) > CLOSER_LOOK else MOST_TREES])


def _guessed(einsum: Einsum) -> dict[Index, int]:
    """Guess which sizes are larger, to decide between trees that are else as good.

    What is summed over and stands last nowhere are samples or positions, which are
    mostly more than features.
    """
    features = {*einsum.output, *(term[-1] for term in einsum.operands if term)}
    return {i: ASSUMED_SIZE * (1 if i in features else 2) for i in einsum.indices}


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
            yield Contraction(left, right, Einsum((u, v), w))
            left, u = next(serial), w
        tensors.append((left, u))


def _kept(u: Subscripts, v: Subscripts, holders: Mapping[Index, int]) -> Subscripts:
    """Order the surviving indices as batch, left, right: the layout of a matmul."""
    kept = [index for index in (*u, *v) if holders[index] > 0]
    return unique(sorted(kept, key=lambda index: not (index in u and index in v)))


def _paths(
    einsum: Einsum,
    leaves: tuple[Subscripts, ...],
    sizes: Mapping[Index, int],
    optimize: Optimizer,
    small: bool,
) -> Iterator[Path]:
    count = len(leaves)
    if not isinstance(optimize, str):
        yield _checked_path(optimize, count)
        return
    if optimize not in METHODS:
        choices = list(METHODS)
        hint = suggestion(optimize, choices) or f"; there are {', '.join(choices)}"
        raise OptionError(f"unknown optimize method {optimize!r}{hint}")
    if count <= 2:
        yield (tuple(range(count)),)
    elif optimize == "auto" and count <= 4:
        yield from _every_path(count)
    else:
        # Integers hash alike in every process, letters do not: ties break alike.
        number = {index: k for k, index in enumerate(einsum.indices)}
        extents = {k: max(1, sizes.get(i, ASSUMED_SIZE)) for i, k in number.items()}
        inputs = [frozenset(number[i] for i in leaf) for leaf in leaves]
        output = frozenset(number[i] for i in einsum.output)
        for search in searches(optimize, count, small=small):
            path = search(inputs, output, extents)
            yield tuple(tuple(sorted(step)) for step in path)


def _every_path(count: int) -> Iterator[Path]:
    """Yield every way to contract ``count`` tensors by pairs."""
    if count == 1:
        yield ()
    for pair in itertools.combinations(range(count), 2):
        for rest in _every_path(count - 1):
            yield (pair, *rest)


def _checked_path(path: Sequence[Sequence[int]], count: int) -> Path:
    """Return ``path`` as tuples, or raise OptionError where it is no path."""
    left = count
    for step in path:
        ok = step and len(set(step)) == len(step)
        if not ok or not all(type(p) is int and 0 <= p < left for p in step):
            raise OptionError(
                f"path step {list(step)} does not fit: {left} tensors are left, "
                f"numbered from 0"
            )
        left += 1 - len(step)
    if left != 1:
        raise OptionError(f"the path leaves {left} tensors; it must leave one")
    return tuple(tuple(sorted(step)) for step in path)
