"""Brute force: an einsum, its gradients and its JVP straight from the definition.

Every assignment of a value to every index is one row of a table.  A row picks one
entry of each operand and one place in the output; the output is, place by place, the
sum over the rows of the product of the entries picked:

    ij,jk->ik     row (i, j, k)     output[i, k] += a[i, j] * b[j, k]

The output is linear in each operand, so dL/da[p] = <g, einsum(.., unit tensor at p,
..)>: the rows that pick entry p, each with a left out of its product and weighted by
the cotangent where it lands.  Nothing here knows the swap, a contraction path or a
layout, and nothing of the generator is imported: that independence is the point.

An axis of size 1 broadcasts (every row picks its only entry), an index repeated in the
output reaches the diagonal only, an ellipsis is aligned from the right.  Exact for
int64, and for floats that hold integers, as long as every sum stays below 2**53.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    rows = _rows(spec, arrays, sizes)
    product = math.prod(rows.pick_each(arrays))
    return rows.add_up(rows.output, rows.output_shape, product)


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
    rows = _rows(spec, arrays, sizes)
    landed = rows.pick(rows.output, grad)
    found = []
    for subscripts, array, others in zip(
        rows.operands, arrays, _without_each(rows.pick_each(arrays)), strict=True
    ):
        product = landed * (np.conj(others) if conjugate else others)
        total = rows.add_up(subscripts, array.shape, product)
        found.append(total if np.iscomplexobj(array) else total.real)
    return found


def jvp(
    spec: str,
    arrays: Sequence[Array],
    tangents: Sequence[Array],
    sizes: Mapping[str, int] | None = None,
) -> Array:
    """Return the output's tangent: each place in turn holds its tangent, summed."""
    rows = _rows(spec, arrays, sizes)
    others = _without_each(rows.pick_each(arrays))
    terms = [t * rest for t, rest in zip(rows.pick_each(tangents), others, strict=True)]
    return rows.add_up(rows.output, rows.output_shape, sum(terms))


@dataclass(frozen=True)
class _Rows:
    """Every assignment of the indices: ``columns[index]`` is its value, row by row."""

    operands: tuple[Subscripts, ...]
    output: Subscripts
    output_shape: tuple[int, ...]
    columns: Mapping[str, Array]
    count: int

    def positions(self, subscripts: Subscripts, shape: Sequence[int]) -> Array:
        """Return which entry of a flattened array of ``shape`` each row picks."""
        flat = np.zeros(self.count, np.int64)
        for index, size in zip(subscripts, shape, strict=True):
            if size > 1:
                flat = flat * size + self.columns[index]
        return flat

    def pick(self, subscripts: Subscripts, array: Array) -> Array:
        """Return the entry of ``array`` that each row picks."""
        picked: Array = array.reshape(-1)[self.positions(subscripts, array.shape)]
        return picked

    def pick_each(self, arrays: Sequence[Array]) -> list[Array]:
        """Return the entries that each row picks, for one array a place."""
        return [
            self.pick(s, array) for s, array in zip(self.operands, arrays, strict=True)
        ]

    def add_up(
        self, subscripts: Subscripts, shape: Sequence[int], values: Any
    ) -> Array:
        """Add each row's value to the entry that it picks in zeros of ``shape``."""
        total = np.zeros(math.prod(shape), values.dtype)
        np.add.at(total, self.positions(subscripts, shape), values)
        return total.reshape(shape)


def _rows(spec: str, arrays: Sequence[Array], sizes: Mapping[str, int] | None) -> _Rows:
    operands, output = resolve(spec, [array.ndim for array in arrays])
    full = dict(sizes or {})
    for subscripts, array in zip(operands, arrays, strict=True):
        for index, size in zip(subscripts, array.shape, strict=True):
            if full.setdefault(index, size) == 1:
                full[index] = size
            elif size not in (1, full[index]):
                raise ValueError(f"index {index!r} has sizes {full[index]} and {size}")
    # An index of size 1 has one value only: the table needs no axis for it.
    running = {index: size for index, size in full.items() if size != 1}
    count = math.prod(running.values())
    table = np.indices(tuple(running.values())).reshape(len(running), count)
    columns = dict(zip(running, table, strict=True))
    return _Rows(operands, output, tuple(full[i] for i in output), columns, count)


def _without_each(factors: Sequence[Array]) -> list[Array]:
    """Return, for every k, the product of all the factors but the k-th."""
    before, after = [np.ones_like(factors[0])], [np.ones_like(factors[0])]
    for factor in factors[:-1]:
        before.append(before[-1] * factor)
    for factor in factors[:0:-1]:
        after.append(factor * after[-1])
    return [left * right for left, right in zip(before, reversed(after), strict=True)]


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
