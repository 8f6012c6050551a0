"""Products of two arrays entry by entry: np.multiply and np.einsum."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from . import cost
from .array_program import ArrayOp, Node
from .candidate import Candidate, Problem
from .spec import Subscripts
from .views import Source, aligned, copied, lies_as_it_stands


def einsums(problem: Problem) -> Iterator[Candidate]:
    """Write one loop nest over all indices, of one-letter subscripts."""
    a, b = problem.a, problem.b
    terms = (a.order, b.order)

    def written(order: Subscripts) -> tuple[Node, float]:
        node = Node(ArrayOp.EINSUM, (a.expr, b.expr), (*terms, order))
        return node, cost.einsum(terms, order, problem.sizes)

    for value, order, time in _laid_out(problem, written):
        found = Candidate("einsum", value, order, terms, time)
        if value.c_order and problem.sets.contracted:
            # Asked for C order, np.einsum would loop in C order too.
            straight = tuple((i,) for i in order), tuple(range(len(order)))
            plain = replace(value, c_order=False)
            time += cost.ALLOCATE_CALL
            found = replace(found, value=plain, cost=time, into=straight)
        yield found


def multiplies(problem: Problem) -> Iterator[Candidate]:
    """Write broadcast products; no index is contracted."""
    a, b = problem.a, problem.b

    def written(order: Subscripts) -> tuple[Node, float]:
        node = Node(ArrayOp.MULTIPLY, (aligned(a, order), aligned(b, order)))
        return node, cost.multiply((a.order, b.order), order, problem.sizes)

    for value, order, time in _laid_out(problem, written):
        views = tuple(tuple(i for i in order if i in s.order) for s in (a, b))
        yield Candidate("multiply", value, order, (views[0], views[1]), time)


def _laid_out(
    problem: Problem, written: Callable[[Subscripts], tuple[Node, float]]
) -> Iterator[tuple[Node, Subscripts, float]]:
    """Yield a product entry by entry, written in the order wanted or as in memory.

    Mixing layouts costs several times as much, so the second may be seen from the
    order wanted where that suffices, or copied.
    """
    a, b = problem.a, problem.b
    larger = a if len(a.order) >= len(b.order) else b
    natural = problem.sets.batch + problem.rows + problem.columns
    missing = tuple(i for i in natural if i not in larger.order)
    in_memory = missing + tuple(i for i in larger.order if i in natural)
    wanted = in_memory if problem.wanted is None else problem.wanted
    for order in dict.fromkeys([wanted, in_memory]):
        node, time = written(order)
        if not order:
            yield Node(ArrayOp.SCALAR, (node,)), order, time
            continue
        if order != wanted and problem.any_memory:
            axes = tuple(order.index(index) for index in wanted)
            yield Node(ArrayOp.TRANSPOSE, (node,), axes), wanted, time
        elif order != wanted:
            time += cost.copy(order, wanted, problem.sizes)
            yield copied(Source(node, order), wanted), wanted, time
        else:
            exact = problem.any_memory or lies_as_it_stands((a.order, b.order), order)
            yield replace(node, c_order=not exact), wanted, time
