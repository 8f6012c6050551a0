"""Einsum -> gradient Einsums: the swap, and nothing else.

    forward     u,v->w
    gradient u  w,v->u
    gradient v  u,w->v

The output of an einsum is linear in each operand, and its derivative with respect to
one entry of u is 1 where the indices agree and 0 elsewhere; so the cotangent takes
the operand's place, and the operand's subscripts become the output.
"""

from __future__ import annotations

from .spec import Einsum


def gradient(einsum: Einsum, operand: int) -> Einsum:
    """Return the einsum that gives the gradient of one operand (from 0)."""
    before, after = einsum.operands[:operand], einsum.operands[operand + 1 :]
    return Einsum((*before, einsum.output, *after), einsum.operands[operand])


def gradients(einsum: Einsum) -> tuple[Einsum, ...]:
    """Return the gradient einsum of every operand, in order."""
    return tuple(gradient(einsum, k) for k in range(len(einsum.operands)))
