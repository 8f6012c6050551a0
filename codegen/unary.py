"""What is done to one array alone: its entries are taken or repeated."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping

from . import cost
from .array_program import ArrayOp, Expr, Node, Ref, Statement, references
from .cost import Sizes
from .spec import Index, Subscripts, unique
from .views import Source, aligned, copied, transposed


def scalar(expr: Expr) -> Node:
    """Make an array without axes of what may be a number, in the dtype of an array."""
    return Node(ArrayOp.SCALAR, (expr, Ref(next(references(expr)))))


def like(op: ArrayOp, expr: Expr, shape: tuple[Subscripts, ...]) -> Node:
    """Allocate an array of the dtype of ``expr``."""
    return Node(op, (Ref(next(references(expr))),), shape)


def diagonal(source: Source, order: Subscripts) -> Expr:
    """View the diagonal along repeated indices, its axes in the order ``order``."""
    return Node(ArrayOp.DIAGONAL, (source.expr,), (source.order, order))


def runs(order: Subscripts, kept: Subscripts) -> list[Subscripts]:
    """Cut an order into runs of what is kept and of what is not."""
    return [tuple(run) for _, run in itertools.groupby(order, kept.__contains__)]


def repeated(
    source: Source,
    order: Subscripts,
    index_of: Mapping[Index, Index],
    sizes: Sizes,
) -> Source:
    """Give an array the order of ``order``, and repeat it along the last new axes.

    New axes side by side count as one, but for those that repeat a long block.  It is
    not repeated where broadcasting writes runs that are long enough, and only copied
    where it would be read across its memory.  ``index_of`` says how the program calls
    the letters of ``order``.
    """
    kept = tuple(index for index in order if index in source.order)
    if kept and source.order[-1] != kept[-1]:
        source = Source(copied(source, kept), kept)
    parts = runs(order, kept)
    if not kept or kept == order or cost.entries(parts[-1], sizes) >= cost.LONG_RUN:
        return source
    new = next(part for part in reversed(parts) if part[0] not in kept)
    behind = order[order.index(new[-1]) + 1 :]
    while new[1:] and cost.entries(new[1:] + behind, sizes) >= cost.LONG_BLOCK:
        new = new[1:]
    longer = tuple(index for index in order if index in kept or index in new)
    return repeated_along(new, source, longer, index_of, sizes)


def repeated_along(
    new: Subscripts,
    source: Source,
    order: Subscripts,
    index_of: Mapping[Index, Index],
    sizes: Sizes,
) -> Source:
    """Repeat an array along the axes ``new``, side by side in the order ``order``."""
    kept = tuple(index for index in order if index not in new)
    behind = order[order.index(new[-1]) + 1 :]
    present = tuple(index in kept for index in order if index not in new[1:])
    wide = Node(ArrayOp.EXPAND, (transposed(source, kept),), present)
    count = tuple(index_of[index] for index in new)
    run, times = cost.entries(behind, sizes), cost.entries(new, sizes)
    tiled = cost.repeats_in_two_steps(run, times)
    op = ArrayOp.TILE if tiled else ArrayOp.REPEAT
    value = Node(op, (wide,), tuple(() if here else count for here in present))
    if len(new) > 1:
        shape = tuple((index_of[index],) for index in order)
        value = Node(ArrayOp.RESHAPE, (value,), shape)
    return Source(value, order)


def spread(
    target: Ref,
    source: Source,
    output: Subscripts,
    index_of: Mapping[Index, Index],
    sizes: Sizes,
    part: Callable[[], str],
) -> Iterator[Statement]:
    """Write an array into ``target`` along new axes, or onto the diagonal of zeros.

    ``output`` are the indices of its axes, and ``index_of`` says how the program calls
    them; ``part`` names a variable for a part of it.
    """
    shape = tuple((index_of[index],) for index in output)
    order = unique(output)
    if order != output:
        yield Statement(target, like(ArrayOp.ZEROS, source.expr, shape))
        view = diagonal(Source(target, output), order)
        yield Statement(view, aligned(source, order), through=True)
        return
    source = repeated(source, order, index_of, sizes)
    if source.order == order:
        yield Statement(target, source.expr)
        return
    yield Statement(target, like(ArrayOp.EMPTY, source.expr, shape))
    rows = _fronts(order, source.order, sizes)
    if cost.entries(order[:rows], sizes) > 2:
        # One of many equal blocks is written entry by entry, the others as it is.
        block = Ref(part())
        yield Statement(block, like(ArrayOp.EMPTY, source.expr, shape[rows:]))
        yield Statement(block, aligned(source, order[rows:]), through=True)
        source = Source(block, order[rows:])
    yield Statement(target, aligned(source, order), through=True)


def _fronts(order: Subscripts, kept: Subscripts, sizes: Sizes) -> int:
    """Count the first new axes along which an array is best written part by part."""
    new = {index for index in order if index not in kept}
    rows = next((axis for axis, i in enumerate(order) if i in kept), 0)
    while rows and not new.intersection(order[rows:]):
        if cost.entries(order[rows:], sizes) >= cost.LONG_RUN:
            return 0
        rows -= 1
    while rows and cost.entries(order[rows:], sizes) < cost.LONG_RUN:
        rows -= 1
    return rows
