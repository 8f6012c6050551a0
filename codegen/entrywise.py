"""Products of two arrays entry by entry: np.multiply and np.einsum."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from . import cost
from .array_program import ArrayOp, Node
from .candidate import Candidate, Problem
from .spec import Subscripts
from .views import Source, aligned, copied, memory_order


def entrywise(problem: Problem) -> Iterator[Candidate]:
    """Yield the products entry by entry.

    An operand that ends in another index than the other may be copied to lie alike.
    """
    yield from _products(problem)
    a, b = problem.a, problem.b
    if not (a.order and b.order) or a.order[-1] == b.order[-1]:
        return
    for source, other in ((a, b), (b, a)):
        order = _like(source.order, other.order)
        if order[-1] != source.order[-1]:
            copy = Source(copied(source, order), order)
            first, second = (copy, b) if source is a else (a, copy)
            time = cost.copy(source.order, order, problem.sizes)
            for product in _products(replace(problem, a=first, b=second)):
                yield replace(product, cost=product.cost + time)


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
        return cost.einsum(terms, order, problem.sizes)

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
        return cost.multiply((a.order, b.order), order, problem.sizes)

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
    larger = a if len(a.order) >= len(b.order) else b
    kept = problem.sets.batch + problem.rows + problem.columns
    missing = tuple(i for i in kept if i not in larger.order)
    in_memory = missing + tuple(i for i in larger.order if i in kept)
    wanted = in_memory if problem.wanted is None else problem.wanted
    for order in dict.fromkeys([wanted, in_memory]):
        node = written(order)
        if not order:
            yield Node(ArrayOp.SCALAR, (node,)), order, time(order)
            continue
        natural = memory_order((a.order, b.order), order)
        for memory in dict.fromkeys([natural, order]):
            value = replace(node, c_order=memory != natural)
            if order == wanted and (memory == wanted or problem.any_memory):
                yield value, wanted, time(memory)
            elif problem.any_memory:
                axes = tuple(order.index(index) for index in wanted)
                yield Node(ArrayOp.TRANSPOSE, (value,), axes), wanted, time(memory)
            elif memory == order:
                copy = cost.copy(order, wanted, problem.sizes)
                yield copied(Source(value, order), wanted), wanted, time(order) + copy
