"""Products of two arrays entry by entry: np.multiply and np.einsum."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from . import cost, loops
from .array_program import ArrayOp, Node, unconjugated
from .candidate import Candidate, Problem
from .iteration import memory_order
from .spec import Subscripts
from .views import Source, aligned, copied


def entrywise(problem: Problem, *, copies: bool = True) -> Iterator[Candidate]:
    """Yield the products entry by entry, with operands as they are or copied before.

    An operand may be copied to lie like the other, and without a sum also to lie as the
    result is wanted.
    """
    a, b = problem.a, problem.b
    yield from _products(problem)
    if not copies:
        return
    layouts = {(_like(a.order, b.order), b.order), (a.order, _like(b.order, a.order))}
    if problem.wanted and not problem.sets.contracted:
        x, y = (_like(source.order, problem.wanted) for source in (a, b))
        layouts |= {(x, b.order), (a.order, y), (x, y)}
    for orders in sorted(layouts):
        first, second = map(_turned, (a, b), orders)
        if (first, second) == (a, b):
            continue
        made = tuple(
            (unconjugated(new.expr), loops.copy(old.order, new.order, problem.sizes))
            for old, new in ((a, first), (b, second))
            if new is not old
        )
        time = sum(time for _, time in made)
        for product in _products(replace(problem, a=first, b=second)):
            yield replace(product, cost=product.cost + time, copies=made)


def _turned(source: Source, order: Subscripts) -> Source:
    """Copy ``source`` into the order ``order``, if that ends in another axis."""
    if order[-1:] == source.order[-1:]:
        return source
    return Source(copied(source, order), order)


def _products(problem: Problem) -> Iterator[Candidate]:
    if not problem.sets.contracted:
        yield from _multiplies(problem)
    if len({*problem.a.order, *problem.b.order}) <= cost.EINSUM_LETTERS:
        yield from _einsums(problem)


def _like(order: Subscripts, other: Subscripts) -> Subscripts:
    """Put the indices that ``other`` has last, in its order."""
    own = tuple(index for index in order if index not in other)
    return own + tuple(index for index in other if index in order)


def _einsums(problem: Problem) -> Iterator[Candidate]:
    """Write one loop nest over all indices, of one-letter subscripts."""
    a, b = problem.a, problem.b
    terms = (a.order, b.order)

    def written(order: Subscripts) -> Node:
        return Node(ArrayOp.EINSUM, (a.expr, b.expr), (*terms, order))

    def time(order: Subscripts) -> float:
        return loops.einsum(terms, order, problem.sizes)

    for value, order, estimate in _laid_out(problem, written, time):
        found = Candidate("einsum", value, order, terms, estimate)
        if value.c_order and problem.sets.contracted:
            # Asked for C order, np.einsum would loop in C order too.
            straight = tuple((i,) for i in order), tuple(range(len(order)))
            plain = replace(value, c_order=False)
            found = replace(
                found,
                value=plain,
                cost=estimate + cost.ALLOCATE_CALL,
                into=straight,
            )
        yield found


def _multiplies(problem: Problem) -> Iterator[Candidate]:
    """Write broadcast products; no index is contracted."""
    a, b = problem.a, problem.b

    def written(order: Subscripts) -> Node:
        return Node(ArrayOp.MULTIPLY, (aligned(a, order), aligned(b, order)))

    def time(order: Subscripts) -> float:
        return loops.multiply((a.order, b.order), order, problem.sizes)

    for value, order, estimate in _laid_out(problem, written, time):
        views = tuple(tuple(i for i in order if i in s.order) for s in (a, b))
        yield Candidate("multiply", value, order, (views[0], views[1]), estimate)


def _laid_out(
    problem: Problem,
    written: Callable[[Subscripts], Node],
    time: Callable[[Subscripts], float],
) -> Iterator[tuple[Node, Subscripts, float]]:
    """Yield a product entry by entry, written in the order wanted or as in memory.

    Mixing layouts costs several times as much, so it may be left to NumPy how the
    result lies where any memory will do, and be copied where not.
    """
    a, b = problem.a, problem.b
    operands = (a.order, b.order)
    larger = a if len(a.order) >= len(b.order) else b
    kept = problem.sets.batch + problem.rows + problem.columns
    missing = tuple(i for i in kept if i not in larger.order)
    in_memory = missing + tuple(i for i in larger.order if i in kept)
    wanted = in_memory if problem.wanted is None else problem.wanted
    if not wanted:
        yield Node(ArrayOp.SCALAR, (written(wanted),)), wanted, time(wanted)
        return
    natural = memory_order(operands, wanted)
    if natural == wanted or problem.any_memory:
        yield written(wanted), wanted, time(natural)
        if natural == wanted and problem.any_memory:
            # It may be read again and again, so it does not lie across to save time.
            return
    if natural != wanted:
        yield replace(written(wanted), c_order=True), wanted, time(wanted)
    for order in dict.fromkeys([natural, memory_order(operands, in_memory)]):
        if order == wanted or memory_order(operands, order) != order:
            continue
        value = Source(written(order), order)
        if not problem.any_memory:
            copy = loops.copy(order, wanted, problem.sizes)
            yield copied(value, wanted), wanted, time(order) + copy
        elif order != natural:
            axes = tuple(order.index(index) for index in wanted)
            yield Node(ArrayOp.TRANSPOSE, (value.expr,), axes), wanted, time(order)
