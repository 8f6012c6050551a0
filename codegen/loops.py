"""How long NumPy takes to go through arrays: copies, np.multiply and np.einsum."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Iterable, Sequence

from . import cost
from .cost import Sizes
from .iteration import (
    Chunk,
    Loops,
    chunk,
    iteration_order,
    looped,
    memory_order,
    nested,
)
from .spec import Subscripts

# np.einsum buffers nothing in so many loops or fewer.
PLAIN_LOOPS = 3


def copy(source: Subscripts, order: Subscripts, sizes: Sizes) -> float:
    """Time to copy an array laid out as ``source`` into the layout ``order``."""
    source, order = looped((source, order), sizes)
    counts = tuple([cost.size(index, sizes) for index in source])
    return _copy(counts, tuple(map(source.index, order)))


@functools.lru_cache(maxsize=65536)
def _copy(counts: tuple[int, ...], axes: tuple[int, ...]) -> float:
    source = tuple(map(chr, range(len(counts))))
    order = tuple([source[axis] for axis in axes])
    sizes = dict(zip(source, counts, strict=True))
    loops = _nested((source, order), order, sizes)
    straight = source[-1:] == order[-1:]
    call = cost.COPY_CALL if straight else cost.TURN_CALL
    if not loops.counts:
        return call
    run = loops.counts[0]
    if straight:
        each = cost.COPY_ENTRY + cost.COPY_RUN / run
    elif goes_by_tiles(source, order, sizes):
        each = cost.TILED_ENTRY + cost.TILED_RUN / run
    else:
        each = cost.COPY_ENTRY + _across(loops, 0, cost.COPY_ACROSS)
        each += cost.COPY_ACROSS_RUN / run
    each += cost.FRESH_ENTRY * (loops.entries > cost.FRESH_ENTRIES)
    return call + _fetched(loops, each * loops.entries)


def repeat(
    before: Subscripts, along: Subscripts, run: Subscripts, sizes: Sizes
) -> float:
    """Time to repeat each run of entries ``along`` new axes."""
    count, times, length = (cost.entries(i, sizes) for i in (before, along, run))
    call = cost.REPEAT_CALL
    each = 0.0 if length in cost.COPIED_AS_ONE else cost.REPEAT_RUN
    if cost.repeats_in_two_steps(length, times):
        call, each = cost.REPEAT_TWICE_CALL, each / 2
    return call + count * (
        cost.REPEAT_ROW + times * (each + cost.REPEAT_ENTRY * length)
    )


def goes_by_tiles(source: Subscripts, order: Subscripts, sizes: Sizes) -> bool:
    """Tell whether a copy across memory goes by tiles, as ``_turned`` in the modules.

    It does so from 128 KiB on, if there are rows enough and so many lines are met until
    the next entry of a row is copied that lines leave the caches; fewer where these lie
    at multiples of 1 KiB, or where the array takes more than 8 MiB.
    """
    count, rows = cost.entries(source, sizes), cost.size(source[-1], sizes)
    across = order[order.index(source[-1]) + 1 :]
    steps = [cost.entries(source[source.index(i) + 1 :], sizes) for i in across]
    lines, run = cost.entries(across, sizes), min(steps)
    apart = functools.reduce(operator.or_, steps)
    crowded = rows >= 32 and lines >= 48 and any(step % 256 == 0 for step in steps)
    large = rows >= 8 and count > 1 << 21 and lines >= 1000
    met = lines * min(cost.LINE, run) * max(1, (apart & -apart) // cost.LINE)
    many = run >= 6 and met > 3 << 17
    return count > 1 << 15 and (crowded or large or many)


def multiply(
    operands: tuple[Subscripts, ...], output: Subscripts, sizes: Sizes
) -> float:
    """Time of a broadcast product that lies in the order ``output``."""
    terms = looped((*operands, output), sizes)
    loops = _nested(terms, terms[-1], sizes)
    if len(loops.counts) < 2:
        return cost.MULTIPLY_CALL + _plain(loops, cost.MULTIPLY_ENTRY)
    found = chunk(loops)
    each = cost.BUFFERED_MULTIPLY_ENTRY if found.copied else cost.MULTIPLY_ENTRY
    return cost.BROADCAST_CALL + _buffered(loops, found, each)


def einsum(operands: tuple[Subscripts, ...], output: Subscripts, sizes: Sizes) -> float:
    """Time of a sum of products, or of entries, that lies in the order ``output``."""
    terms = looped((*operands, output), sizes)
    operands, output = terms[:-1], terms[-1]
    order = iteration_order(operands, output)
    summed = len(order) > len(output)
    if memory_order(operands, output) != output:
        # A result laid out otherwise than NumPy would has a say in the loops, or all.
        order = iteration_order(terms, output) if summed else output
    loops = _nested(terms, order, sizes)
    if len(operands) > 1:
        each = cost.EINSUM_SUM_ENTRY if summed else cost.EINSUM_PRODUCT_ENTRY
    else:
        steps = any(loops.strides[-1][:1])
        each = cost.ADD_ENTRY if steps else cost.ADD_ALONG_ENTRY
    if len(loops.counts) <= PLAIN_LOOPS:
        return cost.EINSUM_CALL + _plain(loops, each)
    return cost.EINSUM_CALL + _buffered(loops, chunk(loops), each)


def _nested(terms: Sequence[Subscripts], order: Subscripts, sizes: Sizes) -> Loops:
    return nested(terms, order, functools.partial(cost.size, sizes=sizes))


def _plain(loops: Loops, each: float) -> float:
    """Time without buffers, each entry of which takes ``each`` or more."""
    if not loops.counts:
        return each
    across = _apart(loops, range(len(loops.strides)))
    time = loops.entries * (each + across + cost.LOOP_RUN / loops.counts[0])
    return _fetched(loops, time)


def _buffered(loops: Loops, found: Chunk, each: float) -> float:
    """Time with the buffers that NumPy takes."""
    each += cost.CORE_CALL / found.core + cost.CHUNK_CALL / found.entries
    time = each * loops.entries
    for term, entries in found.copied.items():
        entry = cost.BUFFER_ENTRY + _across(loops, term, cost.BUFFER_ACROSS)
        time += entries * (entry + cost.BUFFER_RUN / loops.run(term, found.depth))
    rest = [k for k in range(len(loops.strides)) if k not in found.copied]
    time += _apart(loops, rest) * loops.entries
    return _fetched(loops, time)


def _fetched(loops: Loops, time: float) -> float:
    """Add the time to fetch arrays that are together too large for the near caches.

    A sum hides the lesser of the two times, a product without one a part of it.
    """
    held = sum(
        math.prod(n for n, step in zip(loops.counts, steps, strict=True) if step)
        for steps in loops.strides
    )
    if held <= cost.NEAR_ENTRIES:
        return time
    both = math.hypot if all(loops.strides[-1]) else max
    return both(time, cost.FAR_ENTRY * held)


def _apart(loops: Loops, terms: Iterable[int]) -> float:
    """Time an entry that terms take more which are not read along their memory.

    To take one entry at a time costs the same for one and for several.
    """
    times = [time for k in terms if (time := _across(loops, k, cost.ACROSS))]
    return sum(times) - cost.ACROSS[0] * max(0, len(times) - 1)


def _across(loops: Loops, term: int, times: Sequence[float]) -> float:
    """Time an entry that a term takes more if it is not read along its memory.

    It is the first of ``times`` if the lines of memory that are met until an entry's
    neighbour is stay in the nearest cache, the second if in the next.
    """
    step = loops.strides[term][0]
    if step < 2:
        return 0.0
    lines, crowded = _met(loops, term)
    lines *= min(1.0, step / cost.LINE)
    caches = zip(cost.CACHED_LINES, cost.CACHE_SETS, strict=True)
    level = sum(lines * min(crowded, sets) > cached for cached, sets in caches)
    # Lines that follow each other closely are fetched ahead.
    return times[0] + (times[level] - times[0]) * min(1.0, step / cost.AHEAD)


def _met(loops: Loops, term: int) -> tuple[float, int]:
    """Count the lines of memory that are met until an entry's neighbour is.

    At strides of large powers of 2 they share few places of a cache: of so many, one.
    """
    lines, apart = 1, 0
    for step, count in zip(loops.strides[term], loops.counts, strict=True):
        if step == 1:
            break
        if step:
            lines *= count
            apart |= step
    return lines, max(1, (apart & -apart) // cost.LINE)
