"""Estimates of the time of a primitive, in nanoseconds, on one core.

The constants are rounded from measurements in float32; only their ratios matter, and
only where two ways to compute one thing are compared.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from .contraction import ASSUMED_SIZE
from .spec import Index, Subscripts

# np.einsum reads subscripts of ASCII letters.
EINSUM_LETTERS = 52

DOT_CALL = 700.0
MATMUL_CALL = 1500.0
MULTIPLY_CALL = 700.0
EINSUM_CALL = 3000.0
COPY_CALL = 600.0

# Writing through a view of a fresh array instead of returning one.
THROUGH_VIEW = 700.0

MULTIPLY_ADD = 0.02
READ_ENTRY = 0.1
COPY_ENTRY = 1.0
SMALL_PRODUCT = 60.0
STRIDED_PRODUCT = 300.0
EINSUM_ENTRY = 0.15
EINSUM_STRIDED_ENTRY = 0.8
EINSUM_LOOP = 11.0
MULTIPLY_ENTRY = 0.3
MULTIPLY_STRIDED_ENTRY = 2.0


def size(index: Index, sizes: Mapping[Index, int]) -> int:
    """Return the size of an index, or what is assumed of it."""
    return sizes.get(index, ASSUMED_SIZE)


def entries(indices: Subscripts, sizes: Mapping[Index, int]) -> int:
    """Count the entries along ``indices``."""
    return math.prod(size(index, sizes) for index in indices)


def copy(count: int) -> float:
    """Time to copy ``count`` entries into another order."""
    return COPY_CALL + COPY_ENTRY * count


def matmul(
    *, loops: int, rows: int, columns: int, summed: int, strided: int, stacked: bool
) -> float:
    """Time of ``loops`` products of (rows, summed) and (summed, columns) matrices.

    ``strided`` counts the operands whose matrices have no axis of unit stride.
    """
    arithmetic = MULTIPLY_ADD * rows * columns * summed
    traffic = READ_ENTRY * (rows * summed + summed * columns + rows * columns)
    each = max(arithmetic, traffic)
    if stacked:
        each += SMALL_PRODUCT
    if strided:
        copied = rows * summed + summed * columns
        each += STRIDED_PRODUCT * strided + COPY_ENTRY * copied
    return (MATMUL_CALL if stacked else DOT_CALL) + loops * each


def multiply(
    operands: tuple[Subscripts, ...], output: Subscripts, sizes: Mapping[Index, int]
) -> float:
    """Time of a broadcast product written in the order ``output``."""
    last = output[-1:]
    unit = all(o[-1:] == last or last[0] not in o for o in operands if last)
    each = MULTIPLY_ENTRY if unit else MULTIPLY_STRIDED_ENTRY
    return MULTIPLY_CALL + each * entries(output, sizes)


def einsum(
    operands: tuple[Subscripts, ...], output: Subscripts, sizes: Mapping[Index, int]
) -> float:
    """Time of one loop nest over all indices, innermost along some operand's last."""
    everything = tuple(dict.fromkeys((*output, *(i for o in operands for i in o))))
    total = entries(everything, sizes)
    if not everything:
        return EINSUM_CALL
    last = [o[-1] for o in (*operands, output) if o]
    inner = max(dict.fromkeys(last), key=last.count)
    unit = all(o[-1] == inner for o in (*operands, output) if inner in o)
    each = EINSUM_ENTRY if unit else EINSUM_STRIDED_ENTRY
    loops = total / max(1, sizes.get(inner, ASSUMED_SIZE))
    return EINSUM_CALL + each * total + EINSUM_LOOP * loops
