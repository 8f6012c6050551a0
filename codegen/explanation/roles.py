"""Einsum, operand -> the index sets by name, and what each does to the gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter

from ..index_sets import index_sets
from ..spec import Einsum, Subscripts
from .formula import Prose, Word


@dataclass(frozen=True)
class Role:
    """Indices that play one part: their set (I, J, K or none), its name, its effect.

    The effect is what they do to the gradient.
    """

    set: str
    name: str
    indices: Subscripts
    effect: Prose


# The set and the effect; A is the operand, B the others, C the output, G its cotangent.
_EFFECTS = {
    "kept": ("I", "also in {C}: it comes in with {G}"),
    "lone": ("I", "summed alone: the gradient is constant along it"),
    "batch": ("J", "not summed: rides along, a problem of its own for each value"),
    "contracted": ("J", "summed in {C}: it comes back with {B}"),
    "outer": ("K", "also in {C}: the gradient sums over it"),
    "inner": ("K", "summed among the others, in the gradient as in {C}"),
    "summed": ("K", "summed alone, in the gradient as in {C}"),
    "new": ("", "{C} is constant along it: the gradient sums {G} over it"),
    "diagonal": ("", "repeated in {C}: only the diagonal of {G} counts"),
    "repeated": ("", "on several axes of {A}: the gradient is 0 off their diagonal"),
    "broadcast": ("", "size 1 in {A}: the gradient is summed over it, and keeps it"),
}

# K has its kept and lone indices too.
_NAMES = {"outer": "kept", "summed": "lone"}


def roles(
    einsum: Einsum,
    operand: int,
    broadcast: Subscripts,
    called: Mapping[str, Prose],
) -> tuple[Role, ...]:
    """List the sets that are not empty; ``called`` gives A, B, C and G.

    broadcast: the indices along which the operand has size 1 against a larger size.
    """
    sets = index_sets(einsum, operand)
    others = einsum.operands[:operand] + einsum.operands[operand + 1 :]
    shared = [i for i in sets.right_lone if sum(i in term for term in others) > 1]
    found: dict[str, Subscripts] = {
        "kept": sets.left_kept,
        "lone": sets.left_lone,
        "batch": sets.batch,
        "contracted": sets.contracted,
        "outer": sets.right_kept,
        "inner": tuple(shared),
        "summed": tuple(i for i in sets.right_lone if i not in shared),
        "new": sets.new,
        "diagonal": tuple(i for i in einsum.indices if einsum.output.count(i) > 1),
        "repeated": sets.repeated,
        "broadcast": broadcast,
    }
    return tuple(
        Role(part, _NAMES.get(name, name), found[name], _filled(effect, called))
        for name, (part, effect) in _EFFECTS.items()
        if found[name]
    )


def _filled(effect: str, called: Mapping[str, Prose]) -> Prose:
    """Put the arrays into the words of an effect."""
    found: list[Word] = []
    for words, field, _, _ in Formatter().parse(effect):
        found += [words, *(called[field] if field else ())]
    return tuple(found)
