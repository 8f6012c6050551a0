"""How wide integers can be drawn, and how seldom a wrong module then passes."""

from __future__ import annotations

import math

from ..errors import InternalError
from .views import Draw, Subject

EXACT = 2**53
# The same for float32.
EXACT_SINGLE = 2**24
# Wide enough; beyond it a counterexample gets hard to read.
WIDEST = 10**6
# Values are drawn again until the bound on the error is so low, or it takes too long.
ENOUGH = 1e-9
MOST_ROUNDS = 6
MOST_ARRAYS = 4_000


def degree(subject: Subject, draw: Draw) -> int:
    """Return the degree of every result as a polynomial in the varied entries.

    The gradient of an operand that is not varied has the cotangent besides, and its
    derivative along another one a tangent too.
    """
    varied = sum(name in draw.varied for name in subject.factors)
    return min(len(subject.factors), varied + subject.order)


def reach(subject: Subject, draw: Draw, parts: int = 1, exact: int = EXACT) -> int:
    """Return the R of ``draw`` for real numbers, or those of two ``parts`` up to R.

    ``exact`` is what all sums must stay below, in float64 or another dtype.

    A sum has at most as many terms as the product of all sizes, times the places, or
    for derivatives of second order the pairs of them, and the bias; a complex product
    is a sum of two.  Raises InternalError if there is no R.
    """
    power = degree(subject, draw)
    terms = max(draw.cells, 1) * len(subject.factors) ** subject.order
    if subject.bias is not None:
        terms += max(math.prod(draw.output), 1)
    terms *= parts
    found = min(int((exact / terms) ** (1 / power) / parts**0.5), WIDEST)
    # A number of two parts is at most sqrt(2) R; here its square is looked at.
    while found > 0 and terms**2 * (parts * found**2) ** power >= exact**2:
        found -= 1
    if found < 1:
        raise InternalError(f"{subject.spec}: no exact integers at {draw.shapes}")
    return found


def odds(subject: Subject, draw: Draw) -> float:
    """Bound the probability that one drawing of ``draw`` misses a wrong polynomial.

    Schwartz and Zippel: a polynomial of degree d other than 0 vanishes at a point
    drawn from S values a variable with probability at most d/S; for complex numbers
    the variables are their parts.  An operand that is not varied must have a single
    entry: a polynomial linear in it has that entry as a factor, which is never 0.
    Otherwise there is no bound, and the answer is 1.
    """
    steady = (s for name, s in draw.shapes.items() if name not in draw.varied)
    if any(math.prod(shape) > 1 for shape in steady):
        return 1.0
    return min(1.0, degree(subject, draw) / (2 * reach(subject, draw, parts=2)))


def rounds(subject: Subject, worst: float, draws: int) -> int:
    """Return how often to draw values at each set of shapes, given the worst odds."""
    affordable = MOST_ARRAYS // (draws * len(subject.operands))
    most = max(1, min(MOST_ROUNDS, affordable))
    if worst == 1:
        return most
    return min(most, math.ceil(math.log(ENOUGH) / math.log(worst)))
