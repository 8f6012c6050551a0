"""An operand as a stack of matrices: what BLAS is given, and what that costs."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from . import cost, loops
from .array_program import ArrayOp, Expr, Node, Shape, unconjugated
from .spec import Index, Subscripts
from .views import Source, adjacent, copied, expanded, transposed


@dataclass(frozen=True)
class Matrices:
    """An operand as stacked matrices: a loop over ``front``, and two groups of axes.

    With ``stored`` the operand is copied, into the groups in that order; without, it is
    read in place.
    """

    source: Source
    front: Subscripts
    groups: tuple[Subscripts, Subscripts]
    sizes: Mapping[Index, int]
    stored: tuple[Subscripts, ...] = ()

    def ways(self, avoided: Subscripts) -> Iterator[Matrices]:
        """Yield the ways to come by the matrices: in place, or by a copy.

        What can be read in place is copied only where no axis of its matrices has unit
        stride, or one of those ``avoided``.  Other copies are in the order of the
        groups, or in the other where that takes less time.
        """
        straight = tuple(filter(None, self.groups))
        if all(adjacent(group, self.source.order) for group in straight):
            yield self
            if self.inner in (*self.front, *avoided) and self.inner not in straight[-1]:
                yield self._copied(straight)
            return
        copy, other = self._copied(straight), self._copied(straight[::-1])
        yield copy
        if other.copying < copy.copying:
            yield other

    @property
    def closing_up(self) -> float:
        """The time of a copy in which the rows of a matrix lie side by side, if not."""
        matrix = self.groups[0] + self.groups[1]
        if self.memory[-len(matrix) :] == matrix:
            return 0.0
        return loops.copy(self.memory, self.order, self.sizes)

    def _copied(self, stored: tuple[Subscripts, ...]) -> Matrices:
        return Matrices(self.source, self.front, self.groups, self.sizes, stored)

    @property
    def held(self) -> Subscripts:
        """The indices of ``front`` that the operand has."""
        if not self.front:
            return ()
        return tuple(index for index in self.front if index in self.source.order)

    @property
    def order(self) -> Subscripts:
        """The indices as the matrices have them."""
        return (*self.held, *self.groups[0], *self.groups[1])

    @functools.cached_property
    def memory(self) -> Subscripts:
        """The indices as they lie in memory."""
        if not self.stored:
            return self.source.order
        return (*self.held, *(index for group in self.stored for index in group))

    @property
    def stack(self) -> Subscripts:
        """The indices of ``front`` as they lie in memory."""
        return tuple(index for index in self.memory if index in self.front)

    @property
    def stride(self) -> int:
        """Return how far the nearest entries of a matrix lie apart."""
        between = itertools.takewhile(lambda i: i in self.front, self.memory[::-1])
        return cost.entries(tuple(between), self.sizes)

    @property
    def inner(self) -> Index:
        """The index of unit stride."""
        return self.memory[-1]

    @functools.cached_property
    def copying(self) -> float:
        """The estimated time of the copy."""
        if not self.stored:
            return 0.0
        return loops.copy(self.source.order, self.memory, self.sizes)

    def copies(self) -> Iterator[tuple[Expr, float]]:
        """Yield the copy that the operand is read from, and its time."""
        if self.stored:
            made = self._flat if self._implied else self._in_memory
            yield unconjugated(made), self.copying

    def expr(self) -> Expr:
        """Write the view, or the copy; a missing group is an axis of size 1."""
        # Fuse in memory and transpose then: it reads better, and needs no other copy.
        expr, parts, in_memory = self._flat, self._parts, self._parts_in_memory
        if in_memory != parts:
            axes = tuple(in_memory.index(part) for part in parts)
            expr = Node(ArrayOp.TRANSPOSE, (expr,), axes)
        groups = self.groups if self.front else tuple(filter(None, self.groups))
        present = [*(index in self.held for index in self.front), *map(bool, groups)]
        return expanded(expr, present)

    @functools.cached_property
    def _parts(self) -> Shape:
        """The axes of the stacked matrices, but for missing groups."""
        return (*((i,) for i in self.held), *filter(None, self.groups))

    @functools.cached_property
    def _parts_in_memory(self) -> Shape:
        memory = self.memory
        return tuple(sorted(self._parts, key=lambda part: memory.index(part[0])))

    @functools.cached_property
    def _flat(self) -> Expr:
        """Write the operand as it lies in memory, with its groups of axes fused."""
        if not self._fused:
            return self._in_memory
        return Node(ArrayOp.RESHAPE, (self._in_memory,), self._parts_in_memory)

    @property
    def _fused(self) -> bool:
        return any(len(group) > 1 for group in self.groups)

    @property
    def _implied(self) -> bool:
        """Tell whether to fuse axes that lie apart takes a copy, fast along runs."""
        order = self.memory
        return (
            self._fused
            and order != self.source.order
            and order[-1] == self.source.order[-1]
        )

    @functools.cached_property
    def _in_memory(self) -> Expr:
        """Write the operand with its axes as they lie in memory."""
        copies = self.stored and not self._implied
        return (copied if copies else transposed)(self.source, self.memory)
