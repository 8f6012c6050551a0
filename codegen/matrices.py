"""An operand as a stack of matrices: what BLAS is given, and what that costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from . import cost
from .array_program import ArrayOp, Expr, Node
from .spec import Index, Subscripts
from .views import Source, adjacent, copied, expanded, transposed


@dataclass(frozen=True)
class Matrices:
    """An operand as stacked matrices: a loop over ``front``, and two groups of axes."""

    source: Source
    front: Subscripts
    groups: tuple[Subscripts, Subscripts]
    turn: bool = False

    @property
    def held(self) -> Subscripts:
        """The indices of ``front`` that the operand has."""
        return tuple(index for index in self.front if index in self.source.order)

    @property
    def order(self) -> Subscripts:
        """The indices as the matrices have them."""
        return (*self.held, *self.groups[0], *self.groups[1])

    @property
    def copied(self) -> bool:
        """Whether fusing a group takes a copy."""
        order = self.source.order
        return self.turn or not all(adjacent(group, order) for group in self.groups)

    @property
    def strided(self) -> bool:
        """Whether the matrices have no axis of unit stride."""
        return not self.copied and self.source.order[-1] in self.front

    @property
    def inner(self) -> Index:
        """The index of unit stride."""
        return self.order[-1] if self.copied else self.source.order[-1]

    def copying(self, sizes: Mapping[Index, int]) -> float:
        """Estimate the time of the copy."""
        if not self.copied:
            return 0.0
        return cost.copy(self.source.order, self.order, sizes)

    def expr(self) -> Expr:
        """Write the view, or the copy; a missing group is an axis of size 1."""
        groups = self.groups if self.front else tuple(filter(None, self.groups))
        parts = (*((i,) for i in self.held), *(group for group in groups if group))
        # Where no copy is needed, fuse first and transpose then: it reads better.
        in_memory = sorted(parts, key=lambda part: self.source.order.index(part[0]))
        stored = parts if self.copied else tuple(in_memory)
        order = tuple(index for part in stored for index in part)
        across = self.copied and order[-1] != self.source.order[-1]
        write = copied if across or self.turn else transposed
        expr: Expr = write(self.source, order)
        if any(len(part) > 1 for part in stored):
            expr = Node(ArrayOp.RESHAPE, (expr,), stored)
        if stored != parts:
            axes = tuple(stored.index(part) for part in parts)
            expr = Node(ArrayOp.TRANSPOSE, (expr,), axes)
        present = [*(index in self.held for index in self.front), *map(bool, groups)]
        return expanded(expr, present)
