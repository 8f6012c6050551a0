"""One array in several places: its gradient is the sum of what each place gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..program import Add, Program, Value
from .formula import (
    Entry,
    Equation,
    Formula,
    Gradient,
    Hadamard,
    Mark,
    Number,
    Plus,
    Product,
    Sum,
    Turned,
    factors_of,
    marks,
    product,
    total,
)
from .place import ZERO, Place


def total_gradient(places: Sequence[Place]) -> Equation:
    """Add the gradients of an array's places, in the indices of the first.

    Where an index repeats in one of them, no renaming of indices joins them, and the
    sum is that of the arrays.
    """
    name, loss = places[0].array.name, places[0].loss
    if any(len(set(p.subscripts)) < len(p.subscripts) for p in places):
        parts = tuple(Gradient(place.array, loss) for place in places)
        return Equation((Gradient(Entry(name), loss), Plus(parts)))
    asked = places[0].entries[places[0].operand].marks
    of = Gradient(Entry(name, asked), loss)
    given = [_contribution(place, asked) for place in places]
    return Equation((of, added(given, numbers=True)))


def _contribution(place: Place, asked: Sequence[Mark]) -> Formula:
    """Write what one place gives, its indices renamed to those of the entry asked."""
    pairs = zip(place.subscripts, asked, strict=True)
    renamed = {index: mark for index, mark in pairs if mark != ZERO}
    # Letters that the renaming sets free serve those whose letter it takes.
    free = [mark for mark in map(Mark, renamed) if mark not in asked]
    rest = [index for index in place.einsum.indices if index not in renamed]
    for index in rest:
        renamed[index] = free.pop(0) if Mark(index) in asked else Mark(index)
    others = [entry for k, entry in enumerate(place.entries) if k != place.operand]
    cotangent = Entry(place.cotangent, marks(place.einsum.output))
    factors = [
        Entry(entry.name, tuple(renamed.get(mark.index, ZERO) for mark in entry.marks))
        for entry in (cotangent, *others)
    ]
    return total(tuple(renamed[index].index for index in rest), product(factors))


def added(terms: Sequence[Formula], *, numbers: bool = False) -> Formula:
    """Add formulas, of matrices or of numbers; equal ones become a multiple."""
    groups: dict[object, list[Formula]] = {}
    for term in terms:
        groups.setdefault(_unordered(term, numbers), []).append(term)
    multiples = tuple(
        product([Number(len(same)), *factors_of(same[0])]) if same[1:] else same[0]
        for same in groups.values()
    )
    return multiples[0] if len(multiples) == 1 else Plus(multiples)


def _unordered(formula: Formula, numbers: bool) -> object:
    """Return what is one for formulas that differ in the order of their factors."""
    match formula:
        case Sum(over, body):
            return Sum, frozenset(over), _unordered(body, numbers)
        case Product(factors) if numbers:
            return Product, frozenset(Counter(factors).items())
        case Hadamard(factors):
            return Hadamard, frozenset(Counter(factors).items())
    return formula


def factored(terms: Sequence[Formula]) -> Formula:
    """Add matrix formulas, with the factors that all share outside of brackets.

    G X + Gᵀ X becomes (G + Gᵀ) X.
    """
    total = added(terms)
    if not isinstance(total, Plus):
        return total
    rows = [list(factors_of(term)) for term in total.terms]
    shortest = min(map(len, rows))
    before = _common(rows, shortest - 1)
    backwards = [row[::-1] for row in rows]
    after = _common(backwards, shortest - 1 - before)
    if before + after == 0:
        return total
    inner = [product(row[before : len(row) - after]) for row in rows]
    inner.sort(key=lambda term: isinstance(term, Turned))
    ends = rows[0][len(rows[0]) - after :]
    return product([*rows[0][:before], Plus(tuple(inner)), *ends])


def _common(rows: Sequence[Sequence[Formula]], most: int) -> int:
    """Count the first factors that all rows share."""
    count = 0
    while count < most and all(row[count] == rows[0][count] for row in rows):
        count += 1
    return count


def is_symmetrised(program: Program, gradient: str) -> bool:
    """Tell whether a gradient is one contraction of a cotangent plus its transpose."""
    made = {step.result.name: step for step in program.steps}

    def is_with_transpose(value: Value) -> bool:
        step = made.get(value.name)
        if step is None or not isinstance(step.op, Add):
            return False
        one, other = step.arguments
        return other.name in made and made[other.name].arguments == (one,)

    step = made.get(gradient)
    return step is not None and any(map(is_with_transpose, step.arguments))
