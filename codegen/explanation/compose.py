"""Derivation -> Content: all that there is to say of a kernel."""

from __future__ import annotations

from collections.abc import Sequence

from ..derivation import Derivation
from ..module import module
from ..notation import broadcasting, convention, reason, summed
from ..render import render
from ..request import Request
from ..spec import Einsum, Subscripts
from .algebra import Factor, MatrixFormula, matrix_formula, slice_of
from .content import Content, MatrixEquation, Total
from .costs import costs
from .formula import Entry, Equation, Gradient, Prose, marks, product, total
from .layers import Layers, layers
from .operand import gradient_matrix, operand
from .place import Place
from .shared import factored, is_symmetrised, total_gradient
from .steps import Step
from .symbols import Symbols, symbols
from .tree import tree

# Of a spec with more operands the first gradients are shown, and no sum over places.
MOST_OPERANDS = 24
FIRST = 3


def compose(
    found: Derivation, shapes: Sequence[Sequence[int]] | None = None
) -> Content:
    """Say everything of a kernel; ``shapes`` tells which axes broadcast."""
    request = found.request
    einsum, called = request.einsum, symbols(request)
    known = {**called.operands, request.output: called.output}
    after = layers(found.forward, known, called.cotangent, called.loss)
    places = _places(request, called, after, shapes)
    wanted = [k for k, name in enumerate(request.operands) if name in request.wrt]
    shown = wanted if len(einsum.operands) <= MOST_OPERANDS else wanted[:FIRST]
    arrays = {name: Entry(symbol) for name, symbol in called.operands.items()}
    result = Entry(after.output)
    plain = [Factor(called.operands[name]) for name in request.operands]
    matrix = _stacked(result, einsum.output, matrix_formula(einsum, plain))
    return Content(
        einsum=einsum,
        arrays=tuple((array, name) for name, array in arrays.items()),
        output=(Entry(called.output), request.output),
        cotangent=(Entry(called.cotangent), found.joint.program.inputs[0].name),
        loss=Entry(called.loss),
        forward=_forward(einsum, [arrays[n] for n in request.operands], result),
        forward_matrix=None if any(places[0].broadcast) else matrix,
        layers=after.steps,
        biases=tuple(
            (name, equation)
            for name, equation in after.gradients.items()
            if name in request.wrt
        ),
        reason=reason(request),
        operands=tuple(operand(request, places[k]) for k in shown),
        totals=_totals(found, places, called),
        tree=tree(found.forward, after.symbols),
        costs=costs(found),
        remarks=_remarks(request, len(wanted) - len(shown)),
        source=render(module(found)),
        command=request.regenerate,
    )


def _remarks(request: Request, left_out: int) -> tuple[str, ...]:
    """Say what goes for all gradients, and how many are not written out."""
    rest = (
        f"{left_out} more gradients follow by the same rule; `eingrad gradients` "
        "prints the spec of each."
    )
    said = (convention(request).strip(), broadcasting(request))
    return tuple(filter(None, (rest if left_out else "", *said)))


def _places(
    request: Request,
    called: Symbols,
    after: Layers,
    shapes: Sequence[Sequence[int]] | None,
) -> list[Place]:
    names = request.operands
    arrays = tuple(
        Entry(called.operands[name], place=_number(names, k))
        for k, name in enumerate(names)
    )
    terms = request.einsum.operands
    broadcast = tuple(
        _broadcast(request, term, shapes[k]) if shapes else ()
        for k, term in enumerate(terms)
    )
    return [
        Place(
            request.einsum,
            k,
            arrays,
            after.output,
            after.cotangent,
            called.loss,
            broadcast,
        )
        for k, _ in enumerate(names)
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


def _totals(
    found: Derivation, places: Sequence[Place], called: Symbols
) -> tuple[Total, ...]:
    """Add up the places of every array that has several."""
    request = found.request
    totals: list[Total] = []
    if len(places) > MOST_OPERANDS:
        return ()
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
    parts = [gradient_matrix(place, told_apart=False) for place in own]
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
