"""All that is known of a kernel before its text: the programs, and their lowering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .array_program import ArrayProgram
from .contraction import ContractionTree
from .memory_limit import Limited
from .program import Apply, Program, Step
from .request import Request


@dataclass(frozen=True)
class Lowered:
    """A program, its lowering, and the variable of each of its outputs."""

    program: Program
    arrays: ArrayProgram
    results: Mapping[str, str]


@dataclass(frozen=True)
class Derivation:
    """All that is known of a kernel before its text.

    joint computes the output and the gradients from the cotangent and the operands;
    tangent computes the output and its tangent.  Where a limit of the memory cuts
    indices into blocks, they compute one block.  Of order 2 there are: hvp, which
    computes the gradients' derivatives along tangents, and double_backward, which
    computes the output's tangent too, along the operands in ``wrt``; no limit holds
    for these two.
    """

    request: Request
    tree: ContractionTree
    forward: Program
    joint: Lowered
    tangent: Lowered
    second: Mapping[str, Lowered] = field(default_factory=dict)
    limited: Limited | None = None

    @property
    def made(self) -> set[str]:
        """The names of the values that the forward pass computes."""
        return {step.result.name for step in self.forward.steps}

    @property
    def reverse_steps(self) -> list[Step]:
        """The steps of ``joint`` beyond the forward pass."""
        made = self.made
        return [s for s in self.joint.program.steps if s.result.name not in made]

    @property
    def lowered(self) -> tuple[Lowered, ...]:
        """Everything that was lowered."""
        return (self.joint, self.tangent, *self.second.values())

    @property
    def functions(self) -> tuple[Apply, ...]:
        """The elementwise functions that the module calls."""
        steps = [step for part in self.lowered for step in part.program.steps]
        applied = (step.op for step in steps if isinstance(step.op, Apply))
        return tuple(dict.fromkeys(applied))
