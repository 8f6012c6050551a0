"""What is done to one array alone: its entries are taken, added, or repeated."""

from __future__ import annotations

from collections.abc import Mapping

from . import cost
from .array_program import ArrayOp, Expr, Node, Ref, references
from .cost import Sizes
from .spec import Index, Subscripts, unique
from .views import Source, copied, transposed


def added_first(order: Subscripts, kept: Subscripts, sizes: Sizes) -> Subscripts:
    """Return the axes that a sum leaves if long runs are added to each other first.

    What is left is then added up, which is less.
    """
    lost = {index for index in order if index not in kept}
    start = len(order) - 1
    while start > 0 and cost.entries(order[start:], sizes) < cost.LONG_RUN:
        if not lost.intersection(order[: start - 1]):
            break
        start -= 1
    if lost.issuperset(order[start:]):
        return order
    left = tuple(i for i in order[:start] if i in kept) + order[start:]
    return left if lost.intersection(left) else order


def blocks(order: Subscripts, kept: Subscripts, sizes: Sizes) -> int:
    """Count the first new axes along which an array is best written block by block."""
    new = {index for index in order if index not in kept}
    rows = next((axis for axis, i in enumerate(order) if i in kept), 0)
    while rows and not new.intersection(order[rows:]):
        if cost.entries(order[rows:], sizes) >= cost.LONG_RUN:
            return 0
        rows -= 1
    while rows and cost.entries(order[rows:], sizes) < cost.LONG_RUN:
        rows -= 1
    return rows


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
    if len(distinct) <= cost.EINSUM_LETTERS:
        value: Expr = Node(ArrayOp.EINSUM, (source.expr,), (source.order, kept))
        return value if kept else scalar(value)
    if len(distinct) < len(source.order):
        source = Source(diagonal(source, distinct), distinct)
    summed = tuple(p for p, i in enumerate(source.order) if i not in kept)
    value = Node(ArrayOp.SUM, (source.expr,), summed)
    left = tuple(index for index in source.order if index in kept)
    return transposed(Source(value, left), kept) if kept else scalar(value)


def repeated(
    source: Source,
    order: Subscripts,
    index_of: Mapping[Index, Index],
    sizes: Sizes,
) -> Source:
    """Give an array the order of ``order``, and repeat it along the last new axis.

    It is not repeated where broadcasting writes runs that are long enough, and only
    copied where it would be read across its memory.  ``index_of`` says how the
    program calls the letters of ``order``.
    """
    kept = tuple(index for index in order if index in source.order)
    if kept and source.order[-1] != kept[-1]:
        source = Source(copied(source, kept), kept)
    new = [axis for axis, index in enumerate(order) if index not in kept]
    run = order[new[-1] + 1 :] or order[new[-1] :] if new else ()
    short = cost.entries(run, sizes) < cost.LONG_RUN
    if not (kept and new and short):
        return source
    last = order[new[-1]]
    longer = tuple(index for index in order if index in kept or index == last)
    present = tuple(index in kept for index in longer)
    wide = Node(ArrayOp.EXPAND, (transposed(source, kept),), present)
    counts = tuple(() if here else (index_of[last],) for here in present)
    return Source(Node(ArrayOp.REPEAT, (wide,), counts), longer)
