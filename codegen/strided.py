"""Arrays without entries: the shape, the strides and the memory that one holds.

Strides count entries.  Which operation gives a view, which copies its arguments, and
how the axes of a result lie in memory are NumPy's rules, from 1.26 on.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .iteration import sort_axes

Sizes = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Memory:
    """An allocation of so many entries, told apart from others by identity."""

    entries: int


@dataclass(frozen=True)
class Strided:
    """An array or a view: several may lie in one memory."""

    shape: Sizes
    strides: Sizes
    memory: Memory

    def taken(self, axes: Sequence[int]) -> Strided:
        """View the axes in this order."""
        shape = tuple(self.shape[axis] for axis in axes)
        return replace(
            self, shape=shape, strides=tuple(self.strides[axis] for axis in axes)
        )

    def expanded(self, present: Sequence[bool]) -> Strided:
        """View with an axis of size 1 where none is present."""
        sizes, steps = iter(self.shape), iter(self.strides)
        return replace(
            self,
            shape=tuple(next(sizes) if there else 1 for there in present),
            strides=tuple(next(steps) if there else 0 for there in present),
        )

    def diagonal(self, letters: Sequence[str], order: Sequence[str]) -> Strided:
        """View the diagonal along repeated letters, with the axes ``order``."""
        axes = [[p for p, i in enumerate(letters) if i == index] for index in order]
        shape = tuple(self.shape[first] for first, *_ in axes)
        strides = tuple(sum(self.strides[p] for p in ps) for ps in axes)
        return replace(self, shape=shape, strides=strides)

    def reshaped(self, shape: Sizes) -> Strided | None:
        """View with another shape; None where NumPy has to copy."""
        if 0 in shape:
            return replace(self, shape=shape, strides=contiguous(shape))
        runs = iter(self._runs())
        left, stride = 1, 1
        strides = []
        for size in shape:
            if size > 1 and left == 1:
                left, stride = next(runs)
            if left % size:
                return None
            left //= size
            strides.append(stride * left)
        return replace(self, shape=shape, strides=tuple(strides))

    def _runs(self) -> list[tuple[int, int]]:
        """Fuse the axes that step through memory as one: size and stride of each."""
        runs: list[tuple[int, int]] = []
        for size, stride in zip(self.shape, self.strides, strict=True):
            if runs and runs[-1][1] == size * stride:
                runs[-1] = (runs[-1][0] * size, stride)
            elif size > 1:
                runs.append((size, stride))
        return runs

    @property
    def one_segment(self) -> bool:
        """Whether the entries fill a stretch of memory in C or in Fortran order."""
        turned = self.taken(range(len(self.shape))[::-1])
        return any(
            array._runs() in ([], [(math.prod(self.shape), 1)])
            for array in (self, turned)
        )


def contiguous(shape: Sequence[int]) -> Sizes:
    """Return the strides of an array in C order."""
    products = itertools.accumulate(reversed(shape), lambda a, b: a * b, initial=1)
    return tuple(products)[-2::-1]


def broadcast_shape(shapes: Sequence[Sizes]) -> Sizes:
    """Return the shape that arrays of these shapes broadcast to."""
    axes = itertools.zip_longest(*map(reversed, shapes), fillvalue=1)
    return tuple(next((n for n in sizes if n != 1), 1) for sizes in axes)[::-1]


def broadcast_strides(array: Strided, rank: int) -> Sizes:
    """Return the strides of an array broadcast to ``rank`` axes: 0 where it repeats."""
    pairs = zip(array.shape, array.strides, strict=True)
    own = tuple(stride if size > 1 else 0 for size, stride in pairs)
    return (0,) * (rank - len(own)) + own


def strides_like(shape: Sizes, operands: Sequence[Sizes]) -> Sizes:
    """Return the strides of an elementwise result: the axes lie as the operands' do.

    operands: their strides along the result's axes, 0 where one is broadcast or lacks
    the axis.  Where they disagree, it is C order, as in NumPy's iterator.
    """

    def inside(axis: int, other: int) -> bool | None:
        pairs = [(s[axis], s[other]) for s in operands if s[axis] and s[other]]
        return all(step < outer for step, outer in pairs) if pairs else None

    strides = [0] * len(shape)
    step = 1
    for axis in sort_axes(range(len(shape)), inside):
        strides[axis] = step
        step *= max(1, shape[axis])
    return tuple(strides)
