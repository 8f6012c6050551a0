"""What is done to one array alone: its entries are taken or repeated."""

from __future__ import annotations

from collections.abc import Mapping

from . import cost
from .array_program import ArrayOp, Expr, Node, Ref, references
from .cost import Sizes
from .spec import Index, Subscripts
from .views import Source, copied, transposed


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
    few = cost.entries(run, sizes) <= cost.FEW_TO_REPEAT
    op = ArrayOp.TILE if few else ArrayOp.REPEAT
    return Source(Node(op, (wide,), counts), longer)
