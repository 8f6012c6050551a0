"""Program + arrays -> arrays: the reference that every lowering is compared with.

Each operation is computed as its definition reads, with no regard for speed or memory.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InternalError
from .program import Add, Apply, Conj, Program, Step, Zero
from .spec import Einsum, Index, Subscripts, unique

Array = NDArray[Any]


def run(
    program: Program,
    arrays: Sequence[Array],
    sizes: Mapping[Index, int] | None = None,
    functions: Mapping[str, Callable[[Array], Array]] | None = None,
) -> tuple[Array, ...]:
    """Run ``program`` on one array for each input, and return its outputs.

    Sizes agree exactly, and an ellipsis is one axis.  ``sizes`` holds those of the
    indices that stand in the output alone, ``functions`` those of ``apply`` by symbol.
    """
    known = dict(sizes or {})
    values: dict[str, Array] = {}
    for value, array in zip(program.inputs, arrays, strict=True):
        known.update(zip(value.subscripts, array.shape, strict=True))
        values[value.name] = array
    for step in program.steps:
        arguments = [values[value.name] for value in step.arguments]
        values[step.result.name] = _compute(step, arguments, known, functions or {})
    return tuple(values[value.name] for value in program.outputs)


def _compute(
    step: Step,
    arguments: Sequence[Array],
    sizes: Mapping[Index, int],
    functions: Mapping[str, Callable[[Array], Array]],
) -> Array:
    match step.op:
        case Einsum():
            pairs = zip(step.op.operands, arguments, strict=True)
            found = {
                i: n for term, x in pairs for i, n in zip(term, x.shape, strict=True)
            }
            for letter, index in zip(
                step.op.output, step.result.subscripts, strict=True
            ):
                if letter not in found:
                    found[letter] = sizes[index]
            return _einsum(step.op, arguments, found)
        case Add():
            return np.asarray(arguments[0] + arguments[1])
        case Conj():
            return np.asarray(np.conj(arguments[0]))
        case Zero():
            return np.zeros_like(arguments[0])
        case Apply() if step.op.symbol in functions:
            return np.asarray(functions[step.op.symbol](arguments[0]))
    raise InternalError(f"cannot interpret {step}")


def _einsum(
    einsum: Einsum, arguments: Sequence[Array], sizes: Mapping[Index, int]
) -> Array:
    """Multiply over all indices at once, sum, and write onto the output's diagonal."""
    pairs = zip(arguments, einsum.operands, strict=True)
    factors = [_spread(array, term, einsum.indices) for array, term in pairs]
    product = functools.reduce(np.multiply, factors)
    product = np.broadcast_to(product, [sizes[index] for index in einsum.indices])
    summed = tuple(p for p, i in enumerate(einsum.indices) if i not in einsum.output)
    total = product.sum(axis=summed, dtype=product.dtype)
    kept = [index for index in einsum.indices if index in einsum.output]
    order = unique(einsum.output)
    total = np.transpose(total, [kept.index(index) for index in order])
    output = np.zeros([sizes[index] for index in einsum.output], product.dtype)
    places = np.indices(total.shape)
    where = tuple(places[order.index(index)] for index in einsum.output)
    output[where] = total
    return output


def _spread(array: Array, term: Subscripts, indices: Subscripts) -> Array:
    """Take the diagonal of repeated indices, and give every index an axis."""
    while len(set(term)) < len(term):
        first = next(p for p, i in enumerate(term) if i in term[p + 1 :])
        second = term.index(term[first], first + 1)
        array = np.diagonal(array, axis1=first, axis2=second)
        index = term[first]
        rest = [i for p, i in enumerate(term) if p not in (first, second)]
        term = (*rest, index)
    order = [term.index(index) for index in indices if index in term]
    shape = [array.shape[term.index(i)] if i in term else 1 for i in indices]
    return array.transpose(order).reshape(shape)
