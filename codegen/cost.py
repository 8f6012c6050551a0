"""Estimates of the time of a primitive, in nanoseconds, on one core.

The constants are rounded from measurements in float32 (``benchmarks/regret.py`` shows
how far they lead astray); only their ratios matter, and only where two ways to compute
one thing are compared.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .contraction import ASSUMED_SIZE
from .spec import Index, Subscripts

Sizes = Mapping[Index, int]

# np.einsum reads subscripts of ASCII letters.
EINSUM_LETTERS = 52

# What a call costs before it computes.
DOT_CALL = 600.0
MATMUL_CALL = 1500.0
MULTIPLY_CALL = 600.0
EINSUM_CALL = 2400.0
COPY_CALL = 500.0
ALLOCATE_CALL = 400.0
VIEW_CALL = 250.0

# What an entry costs, and each run of entries along the innermost axis.
MULTIPLY_ENTRY = 0.3
BROADCAST_ENTRY = 0.5
EINSUM_PRODUCT_ENTRY = 0.33
EINSUM_SUM_ENTRY = 0.27
COPY_ENTRY = 0.3
MULTIPLY_RUN = 12.0
EINSUM_RUN = 7.0
COPY_RUN = 7.0

# The same where some array is read or written across its memory.
MULTIPLY_ACROSS = 1.0
EINSUM_ACROSS = 1.4
COPY_ACROSS = 1.2
# In arrays of more entries than the caches hold, all but copies, which go by blocks.
CACHED_ENTRIES = 1 << 17
UNCACHED = 2.5

# A matrix product approaches MULTIPLY_ADD as its smallest side grows past SMALL_SIDE;
# it is never slower than SLOWEST times that.
MULTIPLY_ADD = 0.0135
SMALL_SIDE = 12.0
SLOWEST = 4.0
PRODUCT = 60.0
VECTOR_ENTRY = 0.2
INNER_PRODUCT_ENTRY = 0.3
OUTER_PRODUCT_ENTRY = 2.1
# Where BLAS cannot read a matrix in place, where matrices meet with their unit strides
# along the summed axis, and where a few rows meet such a right operand.
STRIDED = 2.4
STRIDED_VECTOR = 5.0
INNER_TO_INNER = 1.0
INNER_TO_INNER_SIDE = 64
FEW_ROWS = 8
FEW_ROWS_SLOWER = 3.0


def size(index: Index, sizes: Sizes) -> int:
    """Return the size of an index, or what is assumed of it."""
    return sizes.get(index, ASSUMED_SIZE)


def entries(indices: Sequence[Index], sizes: Sizes) -> int:
    """Count the entries along ``indices``."""
    return math.prod(size(index, sizes) for index in indices)


def copy(source: Subscripts, order: Subscripts, sizes: Sizes) -> float:
    """Time to copy an array laid out as ``source`` into the layout ``order``."""
    kept = 0
    while kept < len(order) and source[-1 - kept] == order[-1 - kept]:
        kept += 1
    count = entries(order, sizes)
    if kept == 0:
        return COPY_CALL + COPY_ACROSS * count
    runs = entries(order[: len(order) - kept], sizes)
    return COPY_CALL + COPY_ENTRY * count + COPY_RUN * runs


@dataclass(frozen=True)
class MatrixProduct:
    """Products of (rows, summed) and (summed, columns) matrices, ``loops`` of them.

    strided counts the operands whose matrices have no axis of unit stride;
    left_summed and right_summed say which has its unit stride along the summed axis.
    """

    loops: int
    rows: int
    columns: int
    summed: int
    strided: int
    left_summed: bool
    right_summed: bool
    stacked: bool

    def time(self) -> float:
        """Estimate the time of all products and of the call."""
        each = self._each() + PRODUCT * self.stacked
        return (MATMUL_CALL if self.stacked else DOT_CALL) + self.loops * each

    def _each(self) -> float:
        sides = (self.rows, self.columns, self.summed)
        volume = math.prod(sides)
        across = STRIDED_VECTOR if self.strided else 1.0
        if self.rows == self.columns == 1:
            return INNER_PRODUCT_ENTRY * volume * across
        if min(self.rows, self.columns) == 1:
            return VECTOR_ENTRY * volume * across
        if self.summed == 1:
            return OUTER_PRODUCT_ENTRY * volume
        smallest = max(1, min(sides))
        each = MULTIPLY_ADD * volume * min(SLOWEST, 1 + SMALL_SIDE / smallest)
        if self.stacked and self.strided:
            return each * STRIDED + PRODUCT
        if self.right_summed:
            return each * self._against_the_grain(smallest)
        return each

    def _against_the_grain(self, smallest: int) -> float:
        """Slow down for a right operand whose unit stride is along the summed axis."""
        if self.left_summed:
            return 1 + INNER_TO_INNER * min(1.0, INNER_TO_INNER_SIDE / smallest)
        return FEW_ROWS_SLOWER if self.rows < FEW_ROWS else 1.0


def multiply(
    operands: tuple[Subscripts, ...], output: Subscripts, sizes: Sizes
) -> float:
    """Time of a broadcast product written in the order ``output``."""
    count = entries(output, sizes)
    if any(_across(term, output) for term in operands):
        return MULTIPLY_CALL + MULTIPLY_ACROSS * count * _uncached(count)
    if all(term in ((), output) for term in operands):
        return MULTIPLY_CALL + MULTIPLY_ENTRY * count
    runs = count / _run((*operands, output), output, sizes)
    return MULTIPLY_CALL + BROADCAST_ENTRY * count + MULTIPLY_RUN * runs


def einsum(operands: tuple[Subscripts, ...], output: Subscripts, sizes: Sizes) -> float:
    """Time of one loop nest over all indices, innermost along some operand's last."""
    indices = tuple(dict.fromkeys((*output, *(i for term in operands for i in term))))
    if not indices:
        return EINSUM_CALL
    total = entries(indices, sizes)
    terms = (*operands, output)
    last = [term[-1] for term in terms if term]
    inner = max(dict.fromkeys(last), key=last.count)
    if any(inner in term and term[-1] != inner for term in terms):
        largest = max(entries(term, sizes) for term in terms)
        return EINSUM_CALL + EINSUM_ACROSS * total * _uncached(largest)
    each = EINSUM_PRODUCT_ENTRY if inner in output else EINSUM_SUM_ENTRY
    longest = max((term for term in terms if inner in term), key=len)
    runs = total / _run(terms, longest, sizes)
    return EINSUM_CALL + each * total + EINSUM_RUN * runs


def _uncached(count: int) -> float:
    return UNCACHED if count > CACHED_ENTRIES else 1.0


def _across(term: Subscripts, output: Subscripts) -> bool:
    """Tell whether ``term`` is read across its memory along the output's last axis."""
    return bool(output) and output[-1] in term and term[-1] != output[-1]


def _run(terms: tuple[Subscripts, ...], order: Subscripts, sizes: Sizes) -> int:
    """Count the entries along the last axes of ``order`` that all terms step alike."""
    run = 1
    for length in range(1, len(order) + 1):
        tail = order[-length:]
        if not all(_alike(term, tail) for term in terms):
            break
        run = entries(tail, sizes)
    return max(1, run)


def _alike(term: Subscripts, tail: Subscripts) -> bool:
    """Tell whether ``term`` ends in ``tail`` or has none of its indices."""
    return term[-len(tail) :] == tail or not set(tail) & set(term)
