"""Program -> Program: reverse mode and forward mode.

Both know one rule for each operation, and the rule for einsum is the swap of
``gradient.py``: an einsum is linear in each argument, so its tangent replaces the
argument by the tangent, and its cotangent replaces the argument by the cotangent.
Either takes what the other gives: forward mode of a reverse program is a
Hessian-vector product.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from .errors import InternalError
from .gradient import gradient
from .program import Add, Apply, Conj, Names, Op, Program, Step, Value, Zero
from .spec import Einsum


@dataclass
class _Sweep:
    """The steps written so far, and the cotangents or tangents of values by name."""

    names: Names
    steps: list[Step]
    linear: dict[str, Value] = field(default_factory=dict)

    def step(self, stem: str, like: Value, op: Op, *args: Value) -> Value:
        """Write ``op(args)`` and return its result, which has the shape of ``like``."""
        result = Value(self.names.fresh(stem), like.subscripts)
        self.steps.append(Step(result, op, args))
        return result

    def accumulate(self, stem: str, value: Value, contribution: Value) -> None:
        """Add a contribution to the cotangent or tangent of ``value``."""
        known = self.linear.get(value.name)
        if known is not None:
            contribution = self.step(stem, value, Add(), known, contribution)
        self.linear[value.name] = contribution


def _depends_on(program: Program, wanted: Collection[str]) -> set[str]:
    """Return the names of the values that are computed from those wanted."""
    active = set(wanted)
    for step in program.steps:
        moves = not isinstance(step.op, Zero)
        if moves and any(value.name in active for value in step.arguments):
            active.add(step.result.name)
    return active


def reverse_mode(program: Program, wrt: Sequence[str], *, adjoint: bool) -> Program:
    """Return the program that takes the inputs and a cotangent to the gradients.

    Its inputs are the cotangent ``grad_<output>`` and the inputs of ``program``; its
    outputs are the gradients of the inputs named in ``wrt``, in that order.  With
    ``adjoint`` the gradient of A is einsum(g, conj(B)), so that
    Re<g, J t> = Re<gradient, t>; without, nothing is conjugated.
    """
    (output,) = program.outputs
    active = _depends_on(program, wrt)
    sweep = _Sweep(Names(program.names), list(program.steps))
    cotangent = Value(sweep.names.fresh(f"grad_{output.name}"), output.subscripts)
    factors = _factors(program, active)
    # conj(Jᵀ conj(g)) is Jᴴ g: cheaper than conjugating many factors one by one.
    outside = adjoint and len(factors) > 1 + len(wrt)
    conjugates = _conjugates(sweep, factors) if adjoint and not outside else {}
    start = (
        sweep.step("conj_grad", cotangent, Conj(), cotangent) if outside else cotangent
    )
    sweep.linear[output.name] = start
    for step in reversed(program.steps):
        if step.result.name in active:
            _pull_back(sweep, step, active, conjugates)

    values = {value.name: value for value in program.inputs}
    gradients = [_gradient_of(sweep, values[name], cotangent) for name in wrt]
    if outside:
        gradients = [sweep.step(g.name, g, Conj(), g) for g in gradients]
    inputs = (cotangent, *program.inputs)
    return Program(inputs, tuple(sweep.steps), tuple(gradients))


def _gradient_of(sweep: _Sweep, value: Value, cotangent: Value) -> Value:
    found = sweep.linear.get(value.name)
    if found is None:
        raise InternalError(f"{value} has no cotangent")
    if found is cotangent:
        copy = Einsum((found.subscripts,), found.subscripts)
        return sweep.step(f"grad_{value.name}", value, copy, found)
    return found


def _factors(program: Program, active: Collection[str]) -> list[Value]:
    """List the values that multiply a cotangent in the reverse sweep, each once."""
    found: dict[str, Value] = {}
    for step in program.steps:
        for k, argument in enumerate(step.arguments):
            if isinstance(step.op, Einsum) and argument.name in active:
                others = step.arguments[:k] + step.arguments[k + 1 :]
                found.update({value.name: value for value in others})
    return list(found.values())


def _conjugates(sweep: _Sweep, values: Sequence[Value]) -> dict[str, Value]:
    return {v.name: sweep.step(f"conj_{v.name}", v, Conj(), v) for v in values}


def _pull_back(
    sweep: _Sweep, step: Step, active: Collection[str], conjugates: dict[str, Value]
) -> None:
    """Add what the cotangent of a step's result gives to each active argument."""
    cotangent = sweep.linear[step.result.name]
    for k, argument in enumerate(step.arguments):
        if argument.name not in active:
            continue
        stem = f"grad_{argument.name}"
        match step.op:
            case Einsum():
                swapped = [conjugates.get(v.name, v) for v in step.arguments]
                swapped[k] = cotangent
                rule = gradient(step.op, k)
                contribution = sweep.step(stem, argument, rule, *swapped)
            case Add():
                contribution = cotangent
            case Conj():
                contribution = sweep.step(stem, argument, Conj(), cotangent)
            case Apply():
                contribution = _scaled(sweep, stem, step, step.op, cotangent)
        sweep.accumulate(stem, argument, contribution)


def forward_mode(program: Program, along: Sequence[str] | None = None) -> Program:
    """Return the program that takes inputs and tangents to outputs and their tangents.

    Its inputs are those of ``program``, then a ``tangent_<name>`` for each of those in
    ``along``, in that order, by default all; the others stay as they are.
    """
    sweep = _Sweep(Names(program.names), list(program.steps))
    values = {value.name: value for value in program.inputs}
    for name in values if along is None else along:
        tangent = sweep.names.fresh(f"tangent_{name}")
        sweep.linear[name] = Value(tangent, values[name].subscripts)
    tangents = tuple(sweep.linear.values())
    for step in program.steps:
        _push_forward(sweep, step)
    # An input of the same axes, if there is one, spares the work for an output.
    alike = {value.subscripts: value for value in program.inputs}
    moved = tuple(
        sweep.linear.get(value.name)
        or sweep.step(
            f"tangent_{value.name}",
            value,
            Zero(),
            alike.get(value.subscripts, value),
        )
        for value in program.outputs
    )
    inputs = (*program.inputs, *tangents)
    return Program(inputs, tuple(sweep.steps), (*program.outputs, *moved))


def _push_forward(sweep: _Sweep, step: Step) -> None:
    """Compute the tangent of a step's result from those that its arguments have."""
    result, stem = step.result, f"tangent_{step.result.name}"
    found = [sweep.linear.get(value.name) for value in step.arguments]
    tangents = [tangent for tangent in found if tangent is not None]
    match step.op:
        case Einsum():
            for k, tangent in enumerate(found):
                if tangent is None:
                    continue
                arguments = list(step.arguments)
                arguments[k] = tangent
                part = f"along_{step.arguments[k].name}"
                contribution = sweep.step(part, result, step.op, *arguments)
                sweep.accumulate(stem, result, contribution)
        case Add() if len(tangents) == 1:
            sweep.linear[result.name] = tangents[0]
        case Add() | Conj() if tangents:
            sweep.linear[result.name] = sweep.step(stem, result, step.op, *tangents)
        case Apply() if tangents and not step.op.is_constant:
            scaled = _scaled(sweep, stem, step, step.op, tangents[0])
            sweep.linear[result.name] = scaled


def _scaled(sweep: _Sweep, stem: str, step: Step, op: Apply, linear: Value) -> Value:
    """Multiply a cotangent or tangent by f'(x): an elementwise product, an einsum."""
    (argument,) = step.arguments
    name = f"{'bend' if op.order else 'slope'}_{argument.name}"
    slope = sweep.step(name, argument, op.derivative, argument)
    axes = argument.subscripts
    if len(set(axes)) < len(axes):
        # Entry by entry, so every axis has a letter of its own, the diagonal's too.
        axes = tuple(chr(ord("a") + axis) for axis, _ in enumerate(axes))
    product = Einsum((axes, axes), axes)
    return sweep.step(stem, argument, product, linear, slope)
