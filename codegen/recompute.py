"""Program -> Program: compute in the reverse sweep again what it would have kept.

Checkpointing, as in Griewank and Walther, Evaluating Derivatives (2008), chapter 12:
a residual that is dropped after the forward sweep is computed again from those that
are kept, just before the reverse sweep first reads it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from .program import Conj, Names, Program, Step, Value


def residuals(program: Program, forward: Collection[str]) -> list[str]:
    """Name the values of the forward sweep that the reverse sweep reads, in order.

    ``forward`` names the values that the forward sweep computes.
    """
    read = {
        value.name
        for step in program.steps
        if step.result.name not in forward
        for value in step.arguments
    }
    made = (step.result.name for step in program.steps)
    return [name for name in made if name in forward and name in read]


def recompute(
    program: Program, forward: Collection[str], dropped: Collection[str]
) -> Program:
    """Compute the residuals named ``dropped`` again where the reverse sweep reads them.

    Each is called ``<name>_again`` there, and so is what it takes to compute them.
    """
    kept = set(residuals(program, forward)) - set(dropped)
    again = _Again(program, kept.union(v.name for v in program.inputs), forward)
    for step in program.steps:
        again.step(step)
    return replace(program, steps=tuple(again.steps))


@dataclass
class _Again:
    """The steps written so far; ``kept`` names what the reverse sweep finds there."""

    program: Program
    kept: Collection[str]
    forward: Collection[str]
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.names = Names(self.program.names)
        self.maker = {step.result.name: step for step in self.program.steps}
        self.values: dict[str, Value] = {}

    def step(self, step: Step) -> None:
        if step.result.name in self.forward:
            self.steps.append(step)
        elif not self._late(step):
            arguments = tuple(map(self.value, step.arguments))
            self.steps.append(replace(step, arguments=arguments))

    def _late(self, step: Step) -> bool:
        """Tell whether a step waits for its reader: the conjugate of what is dropped.

        It shares the memory of a real array.
        """
        (argument, *_) = step.arguments
        dropped = argument.name in self.forward and argument.name not in self.kept
        return isinstance(step.op, Conj) and dropped

    def value(self, value: Value) -> Value:
        """Return a value as the reverse sweep reads it, computed again if need be."""
        step = self.maker.get(value.name)
        if step is None or value.name in self.kept:
            return value
        if value.name not in self.forward and not self._late(step):
            return value
        if value.name not in self.values:
            arguments = tuple(map(self.value, step.arguments))
            name = value.name
            if name in self.forward:
                name = self.names.fresh(f"{name}_again")
            self.values[value.name] = Value(name, value.subscripts)
            self.steps.append(Step(self.values[value.name], step.op, arguments))
        return self.values[value.name]
