"""Where arrays lie in memory, and whether they overlap there."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import NamedTuple

from ..oracle import Array


class Extent(NamedTuple):
    """The addresses from ``start`` up to ``end`` that the array ``name`` spans."""

    start: int
    end: int
    name: str


def extents(arrays: Iterable[tuple[str, Array]]) -> list[Extent]:
    """Return the extents of named arrays; an array without entries has none."""
    return [_extent(name, array) for name, array in arrays if array.size]


def overlap(
    inputs: Iterable[Extent], results: Iterable[Extent]
) -> tuple[str, str] | None:
    """Name a result, and an input or another result, that overlap."""
    placed = [(extent, False) for extent in inputs]
    placed += [(extent, True) for extent in results]
    for (one, returned), (two, returned_too) in itertools.pairwise(sorted(placed)):
        if two.start < one.end and (returned or returned_too):
            return (one.name, two.name) if returned else (two.name, one.name)
    return None


def shares_entries(array: Array) -> bool:
    """Tell whether several entries are one and the same in memory: a stride of 0."""
    spans = zip(array.shape, array.strides, strict=True)
    return array.size > 0 and any(size > 1 and step == 0 for size, step in spans)


def _extent(name: str, array: Array) -> Extent:
    start = array.__array_interface__["data"][0]
    if array.flags.c_contiguous:
        return Extent(start, start + array.nbytes, name)
    steps = zip(array.shape, array.strides, strict=True)
    spans = [(size - 1) * step for size, step in steps]
    low = sum(span for span in spans if span < 0)
    high = sum(span for span in spans if span > 0)
    return Extent(start + low, start + high + array.itemsize, name)
