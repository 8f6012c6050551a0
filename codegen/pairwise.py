"""Which primitive computes the product of two arrays.

The index sets decide what is possible: an index of both operands and the result is
a batch (B), of both operands only is contracted (K), of one operand and the result
is a row (M) or a column (N).  Every candidate is written out with its result's
layout and an estimate of its time; the cheapest is taken.

    multiply   no K           broadcast product
    dot        K, no B        one matrix product on fused groups of axes
    matmul     K              stacked matrix products; B and what else stands in
                              front of the last two groups is looped over
    into       K, B           matmul writing through a view of the result, so that
                              the result's axes come out in the order asked for
    einsum     any            a loop over all indices, of one-letter subscripts
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from . import cost
from .array_program import VIEWS, ArrayOp, Node, Ref, Shape, nodes
from .errors import InternalError
from .index_sets import IndexSets, index_sets
from .matrices import Matrices
from .spec import Einsum, Index, Subscripts
from .views import Source, adjacent, aligned, copied


@dataclass(frozen=True)
class Candidate:
    """A way to compute a pairwise einsum.

    ``value`` has the axes ``order``.  With ``into``, the result is a fresh array of
    the axes ``order`` and ``value`` is written through that view of it, which
    ``into`` gives as its shape in groups and the order of the groups.  ``views`` are
    the arguments' indices as the primitive sees them.
    """

    primitive: str
    value: Node
    order: Subscripts
    views: tuple[Subscripts, Subscripts]
    cost: float
    into: tuple[Shape, tuple[int, ...]] | None = None


@dataclass(frozen=True)
class Problem:
    """Two sources, the result's indices, and the sizes that the estimate assumes."""

    a: Source
    b: Source
    kept: Subscripts
    wanted: Subscripts | None
    sizes: Mapping[Index, int]

    @functools.cached_property
    def sets(self) -> IndexSets:
        """Sort the indices as a sees them."""
        return index_sets(Einsum((self.a.order, self.b.order), self.kept))

    @property
    def rows(self) -> Subscripts:
        """The indices of a alone, in the order wanted where there is one."""
        return self._ordered(self.sets.left_kept)

    @property
    def columns(self) -> Subscripts:
        """The indices of b alone, in the order wanted where there is one."""
        return self._ordered(self.sets.right_kept)

    def _ordered(self, indices: Subscripts) -> Subscripts:
        if self.wanted is None:
            return indices
        return tuple(index for index in self.wanted if index in indices)

    def turned(self) -> Problem:
        """Return the same product with the operands exchanged."""
        return replace(self, a=self.b, b=self.a)

    def size(self, indices: Subscripts) -> int:
        """Count the entries along ``indices``."""
        return cost.entries(indices, self.sizes)


def choose(
    a: Source,
    b: Source,
    kept: Subscripts,
    wanted: Subscripts | None,
    sizes: Mapping[Index, int],
    *,
    force: str | None = None,
) -> Candidate:
    """Return the cheapest way to compute ``a,b->kept``.

    The result's axes come in the order ``wanted``, or in any if that is None.
    ``force`` names the only primitive allowed, where it applies.
    """
    problem = Problem(a, b, kept, wanted, sizes)
    if problem.sets.left_lone or problem.sets.right_lone:
        raise InternalError(f"an index stands alone in {a.order}, {b.order}")
    found = list(candidates(problem))
    forced = [c for c in found if c.primitive == force]
    return min(forced or found, key=_time)


def _time(candidate: Candidate) -> float:
    """Estimate a candidate with the views that it takes."""
    views = sum(node.op in VIEWS for node in nodes(candidate.value))
    return candidate.cost + cost.VIEW_CALL * views


def estimate(
    a: Subscripts,
    b: Subscripts,
    kept: Subscripts,
    wanted: Subscripts | None,
    sizes: Mapping[Index, int],
) -> tuple[float, Subscripts]:
    """Return the time of the cheapest way, and the order of its result."""
    letters = tuple(dict.fromkeys((*a, *b)))
    number = {index: chr(ord("a") + k) for k, index in enumerate(letters)}

    def renamed(indices: Subscripts) -> Subscripts:
        return tuple(number[index] for index in indices)

    time, order = _estimate(
        renamed(a),
        renamed(b),
        renamed(kept),
        None if wanted is None else renamed(wanted),
        tuple(cost.size(index, sizes) for index in letters),
    )
    return time, tuple(letters[ord(index) - ord("a")] for index in order)


@functools.lru_cache(maxsize=65536)
def _estimate(
    a: Subscripts,
    b: Subscripts,
    kept: Subscripts,
    wanted: Subscripts | None,
    sizes: tuple[int, ...],
) -> tuple[float, Subscripts]:
    """Estimate a product whose letters are a, b, …; large networks repeat few."""
    of_letter = {chr(ord("a") + k): size for k, size in enumerate(sizes)}
    sources = Source(Ref("a"), a), Source(Ref("b"), b)
    chosen = choose(*sources, kept, wanted, of_letter)
    return _time(chosen), chosen.order


def candidates(problem: Problem) -> Iterator[Candidate]:
    """Write out every way to compute the product."""
    if not problem.sets.contracted:
        yield from _multiplies(problem)
    else:
        for turned in (problem, problem.turned()):
            yield from _matrix_products(turned)
    if len({*problem.a.order, *problem.b.order}) <= cost.EINSUM_LETTERS:
        yield _einsum(problem)


def _einsum(problem: Problem) -> Candidate:
    a, b = problem.a, problem.b
    order = _natural(problem) if problem.wanted is None else problem.wanted
    value = Node(ArrayOp.EINSUM, (a.expr, b.expr), (a.order, b.order, order))
    if not order:
        value = Node(ArrayOp.SCALAR, (value,))
    time = cost.einsum((a.order, b.order), order, problem.sizes)
    return Candidate("einsum", value, order, (a.order, b.order), time)


def _natural(problem: Problem) -> Subscripts:
    """Batch, rows, columns."""
    return problem.sets.batch + problem.rows + problem.columns


def _multiplies(problem: Problem) -> Iterator[Candidate]:
    a, b = problem.a, problem.b
    larger = a if len(a.order) >= len(b.order) else b
    missing = tuple(i for i in _natural(problem) if i not in larger.order)
    in_memory = missing + larger.order
    wanted = in_memory if problem.wanted is None else problem.wanted
    for order in dict.fromkeys([wanted, in_memory]):
        value = Node(ArrayOp.MULTIPLY, (aligned(a, order), aligned(b, order)))
        if not order:
            value = Node(ArrayOp.SCALAR, (value,))
        elif order != wanted:
            # Entry by entry in memory order, and seen from the order wanted: mixing
            # layouts costs several times as much.
            axes = tuple(order.index(index) for index in wanted)
            value = Node(ArrayOp.TRANSPOSE, (value,), axes)
        time = cost.multiply((a.order, b.order), order, problem.sizes)
        views = tuple(tuple(i for i in order if i in s.order) for s in (a, b))
        yield Candidate("multiply", value, wanted, (views[0], views[1]), time)


def _matrix_products(problem: Problem) -> Iterator[Candidate]:
    """Yield the products whose result ends in rows of a, then columns of b."""
    batch, summed = problem.sets.batch, problem.sets.contracted
    rows, columns = problem.rows, problem.columns
    batches = [batch, tuple(i for i in problem.b.order if i in batch)]
    if problem.wanted:
        batches.append(tuple(i for i in problem.wanted if i in batch))
    sums = [summed, tuple(i for i in problem.b.order if i in summed)]
    fronts = [(front, rows, columns) for front in dict.fromkeys(batches)]
    if problem.wanted:
        fronts.extend(_loops(problem, rows, columns))
    for (front, x, y), k in itertools.product(fronts, dict.fromkeys(sums)):
        # Small matrices multiply faster where the second is not read inner to inner.
        turns = (False, True) if front and len(k) == len(y) == 1 else (False,)
        for turn in turns:
            product = _matrix_product(problem, front, x, y, k, turn=turn)
            yield from _in_order(problem, product, (front, x, y))


def _loops(
    problem: Problem, rows: Subscripts, columns: Subscripts
) -> Iterator[tuple[Subscripts, Subscripts, Subscripts]]:
    """Yield the split of the wanted order that needs no copy of the result.

    The last run of columns and the run of rows before it form the matrices; what
    stands in front of them, rows and columns too, is looped over.
    """
    order = problem.wanted or ()
    end = len(order)
    while end and order[end - 1] in columns:
        end -= 1
    start = end
    while start and order[start - 1] in rows:
        start -= 1
    if end < len(order) and start:
        yield order[:start], order[start:end], order[end:]


def _matrix_product(
    problem: Problem,
    front: Subscripts,
    x: Subscripts,
    y: Subscripts,
    k: Subscripts,
    *,
    turn: bool,
) -> Candidate:
    """Write the product of matrices (x, k) and (k, y), looped over ``front``.

    With ``turn`` the second operand is copied into that order first.
    """
    a, b = problem.a, problem.b
    left, right = Matrices(a, front, (x, k)), Matrices(b, front, (k, y), turn=turn)
    product = cost.MatrixProduct(
        loops=problem.size(front),
        rows=problem.size(x),
        columns=problem.size(y),
        summed=problem.size(k),
        strided=left.strided + right.strided,
        left_summed=left.inner in k,
        right_summed=right.inner in k,
        stacked=bool(front),
    )
    time = product.time() + left.copying(problem.sizes) + right.copying(problem.sizes)
    op = ArrayOp.MATMUL if front else ArrayOp.DOT
    value = Node(op, (left.expr(), right.expr()))
    order = front + x + y
    if not order:
        value = Node(ArrayOp.SCALAR, (value,))
    elif len(x) > 1 or len(y) > 1 or (front and not (x and y)):
        value = Node(ArrayOp.RESHAPE, (value,), tuple((i,) for i in order))
    primitive = "matmul" if front else "dot"
    return Candidate(primitive, value, order, (left.order, right.order), time)


def _in_order(
    problem: Problem, product: Candidate, parts: tuple[Subscripts, ...]
) -> Iterator[Candidate]:
    """Yield ``product`` with its result in the wanted order, one way or another."""
    wanted = problem.wanted
    if wanted is None or wanted == product.order:
        yield product
        return
    front, x, y = parts
    if front and x and y and adjacent(x, wanted) and adjacent(y, wanted):
        groups = [(i,) for i in front] + [x, y]
        in_memory = sorted(groups, key=lambda group: wanted.index(group[0]))
        axes = tuple(in_memory.index(group) for group in groups)
        through = cost.ALLOCATE_CALL + cost.VIEW_CALL
        if wanted[-1] not in y:
            # Then NumPy computes every product aside and copies it.
            through += cost.copy(product.order, wanted, problem.sizes)
        value = product.value
        if value.op is ArrayOp.RESHAPE and isinstance(value.args[0], Node):
            value = value.args[0]
        yield replace(
            product,
            primitive="into",
            value=value,
            order=wanted,
            cost=product.cost + through,
            into=(tuple(in_memory), axes),
        )
    yield replace(
        product,
        value=copied(Source(product.value, product.order), wanted),
        order=wanted,
        cost=product.cost + cost.copy(product.order, wanted, problem.sizes),
    )
