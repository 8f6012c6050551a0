"""Derivation -> Content: all that an explanation says, before it has a format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..gradient import gradient
from ..module import Derivation
from ..notation import BROADCAST, WRITTEN_OUT, convention, reason, summed
from ..request import Request
from ..spec import Einsum, Subscripts
from .algebra import Factor, MatrixFormula, matrix_formula, slice_of
from .costs import Costs, costs
from .formula import (
    Entry,
    Equation,
    Formula,
    Gradient,
    Partial,
    Prose,
    listed,
    marks,
    product,
    total,
)
from .formula_text import text_of
from .roles import Role, roles
from .shared import factored, is_symmetrised, total_gradient
from .steps import Place, Step, derivation, gradient_formula
from .symbols import Symbols, symbols
from .tree import Node, tree


@dataclass(frozen=True)
class MatrixEquation:
    """An equation of matrix algebra, for every value of the ``fixed`` indices."""

    equation: Equation
    fixed: Subscripts


@dataclass(frozen=True)
class Operand:
    """What there is to say of one operand: its index sets and its gradient.

    name is the module's, array what formulas call it; steps is empty where the
    operand is one of very many.
    """

    name: str
    array: Entry
    subscripts: Subscripts
    roles: tuple[Role, ...]
    steps: tuple[Step, ...]
    spec: Einsum
    indexed: Equation
    matrix: MatrixEquation | None

    @property
    def shortest(self) -> Equation:
        """The gradient as matrices, or in index notation."""
        return self.matrix.equation if self.matrix else self.indexed


@dataclass(frozen=True)
class Total:
    """The gradient of an array that stands in several places."""

    name: str
    array: Entry
    step: Step

    @property
    def shortest(self) -> Equation:
        """The last equation of the step: as matrices, or in index notation."""
        return self.step.formulas[-1]


@dataclass(frozen=True)
class Content:
    """The explanation of a spec and its options.

    places lists the symbol, name and subscripts of each operand; remarks holds what
    goes for all gradients.
    """

    einsum: Einsum
    places: tuple[tuple[Entry, str, Subscripts], ...]
    output: tuple[Entry, str, Subscripts]
    cotangent: tuple[Entry, str]
    loss: Entry
    forward: Equation
    forward_matrix: MatrixEquation | None
    reason: str
    operands: tuple[Operand, ...]
    totals: tuple[Total, ...]
    tree: Node
    costs: Costs
    remarks: tuple[str, ...]


def content(
    found: Derivation, shapes: Sequence[Sequence[int]] | None = None
) -> Content:
    """Say everything of a kernel; ``shapes`` tells which axes broadcast."""
    request = found.request
    einsum, called = request.einsum, symbols(request)
    places = _places(request, called, shapes)
    wanted = [k for k, name in enumerate(request.operands) if name in request.wrt]
    arrays = {name: Entry(symbol) for name, symbol in called.operands.items()}
    output = Entry(called.output)
    plain = [Factor(called.operands[name]) for name in request.operands]
    return Content(
        einsum=einsum,
        places=tuple(
            (place.array, name, place.subscripts)
            for place, name in zip(places, request.operands, strict=True)
        ),
        output=(output, request.output, einsum.output),
        cotangent=(Entry(called.cotangent), found.joint.program.inputs[0].name),
        loss=Entry(called.loss),
        forward=_forward(einsum, [arrays[n] for n in request.operands], output),
        forward_matrix=_stacked(output, einsum.output, matrix_formula(einsum, plain)),
        reason=reason(einsum),
        operands=tuple(_operand(request, places[k], wanted) for k in wanted),
        totals=_totals(found, places, called),
        tree=tree(found.forward, {**called.operands, request.output: called.output}),
        costs=costs(found),
        remarks=tuple(
            text for text in (convention(request).strip(), BROADCAST) if text
        ),
    )


def legend(content: Content) -> Prose:
    """Say what the symbols stand for."""
    named = {array.name: name for array, name, _ in content.places}
    verb, noun = ("is", "operand") if len(named) == 1 else ("are", "operands")
    words = listed([(name,) for symbol, name in named.items() if symbol != name])
    output, _, _ = content.output
    cotangent, parameter = content.cotangent
    return (
        *listed([(Entry(symbol),) for symbol in named]),
        *(f" {verb} the {noun}", " " if words else "", *words, ", ", output),
        *(" is the output. ", content.loss, " is any number computed from ", output),
        *(", and ", cotangent, " = ", Partial(content.loss, output), ", its "),
        f"cotangent, is the argument {parameter} of backward.",
    )


def _places(
    request: Request, called: Symbols, shapes: Sequence[Sequence[int]] | None
) -> list[Place]:
    names = request.operands
    arrays = tuple(
        Entry(called.operands[name], place=_number(names, k))
        for k, name in enumerate(names)
    )
    return [
        Place(
            request.einsum,
            k,
            arrays,
            called.output,
            called.cotangent,
            called.loss,
            _broadcast(request, term, shapes[k]) if shapes else (),
        )
        for k, term in enumerate(request.einsum.operands)
    ]


def _number(names: Sequence[str], place: int) -> int:
    """Return the number of a place among those of its array; 0 where it has one."""
    name = names[place]
    return names[: place + 1].count(name) if names.count(name) > 1 else 0


def _broadcast(request: Request, term: Subscripts, shape: Sequence[int]) -> Subscripts:
    """List the indices along which an array of this shape has size 1 and others not."""
    sizes = zip(term, shape, strict=True)
    return tuple(dict.fromkeys(i for i, n in sizes if n == 1 != request.sizes[i]))


def _forward(einsum: Einsum, arrays: Sequence[Entry], output: Entry) -> Equation:
    entries = [
        Entry(array.name, marks(term))
        for array, term in zip(arrays, einsum.operands, strict=True)
    ]
    body = total(summed(einsum), product(entries))
    return Equation((Entry(output.name, marks(einsum.output)), body))


def _stacked(
    array: Entry, term: Subscripts, found: MatrixFormula | None
) -> MatrixEquation | None:
    """Set a slice of ``array`` equal to a matrix formula."""
    if found is None:
        return None
    left = slice_of(array, term, found.fixed)
    return MatrixEquation(Equation((left, found.formula)), found.fixed)


def _gradient_matrix(
    place: Place, *, conjugated: bool = False, told_apart: bool = True
) -> MatrixEquation | None:
    """Write a gradient in matrix algebra, where it has such a form."""
    factors = [Factor(a.name, a.place * told_apart, conjugated) for a in place.arrays]
    factors[place.operand] = Factor(place.cotangent)
    found = matrix_formula(gradient(place.einsum, place.operand), factors)
    if found is None or place.broadcast:
        return None
    array = Entry(place.array.name, place=place.array.place * told_apart)
    left = slice_of(array, place.subscripts, found.fixed)
    sides = (Gradient(left, place.loss), found.formula)
    return MatrixEquation(Equation(sides), found.fixed)


def _operand(request: Request, place: Place, wanted: Sequence[int]) -> Operand:
    spelt = [text_of(a) for a in place.arrays]
    others = spelt[: place.operand] + spelt[place.operand + 1 :]
    names = {
        "A": text_of(place.array),
        "B": " and ".join(others) if len(others) < 3 else "the others",
        "C": place.output,
        "G": place.cotangent,
    }
    steps: tuple[Step, ...] = ()
    matrix = _gradient_matrix(place)
    if len(request.operands) <= WRITTEN_OUT:
        steps = (*derivation(place), *_more_steps(request, place, matrix))
    return Operand(
        name=request.operands[place.operand],
        array=place.array,
        subscripts=place.subscripts,
        roles=roles(place.einsum, place.operand, place.broadcast, names),
        steps=steps,
        spec=gradient(place.einsum, place.operand),
        indexed=gradient_formula(place, conjugated=False),
        matrix=matrix,
    )


def _more_steps(
    request: Request, place: Place, matrix: MatrixEquation | None
) -> list[Step]:
    """Write the gradient as matrices, for complex arrays, and for axes of size 1."""
    steps = []
    if matrix is not None:
        steps.append(Step("As matrices", _held(matrix.fixed), (matrix.equation,)))
    if request.complex == "adjoint" and place.others:
        equations = [gradient_formula(place, conjugated=True)]
        turned = _gradient_matrix(place, conjugated=True)
        equations += [turned.equation] if turned else []
        prose: Prose = ("What multiplies ", Entry(place.cotangent), " is conjugated.")
        steps.append(Step("Complex arrays", prose, tuple(equations)))
    if place.broadcast:
        summed_axes = gradient_formula(place, conjugated=False, summed_axes=True)
        text = ", ".join(place.broadcast)
        prose = (place.array, f" has size 1 along {text}: one entry serves all values.")
        steps.append(Step("Axes of size 1", prose, (summed_axes,)))
    return steps


def _held(fixed: Subscripts) -> Prose:
    if not fixed:
        return ()
    found: list[str | Formula] = ["For every "]
    return (*found, *_comma(fixed), ":")


def _comma(fixed: Subscripts) -> Prose:
    return listed([(mark,) for mark in marks(fixed)])


def _totals(
    found: Derivation, places: Sequence[Place], called: Symbols
) -> tuple[Total, ...]:
    """Add up the places of every array that has several."""
    request = found.request
    totals = []
    for name in request.wrt:
        own = [p for p, n in zip(places, request.operands, strict=True) if n == name]
        if len(own) > 1:
            totals.append(_total(found, name, own, called))
    return tuple(totals)


def _total(
    found: Derivation, name: str, own: Sequence[Place], called: Symbols
) -> Total:
    array = Entry(called.operands[name])
    equations = [total_gradient(own)]
    parts = [_gradient_matrix(place, told_apart=False) for place in own]
    known = [p.equation.sides[-1] for p in parts if p is not None and not p.fixed]
    if len(known) == len(own):
        left = Gradient(array, called.loss)
        equations.append(Equation((left, factored(known))))
    outputs = dict(zip(found.request.wrt, found.joint.program.outputs[1:], strict=True))
    prose: Prose = (
        *(array, f" is {len(own)} operands at once, and a change of it changes them "),
        "all: by the product rule its gradient is the sum of theirs.",
    )
    if is_symmetrised(found.joint.program, outputs[name].name):
        prose += (
            " The two differ by a transposition, so the module adds the cotangent and"
            " its transpose first, and contracts once.",
        )
    step = Step("The sum over the places", prose, tuple(equations))
    return Total(name, array, step)
