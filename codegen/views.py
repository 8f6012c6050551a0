"""Expressions for the views and copies of one array, by the names of its axes."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from dataclasses import dataclass

from .array_program import ArrayOp, Expr, Node
from .spec import Subscripts


@dataclass(frozen=True)
class Source:
    """An argument: an expression and the index of each of its axes."""

    expr: Expr
    order: Subscripts


def aligned(source: Source, order: Subscripts) -> Expr:
    """View ``source`` with the axes ``order``; those it lacks get size 1."""
    expr = transposed(source, tuple(i for i in order if i in source.order))
    return expanded(expr, [index in source.order for index in order])


def expanded(expr: Expr, present: Sequence[bool]) -> Expr:
    """Give ``expr`` an axis of size 1 where none is present."""
    # Missing axes in front are what broadcasting adds.
    present = tuple(itertools.dropwhile(operator.not_, present))
    return expr if all(present) else Node(ArrayOp.EXPAND, (expr,), present)


def transposed(source: Source, order: Subscripts) -> Expr:
    """View ``source`` with its axes in the order ``order``."""
    if order == source.order:
        return source.expr
    axes = tuple(source.order.index(index) for index in order)
    return Node(ArrayOp.TRANSPOSE, (source.expr,), axes)


def copied(source: Source, order: Subscripts) -> Node:
    """Copy ``source`` into the order ``order``."""
    if order and order[-1] != source.order[-1]:
        axes = tuple(source.order.index(index) for index in order)
        return Node(ArrayOp.TURN, (source.expr,), axes)
    return Node(ArrayOp.COPY, (transposed(source, order),))


def adjacent(group: Subscripts, order: Subscripts) -> bool:
    """Tell whether ``group`` stands in ``order`` as one run."""
    if not group:
        return True
    start = order.index(group[0])
    return order[start : start + len(group)] == group
