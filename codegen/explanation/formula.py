"""Formulas in index notation and in matrix algebra, as one small tree.

A formula knows what it says, not how it looks: ``formula_text`` and ``formula_latex``
write it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..spec import Einsum, Index, Subscripts


@dataclass(frozen=True)
class Mark:
    """An index in a formula; starred where it names the entry that is asked about.

    number tells apart the axes of one operand that share an index, from 1; else 0.
    """

    index: Index
    starred: bool = False
    number: int = 0


@dataclass(frozen=True)
class Entry:
    """An entry of an array, or the array itself where there are no marks.

    place tells apart the places of an array that the spec names twice, from 1; else 0.
    """

    name: str
    marks: tuple[Mark, ...] = ()
    place: int = 0


@dataclass(frozen=True)
class Gradient:
    """The gradient of the loss with respect to an array, or an entry of it."""

    of: Entry
    loss: str


@dataclass(frozen=True)
class Number:
    """A whole number."""

    value: int


@dataclass(frozen=True)
class Delta:
    """Kronecker's delta: 1 where two indices agree, else 0."""

    left: Mark
    right: Mark


@dataclass(frozen=True)
class Partial:
    """The partial derivative of one entry with respect to another."""

    of: Entry
    wrt: Entry


@dataclass(frozen=True)
class Sum:
    """The sum of ``body`` over all values of the indices."""

    over: Subscripts
    body: Formula


@dataclass(frozen=True)
class Product:
    """A product, of numbers or of matrices, in this order."""

    factors: tuple[Formula, ...]


@dataclass(frozen=True)
class Hadamard:
    """The product entry by entry."""

    factors: tuple[Formula, ...]


@dataclass(frozen=True)
class Plus:
    """The sum of a few formulas."""

    terms: tuple[Formula, ...]


@dataclass(frozen=True)
class Turned:
    """A matrix transposed, conjugated, or both."""

    matrix: Formula
    transposed: bool = False
    conjugated: bool = False


@dataclass(frozen=True)
class Call:
    """A function by name.

    ``tr``; ``diag`` of a matrix, its diagonal; ``Diag`` of a vector, the matrix that
    has it on the diagonal; or an elementwise one.
    """

    function: str
    argument: Formula


@dataclass(frozen=True)
class Written:
    """A formula that a table gives, as text and as LaTeX."""

    text: str
    latex: str


@dataclass(frozen=True)
class Constant:
    """The vector of ones, ``1``, or the identity matrix, ``I``."""

    name: str


@dataclass(frozen=True)
class Equation:
    """Sides that are all equal, first to last."""

    sides: tuple[Formula, ...]


Formula = (
    Entry
    | Gradient
    | Number
    | Delta
    | Partial
    | Sum
    | Product
    | Hadamard
    | Plus
    | Turned
    | Call
    | Written
    | Constant
    | Equation
)


@dataclass(frozen=True)
class Code:
    """A name of the module, in a sentence."""

    text: str


# A sentence: words, and what stands among them.
Word = str | Formula | Mark | Einsum | Code
Prose = tuple[Word, ...]


def marks(subscripts: Iterable[Index]) -> tuple[Mark, ...]:
    """Mark every index plainly."""
    return tuple(map(Mark, subscripts))


def listed(items: Sequence[Prose]) -> Prose:
    """Join items as ``a, b and c``."""
    found: list[Word] = []
    for k, item in enumerate(items):
        joint = "" if k == 0 else " and " if k == len(items) - 1 else ", "
        found += [joint, *item] if joint else item
    return tuple(found)


def product(factors: Iterable[Formula]) -> Formula:
    """Multiply, without wrapping a single factor; nothing is 1."""
    found = tuple(factors)
    if len(found) == 1:
        return found[0]
    return Product(found) if found else Number(1)


def factors_of(formula: Formula) -> tuple[Formula, ...]:
    """Return the factors of a product; of anything else, itself."""
    return formula.factors if isinstance(formula, Product) else (formula,)


def total(over: Subscripts, body: Formula) -> Formula:
    """Sum over indices, of which there may be none."""
    return Sum(over, body) if over else body


def transposed(matrix: Formula) -> Formula:
    """Transpose, twice being not at all; that of a product turns its factors."""
    match matrix:
        case Turned():
            if matrix.transposed and not matrix.conjugated:
                return matrix.matrix
            return replace(matrix, transposed=not matrix.transposed)
        case Product():
            return Product(tuple(transposed(f) for f in reversed(matrix.factors)))
        case Hadamard():
            return Hadamard(tuple(map(transposed, matrix.factors)))
        case Call(function="Diag") | Constant(name="I"):
            return matrix
    return Turned(matrix, transposed=True)
