"""How one array is added up along some of its axes.

It is done in stages, each of which adds along some axes: along any by np.einsum, along
neighbours also by a product with ones, for which BLAS mostly takes less time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from . import cost, loops
from .array_program import ArrayOp, Expr, Node, Ref, Shape
from .cost import Sizes
from .spec import Index, Subscripts, unique
from .unary import diagonal, like, scalar
from .views import Source

# The unknown size of an axis of what is summed up as a whole, which is taken for large.
_LARGE = 257**2


@dataclass(frozen=True)
class Stage:
    """A sum along the axes ``run``, which leaves the axes ``left``.

    ``op`` is an einsum or a product with ones; ``groups`` are the axes as it sees them,
    some of them fused; ``time`` is that of this stage and of what is added up later.
    """

    op: ArrayOp
    run: Subscripts
    left: Subscripts
    groups: tuple[Subscripts, ...]
    time: float


def total(
    source: Source,
    kept: Subscripts,
    index_of: Mapping[Index, Index],
    sizes: Sizes,
    held: Callable[[Expr], Ref],
    *,
    force: str | None = None,
) -> Expr:
    """Sum over what is not kept, stage by stage.

    ``index_of`` says how the program calls the letters of ``source``; ``held`` gives
    what a stage leaves a variable.  ``force`` names the only primitive allowed, where
    it applies.
    """
    if len(unique(source.order)) < len(source.order):
        return summed(source, kept)
    while True:
        stage = first_stage(source.order, kept, sizes, force=force)
        expr = _partial_sum(source, stage, index_of)
        if stage.left == kept:
            return expr
        source = Source(held(expr), stage.left)


def first_stage(
    order: Subscripts, kept: Subscripts, sizes: Sizes, *, force: str | None = None
) -> Stage:
    """Return the first stage of the sum over what is not kept."""
    if not kept:
        sizes = {**dict.fromkeys(order, _LARGE), **sizes}
    found = list(_stages(order, kept, sizes))
    forced = [stage for stage in found if stage.op.name.lower() == force]
    return min(forced or found, key=lambda stage: stage.time)


def _stages(order: Subscripts, kept: Subscripts, sizes: Sizes) -> Iterator[Stage]:
    """Yield the ways to begin; np.einsum adds up the rest."""
    axes = tuple((index,) for index in order)
    lost = tuple(index for index in order if index not in kept)
    yield Stage(ArrayOp.EINSUM, lost, kept, axes, loops.einsum((order,), kept, sizes))
    for start, end in _runs(order, kept):
        front, run, back = order[:start], order[start:end], order[end:]
        left, rest = front + back, 0.0
        if run != lost:
            rest = loops.einsum((left,), kept, sizes)
            time = loops.einsum((order,), left, sizes)
            yield Stage(ArrayOp.EINSUM, run, left, axes, time + rest)
        for groups in _matrices(front, run, back):
            op = ArrayOp.MATMUL if len(groups) > 2 else ArrayOp.DOT
            time = _with_ones(groups, run, sizes)
            yield Stage(op, run, left, groups, time + rest)


def _with_ones(groups: Sequence[Subscripts], run: Subscripts, sizes: Sizes) -> float:
    """Time of the sum along the group ``run`` of axes as a product with ones.

    It is of matrices that end in that group and another, and looped over the rest.
    """
    place = groups.index(run)
    inner = place == len(groups) - 1
    rows = groups[place - 1] if inner and place else ()
    columns = () if inner else groups[place + 1]
    looped = [group for group in groups if group not in (rows, run, columns)]
    count = cost.entries(run, sizes)
    product = cost.MatrixProduct(
        loops=math.prod(cost.entries(group, sizes) for group in looped),
        rows=cost.entries(rows, sizes),
        columns=cost.entries(columns, sizes),
        summed=count,
        left_stride=1,
        right_stride=1,
        left_summed=True,
        right_summed=inner,
        stacked=bool(looped),
    )
    fused = len(run) > 1, len(rows + columns) > 1
    views = cost.VIEW_CALL * (any(fused) + fused[1])
    return cost.ONES_CALL + cost.COPY_ENTRY * count + product.time() + views


def _matrices(
    front: Subscripts, run: Subscripts, back: Subscripts
) -> Iterator[tuple[Subscripts, ...]]:
    """Yield the groups of axes that make matrices with a side along ``run``."""
    singles = tuple((index,) for index in front)
    if front and back:
        yield (*singles, run, back)
        return
    yield tuple(group for group in (front, run, back) if group)
    if len(front) > 1:
        yield (*singles, run)


def _runs(order: Subscripts, kept: Subscripts) -> Iterator[tuple[int, int]]:
    """Yield where runs of axes that are not kept start and end."""
    for start in range(len(order)):
        for end in range(start + 1, len(order) + 1):
            if order[end - 1] in kept:
                break
            yield start, end


def summed(source: Source, kept: Subscripts) -> Node:
    """Sum over the indices that are not kept, along the diagonal of repeated ones.

    What is kept stays in its order.
    """
    distinct = unique(source.order)
    if len(distinct) <= cost.EINSUM_LETTERS:
        value = Node(ArrayOp.EINSUM, (source.expr,), (source.order, kept))
        return value if kept else scalar(value)
    if len(distinct) < len(source.order):
        source = Source(diagonal(source, distinct), distinct)
    lost = tuple(p for p, i in enumerate(source.order) if i not in kept)
    value = Node(ArrayOp.SUM, (source.expr,), lost)
    return value if kept else scalar(value)


def _partial_sum(source: Source, stage: Stage, index_of: Mapping[Index, Index]) -> Expr:
    """Sum as ``stage`` says."""
    if stage.op is ArrayOp.EINSUM:
        return summed(source, stage.left)
    run, groups = stage.run, stage.groups
    ones = like(ArrayOp.ONES, source.expr, _shape([run], index_of))
    matrices = source.expr
    if any(len(group) > 1 for group in groups):
        matrices = Node(ArrayOp.RESHAPE, (matrices,), _shape(groups, index_of))
    inner = groups[-1] == run
    value = Node(stage.op, (matrices, ones) if inner else (ones, matrices))
    if any(len(group) > 1 for group in groups if group != run):
        axes = [(index,) for index in stage.left]
        return Node(ArrayOp.RESHAPE, (value,), _shape(axes, index_of))
    return value if stage.left else scalar(value)


def _shape(groups: Iterable[Subscripts], index_of: Mapping[Index, Index]) -> Shape:
    return tuple(tuple(index_of[index] for index in group) for group in groups)
