"""What is done to one array alone: its diagonal is taken, and its entries are added."""

from __future__ import annotations

from .array_program import ArrayOp, Expr, Node, Ref, references
from .cost import EINSUM_LETTERS
from .spec import Subscripts, unique
from .views import Source, transposed


def leading(order: Subscripts, kept: Subscripts) -> int:
    """Count the first indices that are not kept, if others beside them are not.

    None is counted that stands again.
    """
    count = next((p for p, i in enumerate(order) if i in kept), len(order))
    rest = order[count:]
    apart = len(set(order)) == len(order)
    return count if apart and any(index not in kept for index in rest) else 0


def scalar(expr: Expr) -> Expr:
    """Make an array without axes of what may be a number."""
    return Node(ArrayOp.SCALAR, (expr,))


def like(op: ArrayOp, expr: Expr, shape: tuple[Subscripts, ...]) -> Node:
    """Allocate an array of the dtype of ``expr``."""
    return Node(op, (Ref(next(references(expr))),), shape)


def diagonal(source: Source, order: Subscripts) -> Expr:
    """View the diagonal along repeated indices, its axes in the order ``order``."""
    return Node(ArrayOp.DIAGONAL, (source.expr,), (source.order, order))


def summed(source: Source, kept: Subscripts) -> Expr:
    """Sum over the indices that are not kept, along the diagonal of repeated ones."""
    distinct = unique(source.order)
    if len(distinct) <= EINSUM_LETTERS:
        value: Expr = Node(ArrayOp.EINSUM, (source.expr,), (source.order, kept))
        return value if kept else scalar(value)
    if len(distinct) < len(source.order):
        source = Source(diagonal(source, distinct), distinct)
    summed = tuple(p for p, i in enumerate(source.order) if i not in kept)
    value = Node(ArrayOp.SUM, (source.expr,), summed)
    left = tuple(index for index in source.order if index in kept)
    return transposed(Source(value, left), kept) if kept else scalar(value)
