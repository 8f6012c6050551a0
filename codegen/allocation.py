"""How much memory each operation takes in NumPy, and how its result lies there."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from .activations import PIECEWISE_LINEAR
from .array_program import ALLOCATES, ArrayOp, Node
from .cost import blocks_of
from .program import Apply
from .spec import Index, Subscripts
from .strided import Sizes, Strided, broadcast_shape, broadcast_strides, strides_like


@dataclass
class Allocator(ABC):
    """Takes memory for arrays of indices of these sizes.

    conjugates: whether they are complex, whose conjugates take memory of their own.
    """

    sizes: Mapping[Index, int]
    conjugates: bool

    @abstractmethod
    def allocate(self, shape: Sizes, strides: Sizes | None = None) -> Strided:
        """Take memory for an array, in C order without strides."""

    def extents(self, attr: Iterable[Subscripts]) -> Sizes:
        return tuple(math.prod(self.sizes[i] for i in extent) for extent in attr)

    def broadcast(self, arrays: Sequence[Strided]) -> Strided:
        """Take memory for an elementwise result."""
        shape = broadcast_shape([array.shape for array in arrays])
        steps = [broadcast_strides(array, len(shape)) for array in arrays]
        return self.allocate(shape, strides_like(shape, steps))

    def reshape(self, array: Strided, shape: Sizes) -> Strided:
        view = array.reshaped(shape)
        return self.allocate(shape) if view is None else view

    def dot(self, arrays: Sequence[Strided]) -> Strided:
        """Take memory for a matrix or vector product, and for copies that BLAS needs.

        A matrix is copied unless it fills its memory; a vector never is.
        """
        for array in arrays:
            if len(array.shape) == 2 and not array.one_segment:
                self.allocate(array.shape)
        left, right = (array.shape for array in arrays)
        return self.allocate((*left[:-1], *right[1:]))

    def matmul(self, arrays: Sequence[Strided]) -> Strided:
        """Take memory for stacked products, each in C order; a vector has one side."""
        left, right = arrays
        rows = left.shape[-2:-1]
        columns = right.shape[-1:] if len(right.shape) > 1 else ()
        fronts = [array.taken(range(len(array.shape) - 2)) for array in arrays]
        front = broadcast_shape([array.shape for array in fronts])
        steps = [broadcast_strides(array, len(front)) for array in fronts]
        inner = (*rows, *columns)
        strides = (s * math.prod(inner) for s in strides_like(front, steps))
        within = (math.prod(inner[k + 1 :]) for k in range(len(inner)))
        return self.allocate((*front, *inner), (*strides, *within))

    def in_blocks(self, arrays: Sequence[Strided]) -> Strided:
        """Take memory for stacked products, and for what they are computed from."""
        left, right = (array.shape for array in arrays)
        front = broadcast_shape([left[:-2], right[:-2]])
        self.within_blocks(arrays)
        return self.allocate((*front, left[-2], right[-1]))

    def within_blocks(self, arrays: Sequence[Strided]) -> None:
        """Take memory for a copy without gaps, and for parts that are added up."""
        left, right = (array.shape for array in arrays)
        rows, summed, columns = *left[-2:], right[-1]
        by_rows, by_sums = blocks_of(rows, summed, columns)
        if by_rows == by_sums == 1:
            return
        if arrays[1].strides[-2:] != (columns, 1):
            self.allocate(right)
        if by_sums > 1:
            front = broadcast_shape([left[:-2], right[:-2]])
            self.allocate((by_sums, *front, rows, columns))

    def einsum(self, attr: Sequence[Subscripts], arrays: Sequence[Strided]) -> Strided:
        """Take memory for a sum of products."""
        *operands, output = attr
        shape = {
            index: size
            for term, array in zip(operands, arrays, strict=True)
            for index, size in zip(term, array.shape, strict=True)
        }
        steps = [
            tuple(
                sum(s for i, s in zip(term, array.strides, strict=True) if i == index)
                for index in output
            )
            for term, array in zip(operands, arrays, strict=True)
        ]
        result = tuple(shape[index] for index in output)
        return self.allocate(result, strides_like(result, steps))

    def apply(self, function: Apply, array: Strided) -> Strided:
        """Take memory for an elementwise function, and for copies that it needs.

        The slope of relu and its like is made of two arrays.  Most others run through
        the memory in blocks, in C or in Fortran order.
        """
        if function.function in PIECEWISE_LINEAR:
            if function.order:
                self.allocate(array.shape)
        elif function.symbol != "tanh" and not array.one_segment:
            array = self.allocate(array.shape)
        return self.broadcast([array])

    def repeat(self, counts: Sizes, array: Strided) -> Strided:
        """Take memory for an array whose entries are repeated along an axis."""
        pairs = zip(array.shape, counts, strict=True)
        return self.allocate(tuple(size * count for size, count in pairs))

    def tile(self, counts: Sizes, array: Strided) -> Strided:
        """Take memory for the same, and for what is repeated a few times before."""
        few = max(
            (n for n in range(1, 9) for c in counts if c % n == 0 and n * n <= c),
            default=1,
        )
        if few > 1:
            self.allocate((few, *array.shape))
        return self.repeat(counts, array)

    def copy(self, order: Sequence[str], array: Strided) -> Strided:
        """Take memory for a copy in C order, or in the argument's if that is "K"."""
        return self.broadcast([array]) if order else self.allocate(array.shape)

    def sum(self, axes: Sequence[int], array: Strided) -> Strided:
        """Take memory for a sum over axes."""
        left = array.taken([p for p in range(len(array.shape)) if p not in axes])
        return self.broadcast([left])


# What each operation allocates, and how its result lies in memory.
OPERATIONS: dict[ArrayOp, Callable[[Allocator, Node, list[Strided]], Strided]] = {
    ArrayOp.TRANSPOSE: lambda into, op, args: args[0].taken(op.attr),
    ArrayOp.RESHAPE: lambda into, op, args: into.reshape(
        args[0], into.extents(op.attr)
    ),
    ArrayOp.EXPAND: lambda into, op, args: args[0].expanded(op.attr),
    ArrayOp.DIAGONAL: lambda into, op, args: args[0].diagonal(*op.attr),
    ArrayOp.CONJ: lambda into, op, args: (
        into.broadcast(args) if into.conjugates else args[0]
    ),
    ArrayOp.DOT: lambda into, op, args: into.dot(args),
    ArrayOp.MATMUL: lambda into, op, args: into.matmul(args),
    ArrayOp.BLOCKS: lambda into, op, args: into.in_blocks(args),
    ArrayOp.MULTIPLY: lambda into, op, args: into.broadcast(args),
    ArrayOp.EINSUM: lambda into, op, args: into.einsum(op.attr, args),
    ArrayOp.SUM: lambda into, op, args: into.sum(op.attr, args[0]),
    ArrayOp.ADD: lambda into, op, args: into.broadcast(args),
    ArrayOp.APPLY: lambda into, op, args: into.apply(op.attr[0], args[0]),
    ArrayOp.REPEAT: lambda into, op, args: into.repeat(into.extents(op.attr), args[0]),
    ArrayOp.COPY: lambda into, op, args: into.copy(op.attr, args[0]),
    ArrayOp.TILE: lambda into, op, args: into.tile(into.extents(op.attr), args[0]),
    ArrayOp.TURN: lambda into, op, args: into.allocate(args[0].taken(op.attr).shape),
    ArrayOp.SCALAR: lambda into, op, args: into.allocate(()),
    **dict.fromkeys(
        ALLOCATES, lambda into, op, args: into.allocate(into.extents(op.attr))
    ),
}
