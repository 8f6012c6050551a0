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
from collections.abc import Iterator, Mapping

from . import cost
from .array_program import Ref
from .candidate import Candidate, Problem
from .entrywise import einsums, multiplies
from .errors import InternalError
from .matrix_products import matrix_products
from .spec import Index, Subscripts
from .views import Source


def choose(
    a: Source,
    b: Source,
    kept: Subscripts,
    wanted: Subscripts | None,
    sizes: Mapping[Index, int],
    *,
    any_memory: bool = False,
    force: str | None = None,
) -> Candidate:
    """Return the cheapest way to compute ``a,b->kept``.

    ``force`` names the only primitive allowed, where it applies; the rest is as in
    ``Problem``.
    """
    problem = Problem(a, b, kept, wanted, sizes, any_memory)
    if problem.sets.left_lone or problem.sets.right_lone:
        raise InternalError(f"an index stands alone in {a.order}, {b.order}")
    found = list(candidates(problem))
    forced = [c for c in found if c.primitive == force]
    return min(forced or found, key=lambda candidate: candidate.time)


def estimate(
    a: Subscripts,
    b: Subscripts,
    kept: Subscripts,
    wanted: Subscripts | None,
    sizes: Mapping[Index, int],
    *,
    any_memory: bool = False,
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
        any_memory,
    )
    return time, tuple(letters[ord(index) - ord("a")] for index in order)


@functools.lru_cache(maxsize=65536)
def _estimate(
    a: Subscripts,
    b: Subscripts,
    kept: Subscripts,
    wanted: Subscripts | None,
    sizes: tuple[int, ...],
    any_memory: bool,
) -> tuple[float, Subscripts]:
    """Estimate a product whose letters are a, b, …; large networks repeat few."""
    of_letter = {chr(ord("a") + k): size for k, size in enumerate(sizes)}
    sources = Source(Ref("a"), a), Source(Ref("b"), b)
    chosen = choose(*sources, kept, wanted, of_letter, any_memory=any_memory)
    return chosen.time, chosen.order


def candidates(problem: Problem) -> Iterator[Candidate]:
    """Write out every way to compute the product."""
    if not problem.sets.contracted:
        yield from multiplies(problem)
    else:
        for turned in (problem, problem.turned()):
            yield from matrix_products(turned)
    if len({*problem.a.order, *problem.b.order}) <= cost.EINSUM_LETTERS:
        yield from einsums(problem)
