"""Gradients as somebody would write them who only has an einsum function.

The gradient of an operand is the swapped einsum.  An einsum function cannot write an
index that is new, nor one that repeats, so those are done by hand: a broadcast, and
a write through the diagonal of zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from workloads import Array, Shape, Workload


@dataclass(frozen=True)
class Gradient:
    """One gradient: einsum ``spec`` of the cotangent and ``others``, then a write.

    ``spec`` is None where the cotangent itself is what has to be written.
    """

    spec: str | None
    others: tuple[int, ...]
    operand_shapes: tuple[Shape, ...]
    distinct: str
    kept: str
    subscripts: str
    shape: Shape

    def conjugated(self, operands: Sequence[Array]) -> list[Array]:
        """Return the other operands, conjugated if they are complex."""
        others = [operands[k] for k in self.others]
        return [x.conj() if x.dtype.kind == "c" else x for x in others]

    def write(self, core: Array) -> Array:
        """Give the einsum's result the operand's indices."""
        if self.kept == self.subscripts:
            return core
        if self.distinct == self.subscripts:
            result = view = np.empty(self.shape, core.dtype)
        else:
            result = np.zeros(self.shape, core.dtype)
            view = np.einsum(f"{self.subscripts}->{self.distinct}", result)
        spread = tuple(slice(None) if i in self.kept else None for i in self.distinct)
        view[...] = np.asarray(core)[spread]
        return result


def gradients(workload: Workload) -> tuple[Gradient, ...]:
    """Return the gradient of every operand."""
    return tuple(_gradient(workload, k) for k in range(len(workload.shapes)))


def _gradient(workload: Workload, position: int) -> Gradient:
    terms, output = workload.terms
    subscripts = terms[position]
    others = tuple(k for k in range(len(terms)) if k != position)
    inputs = [output, *(terms[k] for k in others)]
    distinct = "".join(dict.fromkeys(subscripts))
    kept = "".join(i for i in distinct if any(i in term for term in inputs))
    shapes = (workload.output_shape, *(workload.shapes[k] for k in others))
    return Gradient(
        spec=None if inputs == [kept] else f"{','.join(inputs)}->{kept}",
        others=others,
        operand_shapes=shapes,
        distinct=distinct,
        kept=kept,
        subscripts=subscripts,
        shape=workload.shapes[position],
    )
