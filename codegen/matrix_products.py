"""Products of two arrays as products of matrices: dot and np.matmul."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from . import cost, loops
from .array_program import ArrayOp, Node
from .candidate import Candidate, Problem
from .iteration import memory_order
from .matrices import Matrices
from .spec import Subscripts
from .sums import summed
from .unary import scalar
from .views import Source, adjacent, copied


def matrix_products(problem: Problem) -> Iterator[Candidate]:
    """Yield the products whose result ends in rows of a, then columns of b."""
    batch, contracted = problem.sets.batch, problem.sets.contracted
    rows, columns = problem.rows, problem.columns
    batches = [batch, tuple(i for i in problem.b.order if i in batch)]
    batches.append(tuple(i for i in problem.wanted if i in batch))
    sums = [contracted, tuple(i for i in problem.b.order if i in contracted)]
    fronts = [(front, rows, columns) for front in dict.fromkeys(batches)]
    orders = [problem.wanted]
    if not rows:
        # The result may as well come as the matrices lie.
        orders.append(tuple(i for i in problem.b.order if i in problem.wanted))
    for order in dict.fromkeys(orders):
        fronts.extend(_loops(order, rows, columns))
    splits = [*itertools.product(dict.fromkeys(fronts), dict.fromkeys(sums))]
    if outer := loop_of_sum(problem):
        inside = tuple(index for index in contracted if index not in outer)
        splits.append(((outer, rows, columns), inside))
    for (front, x, y), k in splits:
        # Small matrices multiply faster where the second is not read inner to inner.
        lefts = Matrices(problem.a, front, (x, k), problem.sizes).ways(())
        rights = Matrices(problem.b, front, (k, y), problem.sizes).ways(k)
        for left, right in itertools.product(lefts, rights):
            yield from _multiplied(problem, left, right)


def loop_of_sum(problem: Problem) -> Subscripts:
    """Return the outermost axes of both operands, if a part of the sum is among them.

    All of the batch is, too, and inside are matrices, whose products can be added up.
    """
    sets, a, b = problem.sets, problem.a.order, problem.b.order
    if len(sets.contracted) < 2 or not (sets.left_kept and sets.right_kept):
        return ()
    shared = {*sets.batch, *sets.contracted}
    outer = [*itertools.takewhile(shared.__contains__, a)]
    while {*outer} != {*b[: len(outer)]}:
        outer.pop()
    proper = {*sets.batch} < {*outer} and not {*sets.contracted} <= {*outer}
    return tuple(outer) if proper else ()


def _loops(
    order: Subscripts, rows: Subscripts, columns: Subscripts
) -> Iterator[tuple[Subscripts, Subscripts, Subscripts]]:
    """Yield the split of an order in which the result comes without a copy.

    The last run of columns and the run of rows before it form the matrices; what
    stands in front of them, rows and columns too, is looped over.
    """
    end = len(order)
    while end and order[end - 1] in columns:
        end -= 1
    start = end
    while start and order[start - 1] in rows:
        start -= 1
    if end < len(order) and start:
        yield order[:start], order[start:end], order[end:]


def _multiplied(
    problem: Problem, left: Matrices, right: Matrices
) -> Iterator[Candidate]:
    """Yield the products of matrices (x, k) and (k, y), looped over what is in front.

    Products along what is in front and summed over are added up; the result comes in
    the order wanted.
    """
    front, (x, k), (_, y) = left.front, left.groups, right.groups
    product = _product(problem, left, right)
    # NumPy lays out the stack as the operands lie, unless it is told to.
    straight = not front or memory_order((left.stack, right.stack), front) == front
    kept = tuple(index for index in front if index in problem.wanted)
    order = kept + x + y

    ways = [(ArrayOp.DOT if product.by_dot else ArrayOp.MATMUL, product.time())]
    in_blocks = product.time_in_blocks()
    if in_blocks is not None and all(index in problem.sizes for index in (*x, *k, *y)):
        ways.append((ArrayOp.BLOCKS, in_blocks + right.closing_up))
    for op, time in ways:
        primitive = op.name.lower()
        if kept != front:
            primitive = "added"
            sizes = {**problem.sizes, x[0]: product.rows, y[0]: product.columns}
            stack = x[:1] + y[:1]
            time += loops.einsum((front + stack,), kept + stack, sizes)
        candidate = Candidate(
            primitive,
            partial(_written, op, left, right, kept, straight=straight),
            order,
            (left.order, right.order),
            time + left.copying + right.copying,
            write_copies=lambda: (*left.copies(), *right.copies()),
        )
        yield from _in_order(problem, candidate, (kept, x, y))


def _product(problem: Problem, left: Matrices, right: Matrices) -> cost.MatrixProduct:
    """Describe the products of matrices (x, k) and (k, y) to the cost model."""
    front, (x, k), (_, y) = left.front, left.groups, right.groups
    return cost.MatrixProduct(
        loops=problem.entries(front),
        rows=problem.entries(x),
        columns=problem.entries(y),
        summed=problem.entries(k),
        left_stride=left.stride,
        right_stride=right.stride,
        left_summed=left.inner in k,
        right_summed=right.inner in k,
        stacked=bool(front),
    )


def _written(
    op: ArrayOp, left: Matrices, right: Matrices, kept: Subscripts, *, straight: bool
) -> Node:
    """Write the products down, added up along what is in front and not kept."""
    front, (x, _), (_, y) = left.front, left.groups, right.groups
    # What goes in blocks lies in C order anyway.
    c_order = not straight and op is not ArrayOp.BLOCKS
    value = Node(op, (left.expr(), right.expr()), c_order=c_order)
    if kept != front:
        stack = x[:1] + y[:1]
        value = summed(Source(value, front + stack), kept + stack)
    order = kept + x + y
    if not order:
        return scalar(value)
    if len(x) > 1 or len(y) > 1 or (front and not (x and y)):
        return Node(ArrayOp.RESHAPE, (value,), tuple((i,) for i in order))
    return value


def _in_order(
    problem: Problem, product: Candidate, parts: tuple[Subscripts, ...]
) -> Iterator[Candidate]:
    """Yield ``product`` with its result in the wanted order, one way or another."""
    wanted = problem.wanted
    if wanted == product.order:
        yield product
        return
    front, x, y = parts
    grouped = adjacent(x, wanted) and adjacent(y, wanted)
    # Where it ends in a row, the operands are better exchanged.
    if front and x and y and grouped and wanted[-1] not in x:
        groups = [(i,) for i in front] + [x, y]
        in_memory = sorted(groups, key=lambda group: wanted.index(group[0]))
        axes = tuple(in_memory.index(group) for group in groups)
        through = cost.ALLOCATE_CALL + cost.VIEW_CALL
        if wanted[-1] in front:
            # Then NumPy computes every product aside and copies it.
            stride = problem.entries(wanted[-1:])
            through += cost.strided(stride, problem.entries(wanted))
        yield replace(
            product,
            primitive="into",
            write=partial(_unshaped, product),
            order=wanted,
            cost=product.cost + through,
            into=(tuple(in_memory), axes),
        )
    yield replace(
        product,
        write=partial(_copied, product, wanted),
        order=wanted,
        cost=product.cost + loops.copy(product.order, wanted, problem.sizes),
    )


def _unshaped(product: Candidate) -> Node:
    """Write the stacked products as they are, whatever they are written through."""
    value = product.value
    if value.op is ArrayOp.RESHAPE and isinstance(value.args[0], Node):
        value = value.args[0]
    return replace(value, c_order=False)


def _copied(product: Candidate, order: Subscripts) -> Node:
    return copied(Source(product.value, product.order), order)
