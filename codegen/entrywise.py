"""Products of two arrays entry by entry: np.multiply and np.einsum."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from . import cost, loops
from .array_program import ArrayOp, Node, unconjugated
from .candidate import Candidate, Problem, written
from .iteration import memory_order
from .spec import Subscripts
from .unary import repeated_along, runs, scalar
from .views import Source, aligned, copied

# An operand, and the time of the copy that it is; 0 if it is none.
Copied = tuple[Source, float]


def entrywise(problem: Problem, *, copies: bool = True) -> Iterator[Candidate]:
    """Yield the products entry by entry, with operands as they are or copied before.

    An operand may be copied to lie like the other, or both so that the batch is their
    inner run; without a sum also to lie as the result is wanted, or be repeated.
    """
    a, b = problem.a, problem.b
    if problem.any_memory and not _lies_across(problem):
        problem = replace(problem, any_memory=False)
    yield from _products(problem)
    if not copies:
        return
    layouts = {(_like(a.order, b.order), b.order), (a.order, _like(b.order, a.order))}
    if batch := problem.sets.batch:
        layouts.add((_like(a.order, batch), _like(b.order, batch)))
    if not problem.sets.contracted:
        x, y = (_like(source.order, problem.wanted) for source in (a, b))
        layouts |= {(x, b.order), (a.order, y), (x, y)}
    for first, second in sorted(layouts):
        sides = _turned(problem, a, first), _turned(problem, b, second)
        yield from _of_copies(problem, sides, _products)
    if not problem.sets.contracted:
        yield from _repeated(problem)


def _of_copies(
    problem: Problem,
    sides: tuple[Copied, Copied],
    products: Callable[[Problem], Iterator[Candidate]],
) -> Iterator[Candidate]:
    """Yield products of operands of which at least one was copied before."""
    made = tuple((unconjugated(new.expr), time) for new, time in sides if time)
    if not made:
        return
    copying = sum(time for _, time in made)
    (a, _), (b, _) = sides
    for product in products(replace(problem, a=a, b=b)):
        time = product.cost + copying
        yield replace(product, cost=time, write_copies=written(made))


def _lies_across(problem: Problem) -> bool:
    """Tell whether a result lies otherwise than wanted if it lies as its operands do.

    A sum never does, and copies of operands are no reason to.
    """
    if problem.sets.contracted:
        return False
    operands = problem.a.order, problem.b.order
    return memory_order(operands, problem.wanted) != problem.wanted


def _repeated(problem: Problem) -> Iterator[Candidate]:
    """Yield products of operands repeated, so that they go along in longer runs.

    What has some of the last axes of the result is repeated along the others of them.
    """
    wanted = problem.wanted
    for start in range(len(wanted) - 2, -1, -1):
        run = wanted[start:]
        if problem.entries(run[1:]) >= cost.LONG_RUN:
            return
        a = _repeated_along(run, problem, problem.a)
        b = _repeated_along(run, problem, problem.b)
        for product in _of_copies(problem, (a, b), _multiplies):
            yield replace(product, primitive="repeated")


def _repeated_along(run: Subscripts, problem: Problem, source: Source) -> Copied:
    """Repeat an operand along axes of ``run``."""
    held = tuple(index for index in run if index in source.order)
    if held in ((), run):
        return source, 0.0
    order = _like(source.order, held)
    in_order = order == source.order
    time = 0.0 if in_order else loops.copy(source.order, order, problem.sizes)
    source, _ = _turned(problem, source, order)
    letters = {index: index for index in (*order, *run)}
    behind: Subscripts = ()
    for part in runs(run, held)[::-1]:
        if part[0] not in held:
            before = order[: len(order) - len(behind)]
            time += loops.repeat(before, part, behind, problem.sizes)
            order = before + part + behind
            source = repeated_along(part, source, order, letters, problem.sizes)
        behind = part + behind
    return source, time


def _turned(problem: Problem, source: Source, order: Subscripts) -> Copied:
    """Copy an operand into the order ``order``, if that ends in another axis."""
    if order[-1:] == source.order[-1:]:
        return source, 0.0
    time = loops.copy(source.order, order, problem.sizes)
    return Source(copied(source, order), order), time


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

    def product(order: Subscripts) -> Node:
        return Node(ArrayOp.EINSUM, (a.expr, b.expr), (*terms, order))

    def time(order: Subscripts) -> float:
        return loops.einsum(terms, order, problem.sizes)

    for value, order, estimate in _laid_out(problem, product, time):
        found = Candidate("einsum", written(value), order, terms, estimate)
        if value.c_order and problem.sets.contracted:
            # Asked for C order, np.einsum would loop in C order too.
            straight = tuple((i,) for i in order), tuple(range(len(order)))
            plain = replace(value, c_order=False)
            found = replace(
                found,
                write=written(plain),
                cost=estimate + cost.ALLOCATE_CALL,
                into=straight,
            )
        yield found


def _multiplies(problem: Problem) -> Iterator[Candidate]:
    """Write broadcast products; no index is contracted."""
    a, b = problem.a, problem.b

    def product(order: Subscripts) -> Node:
        return Node(ArrayOp.MULTIPLY, (aligned(a, order), aligned(b, order)))

    def time(order: Subscripts) -> float:
        return loops.multiply((a.order, b.order), order, problem.sizes)

    for value, order, estimate in _laid_out(problem, product, time):
        views = tuple(tuple(i for i in order if i in s.order) for s in (a, b))
        yield Candidate(
            "multiply", written(value), order, (views[0], views[1]), estimate
        )


def _laid_out(
    problem: Problem,
    product: Callable[[Subscripts], Node],
    time: Callable[[Subscripts], float],
) -> Iterator[tuple[Node, Subscripts, float]]:
    """Yield a product entry by entry, written in the order wanted or as in memory.

    Mixing layouts costs several times as much, so it may be left to NumPy how the
    result lies where any memory will do, and be copied where not.
    """
    a, b = problem.a, problem.b
    operands = (a.order, b.order)
    larger = a if len(a.order) >= len(b.order) else b
    wanted = problem.wanted
    kept = problem.sets.batch + problem.rows + problem.columns
    missing = tuple(i for i in kept if i not in larger.order)
    in_memory = missing + tuple(i for i in larger.order if i in kept)
    if not wanted:
        yield scalar(product(wanted)), wanted, time(wanted)
        return
    natural = memory_order(operands, wanted)
    if natural == wanted or problem.any_memory:
        yield product(wanted), wanted, time(natural)
    if natural != wanted:
        yield replace(product(wanted), c_order=True), wanted, time(wanted)
    for order in dict.fromkeys([natural, memory_order(operands, in_memory)]):
        if order == wanted or memory_order(operands, order) != order:
            continue
        value = Source(product(order), order)
        if not problem.any_memory:
            copy = loops.copy(order, wanted, problem.sizes)
            yield copied(value, wanted), wanted, time(order) + copy
        elif order != natural:
            axes = tuple(order.index(index) for index in wanted)
            yield Node(ArrayOp.TRANSPOSE, (value.expr,), axes), wanted, time(order)
