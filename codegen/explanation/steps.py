"""Einsum, operand -> the derivation of one gradient, as one writes it by hand.

The entry that is asked about has starred indices.  The chain rule sums over the
entries of the output; the derivative of one entry by another is made of Kronecker
deltas; each delta leaves one term of a sum; what is left is an einsum, the swap.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..gradient import gradient
from ..notation import summed
from ..spec import Subscripts, unique
from .formula import (
    Entry,
    Equation,
    Formula,
    Gradient,
    Mark,
    Partial,
    Product,
    Prose,
    listed,
    marks,
    product,
    total,
)
from .place import Place, entry, put


@dataclass(frozen=True)
class Step:
    """A step of the derivation: its name, what is done and why, and the equations."""

    title: str
    prose: Prose
    formulas: tuple[Equation, ...]


def derivation(place: Place) -> tuple[Step, ...]:
    """Derive the gradient of the loss with respect to one operand."""
    return (_chain_rule(place), _partial(place), _survivors(place), _swap(place))


_STARS: Prose = ("Stars mark the entry whose gradient is asked for. ",)


def _chain_rule(place: Place) -> Step:
    w = place.einsum.output
    output = Entry(place.output, marks(w))
    factors = (Partial(Entry(place.loss), output), Partial(output, place.asked))
    body = total(unique(w), Product(factors))
    through = "through each entry of " if w else "through "
    prose: Prose = (Entry(place.loss), " depends on ", place.asked, f" {through}")
    prose += (Entry(place.output), ".")
    if place.subscripts:
        prose = (*_STARS, *prose)
    if len(unique(w)) < len(w):
        prose += (" Off its diagonal ", Entry(place.output), " is 0 whatever ")
        prose += (place.array, " is, so the diagonal is enough.")
    asked = Partial(Entry(place.loss), place.asked)
    return Step("Chain rule", prose, (Equation((asked, body)),))


@dataclass(frozen=True)
class _Slope:
    """The derivative of an entry of the output by the entry asked about."""

    over: Subscripts
    factors: tuple[Formula, ...]


def _slope(place: Place) -> _Slope:
    """Take the sums over the operand's own indices, by their deltas."""
    over = summed(place.einsum)
    chosen = {i: star for i, star in place.first.items() if i in over}
    deltas = [d for d in place.deltas if d.left.index not in over]
    deltas += [d for d in place.diagonal if d.left.index in over]
    rest = tuple(i for i in over if i not in chosen)
    return _Slope(rest, (*deltas, *place.factors(chosen)))


def _partial(place: Place) -> Step:
    output = Entry(place.output, marks(place.einsum.output))
    whole = total(summed(place.einsum), product([*place.deltas, *place.factors({})]))
    slope = _slope(place)
    short = total(slope.over, product(slope.factors))
    sides = dict.fromkeys([Partial(output, place.asked), whole, short])
    prose: Prose = (Entry(place.output), " is linear in ", place.array)
    if place.subscripts:
        equal: list[Prose] = [(d.left, " = ", d.right) for d in place.deltas]
        one = entry(place.array, marks(place.subscripts))
        prose += (", and the derivative of ", one, " by ", place.asked, " is 1 where ")
        prose += (*listed(equal), ", else 0: ")
        prose += (
            "a product of Kronecker deltas" if equal[1:] else "Kronecker's delta",
        )
    prose += (".", *_lone_prose(place))
    return Step("Partial derivative", prose, (Equation(tuple(sides)),))


def _lone_prose(place: Place) -> Prose:
    """Say what becomes of a sum over an index that only the operand has."""
    held = {i for term in (*place.others, place.einsum.output) for i in term}
    lone = [i for i in place.first if i not in held and place.subscripts.count(i) == 1]
    if not lone:
        return ()
    stars: list[Prose] = [(place.first[i],) for i in lone]
    sums: list[Prose] = [(Mark(i),) for i in lone]
    verb = "is" if len(lone) == 1 else "are"
    return (
        *(" The sum over ", *listed(sums), " has one such term, whatever "),
        *(*listed(stars), f" {verb}."),
    )


def _survivors(place: Place) -> Step:
    w = place.einsum.output
    cotangent = Entry(place.cotangent)
    slope = _slope(place)
    over = tuple(i for i in place.einsum.indices if i in (*w, *slope.over))
    whole = total(over, product([entry(cotangent, marks(w)), *slope.factors]))
    rest = tuple(i for i in place.einsum.indices if i not in place.subscripts)
    left = [
        entry(cotangent, put(place.first, w)),
        *place.diagonal,
        *place.factors(place.first),
    ]
    asked = Partial(Entry(place.loss), place.asked)
    sides = dict.fromkeys([asked, whole, total(rest, product(left))])
    prose: Prose = (
        *("Write ", cotangent, " for "),
        *(Partial(Entry(place.loss), Entry(place.output)), "."),
    )
    picked = [i for i in place.first if i in w]
    if picked:
        equal: list[Prose] = [(Mark(i), " = ", place.first[i]) for i in picked]
        sums: list[Prose] = [(Mark(i),) for i in picked]
        prose += (" Of the sum over ", *listed(sums), " only the term with ")
        prose += (*listed(equal), " is left.")
    return Step("What survives", prose, (Equation(tuple(sides)),))


def _swap(place: Place) -> Step:
    spec = gradient(place.einsum, place.operand)
    prose: Prose = (
        *("Without the stars, this is the einsum ", spec, ": "),
        *(Entry(place.cotangent), " stands where ", place.array, " stood, and the "),
        *("indices of ", place.array, " are the output."),
    )
    if len(place.first) < len(place.subscripts):
        prose += (" Off the diagonal the gradient is 0.",)
    return Step("The swap", prose, (gradient_formula(place),))


def gradient_formula(place: Place, *, conjugated: bool = False) -> Equation:
    """Write the entries of the gradient in index notation."""
    rest = tuple(i for i in place.einsum.indices if i not in place.subscripts)
    cotangent = Entry(place.cotangent, marks(place.einsum.output))
    body = product([cotangent, *place.factors({}, conjugated=conjugated)])
    of = entry(place.array, marks(place.subscripts))
    return Equation((Gradient(of, place.loss), total(rest, body)))


def broadcast_formula(place: Place) -> Equation:
    """Write the gradient where operands have axes of size 1, whose one entry is 0."""
    others = list(place.entries)
    of = others.pop(place.operand)
    own = place.broadcast[place.operand]
    rest = [i for i in place.einsum.indices if i not in place.subscripts or i in own]
    cotangent = Entry(place.cotangent, marks(place.einsum.output))
    body = total(tuple(rest), product([cotangent, *others]))
    return Equation((Gradient(of, place.loss), body))
