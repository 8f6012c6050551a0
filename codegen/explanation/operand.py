"""One operand of a spec: its index sets, and its gradient in both notations."""

from __future__ import annotations

from ..gradient import gradient
from ..notation import WRITTEN_OUT
from ..request import Request
from .algebra import Factor, matrix_formula, slice_of
from .content import MatrixEquation, Operand, held
from .formula import Entry, Equation, Gradient, Prose, listed, marks
from .place import Place
from .roles import roles
from .steps import Step, broadcast_formula, derivation, gradient_formula


def gradient_matrix(
    place: Place, *, conjugated: bool = False, told_apart: bool = True
) -> MatrixEquation | None:
    """Write a gradient in matrix algebra, where it has such a form."""
    factors = [Factor(a.name, a.place * told_apart, conjugated) for a in place.arrays]
    factors[place.operand] = Factor(place.cotangent)
    found = matrix_formula(gradient(place.einsum, place.operand), factors)
    if found is None or any(place.broadcast):
        return None
    array = Entry(place.array.name, place=place.array.place * told_apart)
    left = slice_of(array, place.subscripts, found.fixed)
    sides = (Gradient(left, place.loss), found.formula)
    return MatrixEquation(Equation(sides), found.fixed)


def operand(request: Request, place: Place) -> Operand:
    """Say all of the operand at one place of the spec."""
    others = place.arrays[: place.operand] + place.arrays[place.operand + 1 :]
    many: Prose = ("the others",)
    called: dict[str, Prose] = {
        "A": (place.array,),
        "B": listed([(other,) for other in others]) if len(others) < 3 else many,
        "C": (Entry(place.output),),
        "G": (Entry(place.cotangent),),
    }
    own = place.broadcast[place.operand]
    steps: tuple[Step, ...] = ()
    matrix = gradient_matrix(place)
    written = broadcast_formula if any(place.broadcast) else gradient_formula
    if len(request.operands) <= WRITTEN_OUT:
        steps = (*derivation(place), *_more_steps(request, place, matrix))
    return Operand(
        name=request.operands[place.operand],
        array=place.array,
        subscripts=place.subscripts,
        roles=roles(place.einsum, place.operand, own, called),
        steps=steps,
        spec=gradient(place.einsum, place.operand),
        indexed=written(place),
        matrix=matrix,
    )


def _more_steps(
    request: Request, place: Place, matrix: MatrixEquation | None
) -> list[Step]:
    """Write the gradient as matrices, for complex arrays, and for axes of size 1."""
    steps = []
    if matrix is not None:
        steps.append(
            Step("As matrices", _sentence(held(matrix.fixed)), (matrix.equation,))
        )
    # Activations take real numbers only.
    real = request.complex == "transpose" or request.activation is not None
    if not real and place.others:
        equations = [gradient_formula(place, conjugated=True)]
        turned = gradient_matrix(place, conjugated=True)
        equations += [turned.equation] if turned else []
        prose: Prose = ("What multiplies ", Entry(place.cotangent), " is conjugated.")
        steps.append(Step("Complex arrays", prose, tuple(equations)))
    if any(place.broadcast):
        equation = broadcast_formula(place)
        steps.append(Step("Axes of size 1", _broadcast_prose(place), (equation,)))
    return steps


def _broadcast_prose(place: Place) -> Prose:
    said: list[Prose] = []
    for array, indices in zip(place.arrays, place.broadcast, strict=True):
        along = listed([(mark,) for mark in marks(indices)])
        said += [(array, " has size 1 along ", *along)] if indices else []
    return (*listed(said), ": one entry serves all values.")


def _sentence(words: Prose) -> Prose:
    """Make ``for every b`` the start of a sentence that an equation ends."""
    return ("F", str(words[0])[1:], *words[1:], ":") if words else ()
