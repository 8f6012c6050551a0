"""Derivation -> the bodies of the functions, in blocks where a limit cuts indices.

Forward and backward are lowered together, so that what one keeps the other reads in
the same layout.  What computes each step then goes to the functions that need it:

    forward     every step of the forward program
    residuals   the steps whose results the reverse sweep reads
    linearize   all of them: the residuals and the output
    reverse     the reverse sweep, from the cotangent and the residuals
    tangent     the forward sweep of the JVP
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .array_program import Block, assigned
from .derivation import Derivation, Lowered
from .functions import Function, Writer, free_variables, needed_blocks
from .program import Value
from .request import Request
from .sliced import BlockFunction, Loop, Part
from .spec import Index
from .targets import numpy


@dataclass(frozen=True)
class Bodies:
    """The functions by name, and those that compute one block for them."""

    functions: Mapping[str, Function]
    blocks: Sequence[BlockFunction]


def bodies(derivation: Derivation, sizes: Mapping[Index, str]) -> Bodies:
    """Write the body of every function; ``sizes`` names the size of every index."""
    request, limited = derivation.request, derivation.limited
    functions = _functions(derivation, sizes)
    if limited is None or not limited.blocks:
        return Bodies(functions, [])
    inner = []
    loop = Loop(request, limited.blocks, _taken(derivation))
    for part in _block_parts(derivation, sizes):
        inner.append(part.written(request.line_length))
        functions[part.name] = loop.function(part)
    functions["linearize"] = functions["forward"]
    functions["residuals"] = Function((), (), False)
    functions["reverse"] = functions["backward"]
    return Bodies(functions, inner)


@dataclass(frozen=True)
class Sweeps:
    """The blocks of a joint program by function, and the variables kept between them.

    forward and reverse are the two sweeps, residuals the blocks of the forward sweep
    that compute what is ``kept`` for the reverse sweep.  output_into and gradients_into
    say for their results what may hold an array to write them into.
    """

    forward: list[Block]
    residuals: list[Block]
    reverse: list[Block]
    kept: list[str]
    output_into: Mapping[str, str]
    gradients_into: Mapping[str, str]


def sweeps(derivation: Derivation) -> Sweeps:
    """Part the blocks that compute the output from those that only gradients need."""
    made = derivation.made
    blocks = derivation.joint.arrays.blocks
    output, *gradients = derivation.joint.results.values()
    forward = [block for block in blocks if block.step.result.name in made]
    reverse = [block for block in blocks if block.step.result.name not in made]
    read = free_variables(s for block in reverse for s in block.all_statements)
    kept = [name for name in assigned(forward) if name in read]
    return Sweeps(
        forward,
        needed_blocks(forward, kept),
        reverse,
        kept,
        {output: "into"},
        {name: f"into[{k}]" for k, name in enumerate(gradients)},
    )


def size_names(derivation: Derivation) -> dict[Index, str]:
    """Name the size of every index by one name in all functions."""
    same_size = derivation.request.same_size
    indices = [*dict.fromkeys(same_size.values())]
    names = numpy.size_names(indices, _taken(derivation))
    return {index: names[same] for index, same in same_size.items()}


def _taken(derivation: Derivation) -> list[str]:
    """List the variables of all functions."""
    taken = [derivation.request.output]
    for lowered in derivation.lowered:
        taken.extend(value.name for value in lowered.program.inputs)
        taken.extend(assigned(lowered.arrays.blocks))
    return taken


def writer(lowered: Lowered, request: Request, sizes: Mapping[Index, str]) -> Writer:
    """Return what writes the functions of a lowered program; ``sizes`` names sizes."""
    return Writer(
        lowered.program,
        lowered.arrays,
        request.same_size,
        sizes,
        {i: request.sizes[i] for i in request.einsum.new_indices},
        request.line_length,
    )


def _functions(
    derivation: Derivation, sizes: Mapping[Index, str]
) -> dict[str, Function]:
    request, joint = derivation.request, derivation.joint
    swept = sweeps(derivation)

    def write(
        lowered: Lowered,
        blocks: list[Block],
        *known: str,
        residuals: Sequence[str] = (),
        into: Mapping[str, str] | None = None,
        typed: str = "",
    ) -> Function:
        outlive = {*lowered.results.values(), *residuals}
        return writer(lowered, request, sizes).function(
            blocks, known=known, kept=outlive, into=into or {}, typed=typed
        )

    def whole(lowered: Lowered) -> Function:
        inputs = (value.name for value in lowered.program.inputs)
        return write(lowered, list(lowered.arrays.blocks), *inputs)

    operands, kept = request.parameters, swept.kept
    output, *_ = joint.results.values()
    cotangent = joint.program.inputs[0].name
    return {
        "forward": write(
            joint, swept.forward, *operands, into=swept.output_into, typed=output
        ),
        "residuals": write(joint, swept.residuals, *operands, residuals=kept),
        "linearize": write(joint, swept.forward, *operands, residuals=kept),
        "reverse": write(
            joint,
            swept.reverse,
            cotangent,
            *operands,
            *kept,
            into=swept.gradients_into,
        ),
        "tangent": whole(derivation.tangent),
        **{name: whole(lowered) for name, lowered in derivation.second.items()},
    }


def _block_parts(derivation: Derivation, sizes: Mapping[Index, str]) -> list[Part]:
    """Write the bodies that compute one block, and name what they compute."""
    request, joint, tangent = derivation.request, derivation.joint, derivation.tangent
    swept = sweeps(derivation)

    def part(
        name: str,
        what: str,
        lowered: Lowered,
        blocks: Sequence[Block],
        inputs: Sequence[Value],
        wanted: slice,
    ) -> Part:
        variables = [*lowered.results.values()]
        body = writer(lowered, request, sizes).function(
            blocks,
            known=[value.name for value in inputs],
            kept=variables,
            typed=variables[0],
        )
        results = [
            Value(variable, value.subscripts)
            for variable, value in zip(variables, lowered.program.outputs, strict=True)
        ]
        return Part(name, what, body, inputs, results[wanted])

    inputs = joint.program.inputs
    back = [*swept.residuals, *swept.reverse]
    both, moved = "the output and its tangent", tangent.program.inputs
    return [
        part("forward", "the output", joint, swept.forward, inputs[1:], slice(1)),
        part("backward", "the gradients", joint, back, inputs, slice(1, None)),
        part("tangent", both, tangent, tangent.arrays.blocks, moved, slice(2)),
    ]
