"""A product of two arrays, and a way to compute it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from . import cost
from .array_program import (
    SHAPED,
    VIEWS,
    ArrayOp,
    Expr,
    Node,
    Ref,
    Shape,
    Statement,
    nodes,
)
from .index_sets import IndexSets, index_sets
from .spec import Einsum, Index, Subscripts
from .unary import like
from .views import Source

# Copies of arguments, and the time of each.
Copies = tuple[tuple[Expr, float], ...]

T = TypeVar("T")


@dataclass(frozen=True)
class Candidate:
    """A way to compute a pairwise einsum by a ``primitive``.

    ``cost`` is the estimated time without that of views, of which many are shared when
    the program is written.  ``value`` has the axes ``order``; ``copies`` are those that
    it begins with, less conjugation.  Both are written down when they are asked for,
    which those of most ways never are.  With ``into``, the result is a fresh array of
    the axes ``order`` and ``value`` is written through that view of it, which ``into``
    gives as its shape in groups and the order of the groups.  ``views`` are the
    arguments' indices as the primitive sees them.
    """

    primitive: str
    write: Callable[[], Node]
    order: Subscripts
    views: tuple[Subscripts, Subscripts]
    cost: float
    into: tuple[Shape, tuple[int, ...]] | None = None
    write_copies: Callable[[], Copies] = tuple

    @functools.cached_property
    def value(self) -> Node:
        """The product as an expression."""
        return self.write()

    @functools.cached_property
    def copies(self) -> Copies:
        """The copies that the product begins with."""
        return self.write_copies()

    @functools.cached_property
    def time(self) -> float:
        """The estimated time with the views that are taken."""
        views = sum(node.op in VIEWS for node in nodes(self.value))
        return self.cost + cost.VIEW_CALL * views

    def spared(self, made: Collection[Expr]) -> float:
        """Return the time that is not needed for the copies in ``made``."""
        if not made:
            return 0.0
        return sum(time - cost.HOLD_CALL for form, time in self.copies if form in made)

    def rest(self, made: Collection[Expr]) -> float:
        """Return the time where the copies in ``made`` are there already."""
        return self.time - self.spared(made)

    def statements(
        self, target: Ref, index_of: Mapping[Index, Index]
    ) -> tuple[Statement, ...]:
        """Write the product into a variable.

        ``index_of`` says how the program calls the letters of the einsum.
        """
        value = _sized(self.value, index_of)
        if self.into is None:
            return (Statement(target, value),)
        shape, turn = self.into
        view: Expr = target
        if any(len(group) > 1 for group in shape):
            extents = tuple(tuple(index_of[i] for i in group) for group in shape)
            view = Node(ArrayOp.RESHAPE, (view,), extents)
        if turn != tuple(range(len(turn))):
            view = Node(ArrayOp.TRANSPOSE, (view,), turn)
        extent = tuple((index_of[index],) for index in self.order)
        empty = Statement(target, like(ArrayOp.EMPTY, self.value, extent))
        return empty, Statement(view, value, through=True)


def written(value: T) -> Callable[[], T]:
    """Return what writes that which is written down already."""
    return lambda: value


def fastest(ways: Iterable[Candidate]) -> Candidate:
    """Return the way of least time; what costs more without views is not written."""
    by_cost = sorted(ways, key=lambda way: way.cost)
    best = by_cost[0]
    for way in by_cost[1:]:
        if way.cost >= best.time:
            break
        best = min(best, way, key=lambda way: way.time)
    return best


@dataclass(frozen=True)
class Problem:
    """Two sources, the indices of the result in the order wanted, and assumed sizes.

    The result's memory is to be in that order too, unless ``any_memory`` will do.
    """

    a: Source
    b: Source
    wanted: Subscripts
    sizes: Mapping[Index, int]
    any_memory: bool = False

    @functools.cached_property
    def sets(self) -> IndexSets:
        """Sort the indices as a sees them."""
        return index_sets(Einsum((self.a.order, self.b.order), self.wanted))

    @property
    def rows(self) -> Subscripts:
        """The indices of a alone, in the order wanted."""
        return self._ordered(self.sets.left_kept)

    @property
    def columns(self) -> Subscripts:
        """The indices of b alone, in the order wanted."""
        return self._ordered(self.sets.right_kept)

    def _ordered(self, indices: Subscripts) -> Subscripts:
        return tuple(index for index in self.wanted if index in indices)

    def turned(self) -> Problem:
        """Return the same product with the operands exchanged."""
        return replace(self, a=self.b, b=self.a)

    def entries(self, indices: Sequence[Index]) -> int:
        """Count the entries along ``indices``."""
        return cost.entries(indices, self.sizes)

    def known_entries(self, indices: Sequence[Index]) -> int:
        """Count the entries along those of ``indices`` whose sizes are known."""
        return self.entries([index for index in indices if index in self.sizes])

    def unknown(self, indices: Sequence[Index]) -> list[Index]:
        """Return those of ``indices`` whose sizes are unknown."""
        return [index for index in indices if index not in self.sizes]

    def assuming(self, unknown: Sequence[Index], count: float) -> Problem:
        """Assume a size of each of these indices, for about ``count`` entries in all.

        It is no power of 2: there the caches tell.
        """
        size = 1 + round(count ** (1 / max(1, len(unknown))))
        return replace(self, sizes={**self.sizes, **dict.fromkeys(unknown, size)})


def _sized(expr: Expr, index_of: Mapping[Index, Index]) -> Expr:
    """Write the shapes in ``expr`` in the program's indices."""
    if isinstance(expr, Ref):
        return expr
    args = tuple(_sized(arg, index_of) for arg in expr.args)
    attr: Sequence[object] = expr.attr
    if expr.op in SHAPED:
        attr = [tuple(index_of[index] for index in extent) for extent in expr.attr]
    return replace(expr, args=args, attr=tuple(attr))
