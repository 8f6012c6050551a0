"""The content of an explanation, before it has a format."""

from __future__ import annotations

from dataclasses import dataclass

from ..spec import Einsum, Subscripts
from .costs import Costs
from .formula import Code, Entry, Equation, Partial, Prose, listed, marks
from .roles import Role
from .steps import Step
from .tree import Node

# The heading of what follows the einsum.
AFTER = "After the einsum"


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

    Arrays come with the name that the module gives them; layers is what follows the
    einsum, biases the gradients found there, remarks what goes for all gradients,
    source the text of the module and command what writes it.
    """

    einsum: Einsum
    arrays: tuple[tuple[Entry, str], ...]
    output: tuple[Entry, str]
    cotangent: tuple[Entry, str]
    loss: Entry
    forward: Equation
    forward_matrix: MatrixEquation | None
    layers: tuple[Step, ...]
    biases: tuple[tuple[str, Equation], ...]
    reason: str
    operands: tuple[Operand, ...]
    totals: tuple[Total, ...]
    tree: Node
    costs: Costs
    remarks: tuple[str, ...]
    source: str
    command: str

    @property
    def forward_layers(self) -> tuple[Equation, ...]:
        """The equations of what follows the einsum, in order."""
        return tuple(step.formulas[0] for step in reversed(self.layers))


def legend(content: Content) -> Prose:
    """Say what the symbols stand for."""
    named = {array.name: name for array, name in content.arrays}
    verb, noun = ("is", "operand") if len(named) == 1 else ("are", "operands")
    told = any(symbol != name for symbol, name in named.items())
    words = listed([(Code(name),) for name in named.values()]) if told else ()
    output, _ = content.output
    cotangent, parameter = content.cotangent
    return (
        *listed([(Entry(symbol),) for symbol in named]),
        *(f" {verb} the {noun}", " " if words else "", *words, ", ", output),
        *(" is the output. ", content.loss, " is any number computed from ", output),
        *(", and ", cotangent, " = ", Partial(content.loss, output), ", its "),
        *("cotangent, is the argument ", Code(parameter), " of backward."),
    )


def held(fixed: Subscripts) -> Prose:
    """Say for which values a matrix equation holds."""
    if not fixed:
        return ()
    return ("for every ", *listed([(mark,) for mark in marks(fixed)]))
