"""Request -> the letter that stands for each array in formulas.

Mathematicians write matrices as capitals: operands ``a`` and ``b`` of the module are
A and B here, vectors and scalars stay a and b, and longer names stay what they are; so
do all of them where a capital is an index.
"""

from __future__ import annotations

import string
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ..request import Request
from ..spec import ELLIPSIS, Subscripts


@dataclass(frozen=True)
class Symbols:
    """How formulas call the operands (by name), the output, its cotangent, the loss."""

    operands: Mapping[str, str]
    output: str
    cotangent: str
    loss: str


def symbols(request: Request) -> Symbols:
    """Choose a symbol for every array, no two alike."""
    terms = {place.name: place.subscripts for place in request.places}
    shown = {name: _styled(name, term) for name, term in terms.items()}
    indices = request.einsum.indices
    taken = any(symbol.isupper() and symbol in indices for symbol in shown.values())
    if taken or len({*shown.values()}) < len(shown):
        shown = {name: name for name in terms}
    used = {*shown.values()}
    output = _styled(request.output, request.einsum.output)
    if request.output == "output" or output in used | {"G", "g", "L"}:
        output = _next_letter(request.einsum.output, used, indices)
    used.add(output)
    cotangent = "g" if _is_small(request.einsum.output) else "G"
    return Symbols(
        operands=shown,
        output=output,
        cotangent=_free(cotangent, "Γ", used),
        loss=_free("L", "ℒ", used),
    )


def _is_small(term: Subscripts) -> bool:
    return len(term) <= 1 and ELLIPSIS not in term


def _styled(name: str, term: Subscripts) -> str:
    styled = name.upper() if len(name) == 1 and not _is_small(term) else name
    # The identity matrix is I.
    return "i" if styled == "I" else styled


def _next_letter(
    term: Subscripts, used: Collection[str], indices: Collection[str]
) -> str:
    """Return the letter after the operands': C after A and B, if it is no index."""
    taken = {name.lower() for name in used}
    letters = [
        c for c in string.ascii_lowercase if c not in "gil" and c.upper() not in indices
    ]
    last = max((letters.index(name) for name in taken & {*letters}), default=-1)
    free = [c for c in letters[last + 1 :] + letters[::-1] if c not in taken]
    if not free:
        return "output"
    (letter, *_) = free
    return letter if _is_small(term) else letter.upper()


def _free(symbol: str, otherwise: str, used: Collection[str]) -> str:
    return otherwise if symbol in used else symbol
