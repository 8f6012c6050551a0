"""Brute force: an einsum and its derivatives, straight from the definition.

Every assignment of a value to every index is one row of a table.  A row picks one
entry of each operand and one place in the output; the output is, place by place, the
sum over the rows of the product of the entries picked:

    ij,jk->ik     row (i, j, k)     output[i, k] += a[i, j] * b[j, k]

The output is linear in each operand, so dL/da[p] = <g, einsum(.., unit tensor at p,
..)>: the rows that pick entry p, each with a left out of its product and weighted by
the cotangent where it lands.  Along tangents, the entries of a row are dual numbers,
and so is their product.  Nothing here knows the swap, a contraction path or a layout,
and nothing of the generator is imported: that independence is the point.

An axis of size 1 broadcasts (every row picks its only entry), an index repeated in the
output reaches the diagonal only, an ellipsis is aligned from the right.  Exact for
int64, and for floats that hold integers, as long as every sum stays below 2**53.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Subscripts = tuple[str, ...]

ELLIPSIS = "..."


def split(spec: str) -> tuple[tuple[Subscripts, ...], Subscripts]:
    """Split an explicit spec into the operands' subscripts and the output's.

    >>> split("ij,...j->...i")
    ((('i', 'j'), ('...', 'j')), ('...', 'i'))
    """
    inputs, output = spec.replace(" ", "").split("->")
    return tuple(_tokens(term) for term in inputs.split(",")), _tokens(output)


def written(operands: Iterable[Subscripts], output: Subscripts) -> str:
    """Return the spec that `split` splits.

    >>> written([("i", "j"), ("...", "j")], ("...", "i"))
    'ij,...j->...i'
    """
    return f"{','.join(map(''.join, operands))}->{''.join(output)}"


def resolve(
    spec: str, ranks: Sequence[int]
) -> tuple[tuple[Subscripts, ...], Subscripts]:
    """Return the subscripts of operands of these ranks, and the output's.

    The axes of an ellipsis become indices that count from the right, as NumPy aligns
    them: ``...[-1]`` is the last.

    >>> resolve("ij,...j->...i", [2, 2])
    ((('i', 'j'), ('...[-1]', 'j')), ('...[-1]', 'i'))
    """
    terms, output = split(spec)
    bound = [
        rank - len(t) + 1 for t, rank in zip(terms, ranks, strict=True) if ELLIPSIS in t
    ]
    operands = (
        _spell(t, rank - len(t) + 1) for t, rank in zip(terms, ranks, strict=True)
    )
    return tuple(operands), _spell(output, max(bound, default=0))


def einsum(
    spec: str, arrays: Sequence[Array], sizes: Mapping[str, int] | None = None
) -> Array:
    """Return the output of ``spec`` for one array a place.

    ``sizes`` holds the sizes of the indices that only the output has.  Raises
    ValueError where two sizes of an index disagree.
    """
    rows = _rows_of(spec, arrays, sizes)
    return rows.output.add_up(math.prod(rows.pick_each(arrays)))


def gradients(
    spec: str,
    arrays: Sequence[Array],
    grad: Array,
    sizes: Mapping[str, int] | None = None,
    *,
    conjugate: bool = False,
) -> list[Array]:
    """Return dL/d(array) for every place, shaped like the array there.

    ``grad`` is the cotangent, shaped like the output; ``conjugate`` conjugates the
    other operands (the adjoint).  The gradient of a real array is the real part.
    """
    rows = _rows_of(spec, arrays, sizes)
    landed = rows.output.pick(grad)
    rests = _without_each(rows.pick_each(arrays), one=1)
    return rows.give_back(landed, rests, arrays, conjugate=conjugate)


def jvp(
    spec: str,
    arrays: Sequence[Array],
    tangents: Sequence[Array],
    sizes: Mapping[str, int] | None = None,
) -> Array:
    """Return the output's tangent: each place in turn holds its tangent, summed."""
    rows = _rows_of(spec, arrays, sizes)
    rests = _without_each(rows.pick_each(arrays), one=1)
    moved = zip(rows.pick_each(tangents), rests, strict=True)
    return rows.output.add_up(sum(tangent * rest for tangent, rest in moved))


def hvp(
    spec: str,
    arrays: Sequence[Array],
    grad: Array,
    tangents: Sequence[Array],
    sizes: Mapping[str, int] | None = None,
    *,
    conjugate: bool = False,
) -> list[Array]:
    """Return the derivatives of `gradients` along the tangents, for every place.

    They are the product of the Hessian of <grad, einsum> with the tangents: each other
    place in turn holds its tangent, summed.
    """
    rows = _rows_of(spec, arrays, sizes)
    pairs = zip(rows.pick_each(arrays), rows.pick_each(tangents), strict=True)
    rests = _without_each(list(itertools.starmap(_Dual, pairs)), one=_Dual(1, 0))
    slopes = [rest.slope for rest in rests]
    return rows.give_back(rows.output.pick(grad), slopes, arrays, conjugate=conjugate)


@dataclass(frozen=True)
class _Dual:
    """The number ``value + slope * e``, with e * e = 0: a value and its derivative."""

    value: Any
    slope: Any

    def __mul__(self, other: _Dual) -> _Dual:
        slope = self.value * other.slope + self.slope * other.value
        return _Dual(self.value * other.value, slope)


@dataclass(frozen=True)
class _Column:
    """Which entry of an array of ``shape``, flattened, each row picks."""

    shape: tuple[int, ...]
    entries: Array

    def pick(self, array: Array) -> Array:
        """Return the entry of ``array`` that each row picks."""
        picked: Array = array.reshape(-1)[self.entries]
        return picked

    def add_up(self, values: Any) -> Array:
        """Add each row's value to the entry that it picks in an array of zeros."""
        total = np.zeros(math.prod(self.shape), values.dtype)
        np.add.at(total, self.entries, values)
        return total.reshape(self.shape)


@dataclass(frozen=True)
class _Rows:
    """The table: a row for every assignment, a column for every array."""

    operands: tuple[_Column, ...]
    output: _Column

    def pick_each(self, arrays: Sequence[Array]) -> list[Array]:
        """Return the entries that each row picks, for one array a place."""
        pairs = zip(self.operands, arrays, strict=True)
        return [operand.pick(array) for operand, array in pairs]

    def give_back(
        self,
        landed: Array,
        rests: Sequence[Any],
        arrays: Sequence[Array],
        *,
        conjugate: bool,
    ) -> list[Array]:
        """Give each place the cotangent where its rows land, times the rest of each.

        A real array gets the real part.
        """
        found = []
        for operand, array, rest in zip(self.operands, arrays, rests, strict=True):
            total = operand.add_up(landed * (np.conj(rest) if conjugate else rest))
            found.append(total if np.iscomplexobj(array) else total.real)
        return found


def _rows_of(
    spec: str, arrays: Sequence[Array], sizes: Mapping[str, int] | None
) -> _Rows:
    shapes = tuple(array.shape for array in arrays)
    return _rows(spec, shapes, tuple((sizes or {}).items()))


@lru_cache(maxsize=4)
def _rows(
    spec: str, shapes: tuple[tuple[int, ...], ...], sizes: tuple[tuple[str, int], ...]
) -> _Rows:
    operands, output = resolve(spec, [len(shape) for shape in shapes])
    full = dict(sizes)
    for subscripts, shape in zip(operands, shapes, strict=True):
        for index, size in zip(subscripts, shape, strict=True):
            if full.setdefault(index, size) == 1:
                full[index] = size
            elif size not in (1, full[index]):
                raise ValueError(f"index {index!r} has sizes {full[index]} and {size}")
    # An index of size 1 has one value only: the table needs no axis for it.
    running = {index: size for index, size in full.items() if size != 1}
    count = math.prod(running.values())
    table = np.indices(tuple(running.values())).reshape(len(running), count)
    values = dict(zip(running, table, strict=True))

    def column(subscripts: Subscripts, shape: tuple[int, ...]) -> _Column:
        entries = np.zeros(count, np.int64)
        for index, size in zip(subscripts, shape, strict=True):
            if size > 1:
                entries = entries * size + values[index]
        return _Column(shape, entries)

    columns = tuple(map(column, operands, shapes))
    return _Rows(columns, column(output, tuple(full[index] for index in output)))


def _without_each(factors: Sequence[Any], one: Any) -> list[Any]:
    """Return, for every k, the product of all the factors but the k-th."""
    before = itertools.accumulate(factors[:-1], operator.mul, initial=one)
    after = itertools.accumulate(factors[:0:-1], operator.mul, initial=one)
    pairs = zip(before, reversed(list(after)), strict=True)
    return [left * right for left, right in pairs]


def _tokens(term: str) -> Subscripts:
    before, dots, after = term.partition(ELLIPSIS)
    return (*before, *([ELLIPSIS] if dots else []), *after)


def _spell(subscripts: Subscripts, rank: int) -> Subscripts:
    """Spell an ellipsis of ``rank`` axes out as indices that count from the right."""
    spelled: list[str] = []
    for index in subscripts:
        if index == ELLIPSIS:
            spelled += [f"{ELLIPSIS}[-{k}]" for k in range(rank, 0, -1)]
        else:
            spelled.append(index)
    return tuple(spelled)
