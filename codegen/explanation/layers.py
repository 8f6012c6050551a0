"""Program -> what follows the einsum: a sum with a bias, an elementwise function.

The chain rule takes the cotangent of the output back to that of the einsum; from there
on every gradient is that of an einsum.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..activations import Formula, read_activation
from ..gradient import gradient
from ..program import Add, Apply, Program, Value
from ..program import Step as Assignment
from ..spec import Einsum
from .formula import (
    Call,
    Entry,
    Equation,
    Gradient,
    Partial,
    Plus,
    Product,
    Prose,
    Written,
    listed,
    marks,
    total,
)
from .steps import Step


@dataclass(frozen=True)
class Layers:
    """The steps from the output back to the einsum, and what they call its result.

    output, cotangent: symbols of the einsum's result and of its cotangent; where
    nothing follows the einsum, those of the kernel.  symbols has those of all arrays,
    gradients what is found on the way, by the name of the operand.
    """

    steps: tuple[Step, ...]
    output: str
    cotangent: str
    symbols: Mapping[str, str]
    gradients: Mapping[str, Equation]


def layers(
    program: Program, symbols: Mapping[str, str], cotangent: str, loss: str
) -> Layers:
    """Derive what the cotangent becomes on its way to the einsum.

    symbols: those of the operands and of the output, by name.
    """
    called = dict(symbols)
    taken = {*called.values(), cotangent, loss}
    results = (c for c in "ZSTUVWXY" if c not in taken)
    cotangents = (c for c in "DPQR" if c not in taken)
    found: list[Step] = []
    gradients: dict[str, Equation] = {}
    value = program.outputs[0]
    for assignment in _after_the_einsum(program):
        argument = assignment.arguments[0]
        called[argument.name] = next(results)
        after = Entry(called[value.name], marks(value.subscripts))
        before = Entry(called[argument.name], marks(value.subscripts))
        known = Entry(cotangent, marks(value.subscripts))
        if isinstance(assignment.op, Apply):
            cotangent = next(cotangents)
            result = Entry(cotangent, marks(value.subscripts))
            found.append(_applied(assignment.op, after, before, known, result, loss))
        else:
            bias = _bias(assignment.arguments[1], program)
            found.append(_added(bias, called, (after, before, known), loss))
            gradients[bias[0].name] = found[-1].formulas[-1]
        value = argument
    return Layers(tuple(found), called[value.name], cotangent, called, gradients)


def _after_the_einsum(program: Program) -> Iterator[Assignment]:
    """Yield the sums and functions that end a program, last first."""
    made = {step.result.name: step for step in program.steps}
    step = made.get(program.outputs[0].name)
    while step is not None and isinstance(step.op, Add | Apply):
        yield step
        step = made.get(step.arguments[0].name)


def _applied(
    op: Apply, after: Entry, before: Entry, known: Entry, result: Entry, loss: str
) -> Step:
    """Multiply by the slope, entry by entry."""
    activation, _ = read_activation(op.symbol)
    forward = Equation((after, Call(op.function, before)))
    slope = Call(f"{op.function}'", before)
    backward = Equation((Partial(Entry(loss), before), result, Product((known, slope))))
    prose: Prose = (
        *(Entry(after.name), " is computed from ", Entry(before.name), " entry by "),
        *("entry, so by the chain rule each entry of the cotangent is multiplied by "),
        *("the slope there. Write ", Entry(result.name), " for the product. "),
        f"The function {activation.choice}.",
    )
    rows = [activation.formula, activation.derivative, *activation.terms]
    stated = [_stated(activation.filled(row, op.parameters)) for row in rows]
    title = f"The function {op.symbol}"
    return Step(title, prose, (forward, backward, *stated))


def _stated(formula: Formula) -> Equation:
    """Read ``f(x) = …`` of the table as an equation."""
    texts, latex = formula.text.split(" = ", 1), formula.latex.split(" = ", 1)
    sides = zip(texts, latex, strict=True)
    return Equation(tuple(Written(*side) for side in sides))


def _added(
    bias: tuple[Value, Einsum],
    called: Mapping[str, str],
    entries: tuple[Entry, Entry, Entry],
    loss: str,
) -> Step:
    """Pass the cotangent on, summed over the axes that the bias does not have."""
    after, before, known = entries
    value, spread = bias
    of = Entry(called.get(value.name, value.name), marks(spread.operands[0]))
    forward = Equation((after, Plus((before, of))))
    back = gradient(spread, 0)
    over = tuple(i for i in back.indices if i not in back.output)
    at = Entry(known.name, marks(spread.output))
    backward = Equation((Gradient(of, loss), total(over, at)))
    prose: Prose = (*(Entry(known.name), " is the cotangent of both summands."),)
    if over:
        along = listed([(mark,) for mark in marks(over)])
        prose += (" ", Entry(of.name), " serves every value of ", *along)
        prose += (", so its gradient is the sum over them.",)
    return Step("The sum", prose, (forward, backward))


def _bias(value: Value, program: Program) -> tuple[Value, Einsum]:
    """Return the operand that is added, and the einsum that spreads it."""
    for step in program.steps:
        if step.result == value and isinstance(step.op, Einsum):
            return step.arguments[0], step.op
    return value, Einsum((value.subscripts,), value.subscripts)
