"""Einsum -> a formula of matrix algebra, where the einsum is one.

Arrays of more than two axes are stacks of matrices, where a few indices can be held
fixed; what is left is read as a graph.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..spec import ELLIPSIS, Einsum, Index, Subscripts
from .formula import (
    Entry,
    Formula,
    Turned,
    marks,
    total,
)
from .graph import Graph

# A formula of more arrays, or that holds more indices fixed, is none to read.
MOST_ARRAYS = 24
MOST_FIXED = 4


@dataclass(frozen=True)
class MatrixFormula:
    """``formula`` gives the output for every value of the ``fixed`` indices."""

    formula: Formula
    fixed: Subscripts


@dataclass(frozen=True)
class Factor:
    """An array of a product: its symbol, and whether it is conjugated."""

    name: str
    place: int = 0
    conjugated: bool = False

    def at(self, term: Subscripts, fixed: Subscripts) -> Formula:
        """Name the slice of an array ``term`` where the ``fixed`` indices are held."""
        entry = slice_of(Entry(self.name, place=self.place), term, fixed)
        return Turned(entry, conjugated=True) if self.conjugated else entry


def slice_of(array: Entry, term: Subscripts, fixed: Subscripts) -> Entry:
    """Name the slice of an array where indices are held: ``A[b]``, ``A[:,j,:]``."""
    axes = [index if index in fixed else ":" for index in term]
    held = sum(index in fixed for index in term)
    if ":" not in axes[:held]:
        axes = axes[:held]
    return Entry(array.name, marks(axes), array.place)


def matrix_formula(einsum: Einsum, factors: Sequence[Factor]) -> MatrixFormula | None:
    """Write ``einsum`` of ``factors`` in matrix algebra, or return None."""
    if len(factors) > MOST_ARRAYS:
        return None
    for fixed in _fixings(einsum):
        terms = [
            (factor.at(term, fixed), _rest(term, fixed))
            for factor, term in zip(factors, einsum.operands, strict=True)
        ]
        output = _rest(einsum.output, fixed)
        found = Graph.of(terms, output).formula(output)
        # A stack that stays as it is says nothing.
        if found is not None and not (fixed and isinstance(found, Entry)):
            summed = tuple(i for i in fixed if i not in einsum.output)
            kept = tuple(i for i in fixed if i in einsum.output)
            return MatrixFormula(total(summed, found), kept)
    return None


def _rest(term: Subscripts, fixed: Sequence[Index]) -> Subscripts:
    return tuple(index for index in term if index not in fixed)


def _fixings(einsum: Einsum) -> Iterator[Subscripts]:
    """Yield index sets that leave no more than two axes where they are held fixed.

    Every array of more than two axes has to hold them; an index that is summed makes
    a sum of matrix products, which reads well where two arrays share it.
    """
    terms = [*einsum.operands, einsum.output]
    forced = {ELLIPSIS} & set(einsum.indices)
    big = [term for term in terms if len(term) > 2 or forced & set(term)]
    most = max(map(len, big), default=0)
    shared = [
        index
        for index in einsum.indices
        if all(index in term for term in big)
        and (index in einsum.output or len(big) > 1)
    ]
    shared.sort(key=lambda index: (index not in einsum.output, -_holders(terms, index)))
    count = max(len(forced), most - 2, 0)
    for fixed in itertools.combinations(shared, count) if count <= MOST_FIXED else ():
        flat = all(len(_rest(term, fixed)) <= 2 for term in terms)
        if flat and forced <= set(fixed):
            yield fixed


def _holders(terms: Sequence[Subscripts], index: Index) -> int:
    return sum(index in term for term in terms)
