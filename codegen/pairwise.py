"""Which primitive computes the product of two arrays.

The index sets decide what is possible: an index of both operands and the result is
a batch (B), of both operands only is contracted (K), of one operand and the result
is a row (M) or a column (N).  Every candidate is written out with its result's
layout and an estimate of its time; the cheapest is taken.

    multiply   no K           broadcast product
    repeated   no K           the same of operands that were repeated before, where the
                              axes that both have end in short ones
    dot        K, no B        one matrix product on fused groups of axes
    matmul     K              stacked matrix products; B and what else stands in
                              front of the last two groups is looped over
    blocks     K              the same with one long side, cut so that BLAS can read
                              the matrices in place
    added      K              stacked matrix products, added up along indices of K that
                              lie apart from the others in memory
    into       K, B           stacked matrix products written through a view of the
                              result, whose axes come out in the order asked for
    einsum     any            a loop over all indices, of one-letter subscripts
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from . import cost
from .array_program import Expr, Ref
from .candidate import Candidate, Problem, fastest
from .entrywise import entrywise
from .errors import InternalError
from .iteration import side_by_side
from .matrix_products import loop_of_sum, matrix_products
from .spec import Index, Subscripts
from .views import Source

# Matrices of unknown sizes are tried at these, in stacks of so many.  Where another
# primitive than that for the largest is so many times faster at one of them, and slower
# at the largest, run time decides.
SCALES = (4, 8, 16, 32, 64, 128, 256, 512)
STACK = 1024
MUCH, MORE = 1.35, 1.05
# Without a sum less is at stake: of results of so many entries, one way is taken.
VOLUMES = (1 << 12, 1 << 16, 1 << 20, 1 << 24)


@dataclass(frozen=True)
class Split:
    """The way for large sizes, and another for small ones if that is much faster.

    The second holds where the sizes along ``extent`` multiply to ``bound`` or less.
    """

    large: Candidate
    small: Candidate | None = None
    extent: Subscripts = ()
    bound: int = 0


def ways(problem: Problem, *, force: str | None = None) -> list[Candidate]:
    """Write out the ways to compute a product that may be fastest.

    ``force`` names the only primitive allowed, where it applies.
    """
    if problem.sets.left_lone or problem.sets.right_lone:
        orders = f"{problem.a.order}, {problem.b.order}"
        raise InternalError(f"an index stands alone in {orders}")
    if force is None:
        return _worthwhile(problem)
    found = list(candidates(problem))
    return [c for c in found if c.primitive == force] or found


def choose(
    problem: Problem, found: Sequence[Candidate], made: Collection[Expr] = ()
) -> Candidate:
    """Return the fastest of the ways found, where the copies in ``made`` are there."""
    unknown = problem.unknown(problem.wanted)
    if not unknown or problem.sets.contracted:
        return _best(found, made)
    counts = [volume / problem.known_entries(problem.wanted) for volume in VOLUMES]
    tried = [_worthwhile(problem.assuming(unknown, count)) for count in counts]
    least = [_best(ways, made).rest(made) for ways in tried]

    def behind(way: Candidate) -> float:
        times = (_as(way, ways, made) for ways in tried)
        return sum(time / best for time, best in zip(times, least, strict=True))

    return min(found, key=behind)


def split(problem: Problem, made: Collection[Expr] = ()) -> Split | None:
    """Return the ways to compute stacked products of matrices of unknown sizes.

    The copies in ``made`` are there.  That for small sizes copies nothing to add up
    entry by entry: they would have to be tiny.
    """
    sets = problem.sets
    matrix = problem.rows + problem.columns + sets.contracted
    unknown = problem.unknown(matrix)
    stacked = sets.batch or loop_of_sum(problem)
    if not (stacked and sets.contracted and unknown):
        return None
    stack = problem.assuming(problem.unknown(sets.batch), STACK)
    counts = [scale ** len(unknown) for scale in SCALES]
    tried = [_worthwhile(stack.assuming(unknown, count)) for count in counts]
    large = _best(tried[-1], made)
    plain = [[w for w in ws if w.primitive != "einsum" or not w.copies] for ws in tried]
    best = [_best(ways, made) for ways in plain]
    gains = [
        _as(large, found, made) / way.rest(made)
        for found, way in zip(tried, best, strict=True)
    ]
    small = best[gains.index(max(gains))]
    if max(gains) < MUCH:
        return Split(_assumed(large, problem))
    if _as(small, tried[-1], made) < MORE * large.rest(made):
        return Split(_assumed(small, problem))
    last = max(
        count
        for count, found in zip(counts, tried, strict=True)
        if _as(small, found, made) < _as(large, found, made)
    )
    bound = last * problem.known_entries(matrix)
    return Split(_assumed(large, problem), small, matrix, bound)


def _best(found: Iterable[Candidate], made: Collection[Expr]) -> Candidate:
    return min(found, key=lambda way: way.rest(made))


def _assumed(way: Candidate, problem: Problem) -> Candidate:
    """Return ``way`` with its times at the sizes at which all steps are compared."""
    return min(_alike(way, candidates(problem)), key=_time, default=way)


def _time(candidate: Candidate) -> float:
    return candidate.time


def _as(way: Candidate, found: Iterable[Candidate], made: Collection[Expr]) -> float:
    """Return the time of the one among ``found`` that is written as ``way`` is."""
    return min((c.rest(made) for c in _alike(way, found)), default=math.inf)


def _alike(way: Candidate, found: Iterable[Candidate]) -> Iterator[Candidate]:
    return (c for c in found if (c.value, c.into) == (way.value, way.into))


def estimate(
    a: Subscripts,
    b: Subscripts,
    wanted: Subscripts,
    sizes: Mapping[Index, int],
    *,
    any_memory: bool = False,
) -> float:
    """Return the time of the cheapest way to compute a product."""
    groups = _fused((a, b, wanted), wanted)
    number = {group[0]: chr(ord("a") + k) for k, group in enumerate(groups)}

    def renamed(indices: Subscripts) -> Subscripts:
        return tuple(number[index] for index in indices if index in number)

    return _estimate(
        renamed(a),
        renamed(b),
        renamed(wanted),
        tuple(cost.entries(group, sizes) for group in groups),
        any_memory,
    )


def _fused(terms: Sequence[Subscripts], kept: Subscripts) -> list[Subscripts]:
    """Group the indices that every term has side by side, or not at all."""
    places = [{index: place for place, index in enumerate(term)} for term in terms]
    groups: list[Subscripts] = []
    for index in dict.fromkeys(itertools.chain(*terms)):
        last = groups[-1][-1] if groups else index
        alike = (last in kept) == (index in kept)
        if alike and side_by_side(places, last, index):
            groups[-1] += (index,)
        else:
            groups.append((index,))
    return groups


@functools.lru_cache(maxsize=65536)
def _estimate(
    a: Subscripts,
    b: Subscripts,
    wanted: Subscripts,
    sizes: tuple[int, ...],
    any_memory: bool,
) -> float:
    """Estimate a product whose letters are a, b, …; large networks repeat few."""
    of_letter = {chr(ord("a") + k): size for k, size in enumerate(sizes)}
    sources = Source(Ref("a"), a), Source(Ref("b"), b)
    problem = Problem(*sources, wanted, of_letter, any_memory)
    return fastest(_worthwhile(problem, straight=True)).time


def _worthwhile(problem: Problem, *, straight: bool = False) -> list[Candidate]:
    """Write out the ways that may be fastest: sums entry by entry mostly are not.

    With ``straight``, and no batch, what BLAS can give in the order wanted it gives in
    no other, and nothing is copied for a sum that it can give.
    """
    sets = problem.sets
    sides = [problem, problem.turned()]
    straight = straight and not sets.batch
    if straight:
        sides = [s for s in sides if s.rows + s.columns == s.wanted] or sides
    found = list(_matrix_products(problem, sides))
    volume = problem.entries((*problem.wanted, *sets.contracted))
    least = cost.EINSUM_CALL + cost.EINSUM_SUM_ENTRY * volume
    if found and fastest(found).time <= least:
        return found
    return [*found, *entrywise(problem, copies=not (found and straight))]


def candidates(problem: Problem) -> Iterator[Candidate]:
    """Write out every way to compute the product."""
    yield from _matrix_products(problem, (problem, problem.turned()))
    yield from entrywise(problem)


def _matrix_products(problem: Problem, sides: Iterable[Problem]) -> Iterator[Candidate]:
    if problem.sets.contracted:
        for side in sides:
            yield from matrix_products(side)
