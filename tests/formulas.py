"""What a formula is worth: an interpreter of ``explanation.formula`` on small arrays.

Arrays are NumPy's, of integers.  In index notation an environment gives the value of
every mark; in matrix algebra a vector is a column, and every index has one size.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from eingrad.explanation.formula import (
    Call,
    Constant,
    Delta,
    Entry,
    Equation,
    Formula,
    Gradient,
    Hadamard,
    Mark,
    Number,
    Partial,
    Plus,
    Product,
    Sum,
    Turned,
)
from eingrad.explanation.place import Place
from eingrad.spec import Einsum, Index, unique

Environment = dict[Mark, int]


def einsum_of(einsum: Einsum, arrays: list[Any], sizes: Mapping[Index, int]) -> Any:
    """Compute an einsum of the closed grammar by one loop over all of its indices."""
    output = np.zeros([sizes[i] for i in einsum.output], arrays[0].dtype)
    for values in itertools.product(*(range(sizes[i]) for i in einsum.indices)):
        at = dict(zip(einsum.indices, values, strict=True))
        term = 1
        for array, subscripts in zip(arrays, einsum.operands, strict=True):
            term = term * array[tuple(at[i] for i in subscripts)]
        output[tuple(at[i] for i in einsum.output)] += term
    return output


@dataclass
class Worth:
    """The arrays of one place of a spec, and what its formulas are worth."""

    place: Place
    arrays: dict[tuple[str, int], Any]
    cotangent: Any
    sizes: dict[Index, int]
    slopes: dict[tuple[int, ...], Any] = field(default_factory=dict)

    @classmethod
    def draw(cls, place: Place, sizes: dict[Index, int], seed: int = 0) -> Worth:
        rng = np.random.default_rng(seed)

        def integers(term: tuple[Index, ...]) -> Any:
            return rng.integers(-9, 10, [sizes[i] for i in term])

        terms = zip(place.arrays, place.einsum.operands, strict=True)
        arrays = {(array.name, array.place): integers(term) for array, term in terms}
        return cls(place, arrays, integers(place.einsum.output), sizes)

    # --- the truth, from the definition ---

    def slope(self, at: tuple[int, ...]) -> Any:
        """Return the derivative of the output by one entry: linear, so a unit array."""
        if at not in self.slopes:
            self.slopes[at] = self._slope(at)
        return self.slopes[at]

    def _slope(self, at: tuple[int, ...]) -> Any:
        arrays = [self.arrays[a.name, a.place] for a in self.place.arrays]
        unit = np.zeros_like(arrays[self.place.operand])
        unit[at] = 1
        arrays[self.place.operand] = unit
        return einsum_of(self.place.einsum, arrays, self.sizes)

    def gradient(self) -> Any:
        """Return the gradient of the loss, entry by entry."""
        own = self.arrays[self.place.array.name, self.place.array.place]
        found = np.zeros_like(own)
        for at in np.ndindex(own.shape):
            found[at] = np.sum(self.slope(at) * self.cotangent)
        return found

    # --- index notation ---

    def array(self, entry: Entry) -> Any:
        if entry.name == self.place.cotangent:
            return self.cotangent
        if entry.name == self.place.output:
            arrays = [self.arrays[a.name, a.place] for a in self.place.arrays]
            return einsum_of(self.place.einsum, arrays, self.sizes)
        return self.arrays[entry.name, entry.place]

    def indexed(self, formula: Formula, env: Environment) -> Any:
        """Evaluate a formula in index notation."""
        match formula:
            case Entry():
                return self.array(formula)[tuple(env[m] for m in formula.marks)]
            case Gradient(of):
                return self.gradient()[tuple(env[m] for m in of.marks)]
            case Number(value):
                return value
            case Delta(left, right):
                return int(env[left] == env[right])
            case Partial(of, wrt):
                asked = tuple(env[m] for m in wrt.marks)
                entry = tuple(env[m] for m in of.marks)
                if of.name != self.place.loss:
                    return self.slope(asked)[entry]
                if wrt.name == self.place.output:
                    return self.cotangent[asked]
                return self.gradient()[asked]
            case Sum(over, body):
                values = itertools.product(*(range(self.sizes[i]) for i in over))
                marks = list(map(Mark, over))
                return sum(
                    self.indexed(body, env | dict(zip(marks, v, strict=True)))
                    for v in values
                )
            case Product(factors):
                return np.prod([self.indexed(f, env) for f in factors])
            case Plus(terms):
                return sum(self.indexed(t, env) for t in terms)
        raise AssertionError(f"no index notation: {formula}")

    # --- matrix algebra ---

    def matrix(self, formula: Formula, env: Environment) -> Any:
        """Evaluate a formula of matrices: a number, a column or a matrix."""
        size = max(self.sizes.values(), default=1)
        match formula:
            case Entry():
                axes = formula.marks
                at = tuple(slice(None) if m.index == ":" else env[m] for m in axes)
                found = self.array(formula)[at]
                return found[:, None] if np.ndim(found) == 1 else found
            case Number(value):
                return value
            case Constant("1"):
                return np.ones((size, 1), int)
            case Constant("I"):
                return np.eye(size, dtype=int)
            case Turned(matrix, transposed, conjugated):
                found = np.asarray(self.matrix(matrix, env))
                found = found.conj() if conjugated else found
                return found.T if transposed else found
            case Product(factors):
                found = self.matrix(factors[0], env)
                for factor in factors[1:]:
                    found = _times(found, self.matrix(factor, env))
                return found
            case Hadamard(factors):
                found = self.matrix(factors[0], env)
                for factor in factors[1:]:
                    other = self.matrix(factor, env)
                    assert found.shape == other.shape
                    found = found * other
                return found
            case Plus(terms):
                return sum(self.matrix(t, env) for t in terms)
            case Call("Diag", vector):
                return np.diag(self.matrix(vector, env)[:, 0])
            case Call("diag", matrix):
                return np.diag(self.matrix(matrix, env))[:, None]
            case Call("tr", matrix):
                return np.trace(self.matrix(matrix, env))
            case Sum(over, body):
                values = itertools.product(*(range(size) for _ in over))
                marks = list(map(Mark, over))
                return sum(
                    self.matrix(body, env | dict(zip(marks, v, strict=True)))
                    for v in values
                )
        raise AssertionError(f"no matrix algebra: {formula}")


def _times(left: Any, right: Any) -> Any:
    """Multiply; a number, also one that is a matrix of one entry, scales."""
    if np.size(left) == 1 or np.size(right) == 1:
        small, large = (left, right) if np.size(left) == 1 else (right, left)
        return np.asarray(small).reshape(()) * large
    return left @ right


def free_marks(formula: Formula) -> tuple[Mark, ...]:
    """List the marks that no sum binds, in order of first appearance."""
    return unique(_free(formula))  # type: ignore[arg-type, return-value]


def _free(formula: Formula) -> Iterator[Mark]:
    match formula:
        case Entry(_, marks):
            yield from marks
        case Gradient(of):
            yield from of.marks
        case Delta(left, right):
            yield from (left, right)
        case Partial(of, wrt):
            yield from (*of.marks, *wrt.marks)
        case Sum(over, body):
            yield from (m for m in _free(body) if m not in map(Mark, over))
        case Product(parts) | Plus(parts) | Equation(parts):
            for part in parts:
                yield from _free(part)


def assignments(
    marks: tuple[Mark, ...], sizes: Mapping[Index, int]
) -> Iterator[Environment]:
    """Yield every value of the marks."""
    for values in itertools.product(*(range(sizes[m.index]) for m in marks)):
        yield dict(zip(marks, values, strict=True))
