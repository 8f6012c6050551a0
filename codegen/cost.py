"""Estimates of the time of a primitive, in nanoseconds, on one core.

The constants are rounded from measurements in float32 (``benchmarks/regret.py`` shows
how far they lead astray); only their ratios matter, and only where two ways to compute
one thing are compared.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .contraction import ASSUMED_SIZE
from .spec import Index

Sizes = Mapping[Index, int]

# np.einsum reads subscripts of ASCII letters.
EINSUM_LETTERS = 52

# What a call costs before it computes.
DOT_CALL = 450.0
MATMUL_CALL, PLAIN_MATMUL_CALL = 1200.0, 950.0
MULTIPLY_CALL = 450.0
BROADCAST_CALL = 1000.0
EINSUM_CALL = 2000.0
COPY_CALL, TURN_CALL = 450.0, 550.0
ALLOCATE_CALL = 250.0
ONES_CALL = 800.0
VIEW_CALL = 170.0
# What it costs that a copy is held until it is read again.  It takes room in the
# caches, so it has to save this share of its own time.
HOLD_CALL = 500.0
HOLD_SHARE = 0.3

# What an entry costs, and each run of entries along the innermost axis.
MULTIPLY_ENTRY = 0.13
EINSUM_PRODUCT_ENTRY = 0.3
EINSUM_SUM_ENTRY = 0.165
ADD_ENTRY, ADD_ALONG_ENTRY = 0.13, 0.065
COPY_ENTRY = 0.13
LOOP_RUN = 3.6
COPY_RUN = 5.0
# What products entry by entry cost through buffers: an entry, a call for each chunk and
# for each part of it that is gone through again, and an entry and a run to be copied.
BUFFERED_MULTIPLY_ENTRY = 0.25
CHUNK_CALL, CORE_CALL = 40.0, 5.0
BUFFER_ENTRY, BUFFER_RUN = 0.15, 3.5

# So many lines stay in the nearest cache, and in the next; at strides of large powers
# of 2 they have only one of so many sets of each.
CACHED_LINES = (700, 50000)
CACHE_SETS = (64, 2048)
# Up to so many entries from one to the next, more of the lines are fetched ahead.
AHEAD = 32
# What an entry costs more for each array that is read or written across its memory,
# the lines of which stay in the nearest cache, in the next, or in none; and what it
# costs more to copy such an entry to a buffer.
ACROSS = (0.41, 0.72, 4.5)
BUFFER_ACROSS = (0.15, 0.55, 3.2)
COPY_ACROSS, COPY_ACROSS_RUN = (0.26, 0.62, 0.8), 2.7
# Large copies across memory go by tiles.
TILED_ENTRY, TILED_RUN = 0.9, 2.8
# So many entries stay in the next cache while they are read far apart, or in one pass.
CACHED_ENTRIES = 1 << 16
NEAR_ENTRIES = 1 << 18
# Copies of many more take new pages from the system.
FRESH_ENTRIES = 1 << 23
FRESH_ENTRY = 0.8

# Runs of so many entries hide what it costs to step from run to run; shorter ones are
# repeated faster than they are broadcast, until they make a block of so many.  So few,
# repeated as often or more, go faster in two steps, but for those that NumPy copies as
# a whole.
LONG_RUN, LONG_BLOCK = 64, 128
FEW_TO_REPEAT = 24
COPIED_AS_ONE = (1, 2, 4, 8)

# What it costs to repeat: the call, in one step or two, each run, each time that it is,
# and each entry.
REPEAT_CALL, REPEAT_TWICE_CALL = 900.0, 3400.0
REPEAT_ROW, REPEAT_RUN, REPEAT_ENTRY = 2.2, 3.7, 0.1

# A matrix product approaches MULTIPLY_ADD as its sides grow past these, and takes this
# for an entry of its result, or of one that is too large for the near caches.
MULTIPLY_ADD = 0.0135
SMALL_ROWS, SMALL_ROWS_PACKED = 4.5, 15.0
SMALL_COLUMNS, SMALL_COLUMNS_PACKED = 5.5, 18.0
SMALL_SUMMED = 4.5
RESULT_ENTRY, FAR_RESULT_ENTRY = 0.04, 0.11
PRODUCT = 40.0
# dot writes a zero to every entry of the result first.
ZERO_ENTRY = 0.05
# A product with a vector takes so long for each run of the matrix, or for each entry of
# longer runs.  Short runs have kernels of their own, across the vector, and along it if
# there are not too many.
VECTOR_PRODUCT, VECTOR_RUN, VECTOR_ENTRY = 30.0, 2.1, 0.07
FEW_ALONG, FEW_ACROSS, FEW_ENTRY, MOST_OF_FEW = 8, 4, 0.1, 8192
# Arrays beyond the near caches take so long an entry at least, and one product of many
# rows so many times longer.
FAR_ENTRY, FAR_SLOWER = 0.14, 1.9
INNER_PRODUCT = 12.0
INNER_PRODUCT_ENTRY = 0.12
# Without a sum np.matmul leaves BLAS aside.
OUTER_PRODUCT_ENTRY, OUTER_MATMUL_ENTRY = 0.2, 1.4
# An entry of a matrix that BLAS cannot read or write in place, for each entry between
# it and the next, up to a line of the cache; and so much more beyond the caches.
STRIDED_ENTRY = 0.1
LINE = 16
STRIDED_UNCACHED = 3.0
STRIDED_PRODUCT = 100.0
# Up to so many multiply-adds BLAS reads matrices in place.  That is slower where they
# meet with their unit strides along the summed axis, the more so the fewer rows and the
# more columns there are; few rows take longer only with such a right operand of many
# columns.  It makes no difference where that axis is much the longest.
IN_PLACE = 10**6
INNER_TO_INNER, INNER_TO_INNER_ROWS, INNER_TO_INNER_COLUMNS = 0.5, 12.0, 30
INNER_TO_INNER_PRODUCT = 90.0
FEW_ROWS = 10
FEW_ROWS_SLOWER, FEW_INNER_TO_INNER = 1.7, 3.5
LONG = 6
# Larger ones go in blocks of so many where two sides multiply to this or less.  That
# takes the first of these parts of the time; the second more where such products are
# added, and the third for each page of memory across which columns of the left lie.
SHORT = 8192
BLOCKS_CALL = 6000.0
BLOCKS, ADDED_BLOCKS, BLOCKS_PAGE = 0.8, 0.2, 0.0015
PAGE = 1024
# Beyond, it packs them; this is what an entry of the right takes more that lies across.
PACK_RIGHT = 0.32


def size(index: Index, sizes: Sizes) -> int:
    """Return the size of an index, or what is assumed of it: no power of 2.

    An axis without entries costs as much as one with a single entry.
    """
    return sizes.get(index, ASSUMED_SIZE + 1) or 1


def entries(indices: Sequence[Index], sizes: Sizes) -> int:
    """Count the entries along ``indices``."""
    count = 1
    for index in indices:
        count *= sizes.get(index, ASSUMED_SIZE + 1) or 1
    return count


def repeats_in_two_steps(run: int, times: int) -> bool:
    """Tell whether runs of so many entries are repeated faster if a few times first."""
    return run <= FEW_TO_REPEAT <= times and run not in COPIED_AS_ONE


def blocks_of(rows: int, summed: int, columns: int) -> tuple[int, int]:
    """Tell in how many blocks of rows, and of the sum, ``_in_blocks`` goes."""
    blocks = -(-rows * summed * columns // IN_PLACE)
    if summed * columns <= SHORT:
        return blocks, 1
    return 1, blocks if rows * columns <= SHORT else 1


class MatrixProduct(NamedTuple):
    """Products of (rows, summed) and (summed, columns) matrices, ``loops`` of them.

    left_stride and right_stride are how far the entries of a row or column lie apart,
    left_summed and right_summed tell who has its unit stride along the summed axis.
    """

    loops: int
    rows: int
    columns: int
    summed: int
    left_stride: int
    right_stride: int
    left_summed: bool
    right_summed: bool
    stacked: bool

    @property
    def by_dot(self) -> bool:
        """Whether dot takes less time, though it writes zeros before it computes."""
        if self.stacked:
            return False
        vector = 1 in (self.rows, self.columns, self.summed)
        return vector or self._zeros() <= PLAIN_MATMUL_CALL - DOT_CALL

    def _zeros(self) -> float:
        return ZERO_ENTRY * self.rows * self.columns

    def time(self) -> float:
        """Estimate the time of all products and of the call."""
        if not self.stacked:
            call = DOT_CALL + self._zeros() if self.by_dot else PLAIN_MATMUL_CALL
            return call + self._each()
        single = [self.rows, self.columns].count(1)
        product = (PRODUCT, VECTOR_PRODUCT, INNER_PRODUCT)[single]
        return MATMUL_CALL + self.loops * (self._each() + product)

    def time_in_blocks(self) -> float | None:
        """Estimate the time of all products in blocks; None where these are whole."""
        sides = self.rows, self.summed, self.columns
        if math.prod(sides) <= IN_PLACE or 1 in sides:
            return None
        by_rows, by_sums = blocks_of(*sides)
        if by_rows * by_sums == 1 or max(self.left_stride, self.right_stride) > 1:
            return None
        share = BLOCKS
        if by_sums > 1:
            share += ADDED_BLOCKS * self.rows * self.columns / SHORT
        elif not self.left_summed:
            share += BLOCKS_PAGE * self.summed * min(1, self.rows / PAGE)
        return BLOCKS_CALL + share * self._replace(right_summed=False).time()

    def _each(self) -> float:
        volume = self.rows * self.columns * self.summed
        left = strided(self.left_stride, self.rows * self.summed, self.loops)
        right = strided(self.right_stride, self.summed * self.columns, self.loops)
        if self.rows == self.columns == 1:
            near = 2 * volume * self.loops <= NEAR_ENTRIES
            entry = INNER_PRODUCT_ENTRY if near else 2 * FAR_ENTRY
            return max(left, right, entry * volume)
        if min(self.rows, self.columns) == 1:
            return max(left, right, self._vector(volume))
        result = self.rows * self.columns
        far = result * self.loops > NEAR_ENTRIES
        writing = (FAR_RESULT_ENTRY if far else RESULT_ENTRY) * result
        if self.summed == 1:
            entry = OUTER_MATMUL_ENTRY if self.stacked else OUTER_PRODUCT_ENTRY
            return entry * volume + writing
        packed = volume > IN_PLACE
        slower = 1 + SMALL_SUMMED / self.summed
        slower += (SMALL_ROWS_PACKED if packed else SMALL_ROWS) / self.rows
        slower += (SMALL_COLUMNS_PACKED if packed else SMALL_COLUMNS) / self.columns
        each = MULTIPLY_ADD * volume * slower + writing
        if left or right:
            return each + STRIDED_PRODUCT + left + right
        if packed:
            return each + PACK_RIGHT * self.summed * self.columns * self.right_summed
        return each + self._against_the_grain(each)

    def _vector(self, volume: int) -> float:
        """Time of a matrix times a vector, or of a vector times a matrix."""
        along = self.left_summed if self.columns == 1 else self.right_summed
        runs = self.rows * self.columns if along else self.summed
        run = volume // runs
        if along:
            few = run <= FEW_ALONG and runs <= MOST_OF_FEW
        else:
            few = run <= FEW_ACROSS
        each = FEW_ENTRY * (run + 1) if few else max(VECTOR_RUN, VECTOR_ENTRY * run)
        if volume * self.loops <= NEAR_ENTRIES:
            return each * runs
        slower = 1.0 if self.stacked else FAR_SLOWER
        return max(slower * each * runs, FAR_ENTRY * volume)

    def _against_the_grain(self, each: float) -> float:
        """Time that a right operand takes more if the summed axis is its inner one."""
        if not self.right_summed or self.summed >= LONG * max(self.rows, self.columns):
            return 0.0
        few = self.rows < FEW_ROWS
        if not self.left_summed:
            wide = few and 2 * self.rows < self.columns
            return FEW_ROWS_SLOWER * each if wide else 0.0
        if few and self.summed < self.columns:
            return FEW_INNER_TO_INNER * each
        if few:
            return INNER_TO_INNER_PRODUCT
        slower = INNER_TO_INNER + INNER_TO_INNER_ROWS / self.rows
        slower *= min(1.0, self.columns / INNER_TO_INNER_COLUMNS)
        return slower * each + INNER_TO_INNER_PRODUCT


def strided(stride: int, count: int, loops: int = 1) -> float:
    """Time that ``count`` entries so far apart cost more, in each of so many loops."""
    if stride == 1:
        return 0.0
    uncached = STRIDED_UNCACHED if count * loops > CACHED_ENTRIES else 1.0
    return STRIDED_ENTRY * min(stride, LINE) * count * uncached
