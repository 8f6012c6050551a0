"""In which loops NumPy goes through several arrays at once.

Its iterator (nditer_constr.c) brings the axes into one order for all arrays, and fuses
those that all of them step along alike.  From NumPy 2.3 on it copies to buffers what
does not lie straight.

An array is a term here, its indices in the order in which they lie in memory; the
result is the last term.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from .spec import Index, Subscripts

# However an axis is told apart from others.
Axis = TypeVar("Axis")

# So many entries go through a buffer at once, at most.
BUFFER = 8192


def looped(
    terms: tuple[Subscripts, ...], sizes: Mapping[Index, int]
) -> tuple[Subscripts, ...]:
    """Leave out axes of size 1, which take no loop and have no say in the others."""
    if 1 not in sizes.values():
        return terms
    return tuple(tuple(i for i in term if sizes.get(i) != 1) for term in terms)


@functools.lru_cache(maxsize=65536)
def iteration_order(terms: tuple[Subscripts, ...], order: Subscripts) -> Subscripts:
    """Return the axes ``order`` and those of the terms, outermost loop first.

    An axis steps behind another where all terms that have both of them have them so,
    and where none has both, what stands before decides: the axes ``order``, and behind
    them by their letters those that np.einsum sums over.
    """
    summed = sorted({*itertools.chain(*terms)}.difference(order))

    def inside(index: Index, other: Index) -> bool | None:
        both = [term for term in terms if index in term and other in term]
        if not both:
            return None
        return all(term.index(index) > term.index(other) for term in both)

    return tuple(reversed(sort_axes([*order, *summed], inside)))


def sort_axes(
    axes: Sequence[Axis], inside: Callable[[Axis, Axis], bool | None]
) -> list[Axis]:
    """Return the axes innermost first, as npyiter_find_best_axis_ordering sorts them.

    ``inside`` tells whether all arrays step along one axis within another; None if no
    array tells.
    """
    found: list[Axis] = []
    for axis in reversed(axes):
        place = len(found)
        for k, other in reversed([*enumerate(found)]):
            swap = inside(axis, other)
            if swap:
                place = k
            elif swap is False:
                break
        found.insert(place, axis)
    return found


def memory_order(operands: tuple[Subscripts, ...], order: Subscripts) -> Subscripts:
    """Return the axes ``order`` of a result as NumPy lays it out of its own accord."""
    return tuple(i for i in iteration_order(operands, order) if i in order)


@dataclass(frozen=True)
class Loops:
    """The loops over all axes, innermost first; those that can be are fused.

    counts: how often each is gone through; strides: of each term, how many entries it
    steps on in each loop, 0 where it stands still.
    """

    counts: tuple[int, ...]
    strides: tuple[tuple[int, ...], ...]

    @property
    def entries(self) -> int:
        """Count the steps of the innermost loop."""
        return math.prod(self.counts)

    def run(self, term: int, depth: int) -> int:
        """Count the entries that a term steps along straight in ``depth`` + 1 loops."""
        steps, run = self.strides[term], self.counts[0]
        for k in range(1, depth + 1):
            if steps[k] != steps[k - 1] * self.counts[k - 1]:
                break
            run *= self.counts[k]
        return run


def nested(
    terms: Sequence[Subscripts], order: Subscripts, size: Callable[[Index], int]
) -> Loops:
    """Nest the loops over the axes ``order``; ``size`` tells how long an axis is."""
    places = [{index: place for place, index in enumerate(term)} for term in terms]
    sizes = {index: size(index) for index in order}
    counts: list[int] = []
    innermost: list[Index] = []
    behind = None
    for index in reversed(order):
        if behind is not None and side_by_side(places, index, behind):
            counts[-1] *= sizes[index]
        else:
            counts.append(sizes[index])
            innermost.append(index)
        behind = index
    strides = []
    for term in terms:
        steps, step = {}, 1
        for index in reversed(term):
            steps[index] = step
            step *= sizes[index]
        strides.append(tuple(steps.get(index, 0) for index in innermost))
    return Loops(tuple(counts), tuple(strides))


def side_by_side(
    places: Sequence[Mapping[Index, int]], index: Index, behind: Index
) -> bool:
    """Tell whether every term steps along two axes as along one, or along neither.

    ``places`` say of each term where its indices stand.
    """
    for place in places:
        first, second = place.get(index), place.get(behind)
        if first is None or second is None:
            if first is not second:
                return False
        elif first + 1 != second:
            return False
    return True


@dataclass(frozen=True)
class Chunk:
    """What goes through buffers at once: ``core`` entries, and again up to ``entries``.

    depth: so many loops lie outside the innermost; repeats: whether the core is gone
    through again in the outermost of them; copied: how many entries of each term that
    needs a buffer are copied to it, in all chunks.
    """

    core: int
    entries: int
    depth: int
    repeats: bool
    copied: dict[int, float]


def chunk(loops: Loops) -> Chunk:
    """Choose what to buffer as npyiter_find_buffering_setup does.

    More loops at once are worth it as long as the number of chunks, times one and the
    number of buffers, falls.  The loop in which the result changes between stepping on
    and standing still is the last.
    """
    counts, strides = loops.counts, loops.strides
    result = len(strides) - 1
    sums = 0 in strides[result]
    straight = [1] * len(strides)
    buffers, turn = 0, 0
    entries = best_entries = core = counts[0]
    depth, best_buffers = 0, 0
    for k in range(1, len(counts)):
        if turn or (entries >= BUFFER and buffers):
            break
        for term, steps in enumerate(strides):
            if straight[term] == k:
                if steps[k] == steps[k - 1] * counts[k - 1]:
                    straight[term] += 1
                    continue
                buffers += 1
            if term == result and sums and 0 in (steps[k], steps[k - 1]):
                turn = k
        inner, entries = entries, entries * counts[k]
        filled = min(entries, BUFFER) if buffers else entries
        if (1 + buffers) * best_entries <= (1 + best_buffers) * filled:
            best_buffers, best_entries, core, depth = buffers, entries, inner, k
    repeats = 0 < turn == depth
    copied = [
        term
        for term, count in enumerate(straight)
        if count < depth or (count == depth and not repeats)
    ]
    if copied and best_entries > BUFFER:
        best_entries = core * max(1, BUFFER // core)
    found = Chunk(core if repeats else best_entries, best_entries, depth, repeats, {})
    return replace(found, copied={term: _copied(loops, found, term) for term in copied})


def _copied(loops: Loops, chunk: Chunk, term: int) -> float:
    """Count the entries of a term that are copied; a buffer may serve again."""
    steps, depth = loops.strides[term], chunk.depth
    copied = float(loops.entries)
    again = chunk.repeats and steps[depth] == 0
    if again:
        copied *= chunk.core / chunk.entries
    if again or chunk.entries >= math.prod(loops.counts[: depth + 1]):
        outside = zip(steps[depth + 1 :], loops.counts[depth + 1 :], strict=True)
        for _, count in itertools.takewhile(lambda loop: loop[0] == 0, outside):
            copied /= count
    return copied
