"""Derivation -> Module: the view model of the template, every field ready to print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .array_program import ArrayOp, ArrayProgram, Block, nodes
from .contraction import ContractionTree
from .digest import HEADER, RECORD
from .functions import Function, Writer, free_variables, needed_blocks
from .memory_limit import Limited
from .notation import Docstrings, abbreviated, describe
from .plain import plain_tests
from .pretty import Bracketed, broken, fits, string_constant, tuple_of
from .program import Program, Value
from .request import Request
from .sliced import BlockFunction, Loop, Part
from .spec import ELLIPSIS, Index
from .targets import numpy


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
    indices into blocks, they compute one block.
    """

    request: Request
    tree: ContractionTree
    forward: Program
    joint: Lowered
    tangent: Lowered
    limited: Limited | None = None


@dataclass(frozen=True)
class Module:
    """The fields of ``numpy/module.py.jinja``; lists of lines are indented."""

    header: list[str]
    description: list[str]
    exports: Bracketed
    constants: list[str]
    operands: list[str]
    operand_count: int
    output: str
    cotangent: str
    tangents: list[str]
    tangent_output: str
    forward_doc: list[str]
    backward_doc: list[str]
    vjp_doc: list[str]
    jvp_doc: list[str]
    forward: list[str]
    residuals: list[str]
    linearize: list[str]
    reverse: list[str]
    reverse_parameters: list[str]
    gradients: list[str]
    tangent: list[str]
    plain_tests: list[str]
    block_functions: list[BlockFunction]
    has_ellipsis: bool
    output_has_ellipsis: bool
    new_sizes: bool
    shared: bool
    turns: bool
    line_length: int


def module(derivation: Derivation) -> Module:
    """Write every part of the module."""
    request, joint = derivation.request, derivation.joint
    operands = list(request.distinct_operands)
    tangents = [v.name for v in derivation.tangent.program.inputs[len(operands) :]]
    cotangent = joint.program.inputs[0].name
    sizes = size_names(derivation)
    parts = _functions(derivation, sizes)
    inner = []
    if derivation.limited and derivation.limited.blocks:
        loop = Loop(request, derivation.limited.blocks, _taken(derivation))
        for part in _block_parts(derivation, sizes):
            inner.append(part.written(request.line_length))
            parts[part.name] = loop.function(part)
        parts |= {"linearize": parts["forward"], "residuals": Function((), ())}
        parts["reverse"] = parts["backward"]
    docs = Docstrings(request, cotangent)
    return Module(
        header=_header(request),
        description=describe(
            derivation.forward,
            joint.program,
            derivation.tree.path,
            request,
            derivation.limited,
        ),
        exports=_exports(request),
        constants=_constants(request),
        operands=operands,
        operand_count=len(operands),
        output=request.output,
        cotangent=cotangent,
        tangents=tangents,
        tangent_output=[*derivation.tangent.results.values()][1],
        forward_doc=docs.forward(),
        backward_doc=docs.backward(),
        vjp_doc=docs.vjp(),
        jvp_doc=docs.jvp(),
        forward=list(parts["forward"].lines),
        residuals=list(parts["residuals"].lines),
        linearize=list(parts["linearize"].lines),
        reverse=list(parts["reverse"].lines),
        reverse_parameters=list(parts["reverse"].parameters),
        gradients=[*joint.results.values()][1:],
        tangent=list(parts["tangent"].lines),
        plain_tests=plain_tests(request, sizes),
        block_functions=inner,
        has_ellipsis=ELLIPSIS in request.einsum.indices,
        output_has_ellipsis=ELLIPSIS in request.einsum.output,
        new_sizes=bool(request.einsum.new_indices),
        shared=len(operands) < len(request.operands),
        turns=any(map(_turns, (joint.arrays, derivation.tangent.arrays))),
        line_length=request.line_length,
    )


def _turns(arrays: ArrayProgram) -> bool:
    """Tell whether some statement copies an array across its memory."""
    return any(
        node.op is ArrayOp.TURN
        for block in arrays.blocks
        for statement in block.statements
        for node in nodes(statement.value)
    )


def _taken(derivation: Derivation) -> list[str]:
    """List the variables of all functions."""
    taken = [derivation.request.output]
    for lowered in (derivation.joint, derivation.tangent):
        taken.extend(value.name for value in lowered.program.inputs)
        taken.extend(Writer.variables(lowered.arrays.blocks))
    return taken


def size_names(derivation: Derivation) -> dict[Index, str]:
    """Name the size of every index by one name in all functions."""
    same_size = derivation.request.same_size
    indices = [*dict.fromkeys(same_size.values())]
    names = numpy.size_names(indices, _taken(derivation))
    return {index: names[same] for index, same in same_size.items()}


@dataclass(frozen=True)
class Sweeps:
    """The blocks of a joint program by function, and the variables kept between them.

    forward and reverse are the two sweeps, residuals the blocks of the forward sweep
    that compute what is ``kept`` for the reverse sweep.
    """

    forward: list[Block]
    residuals: list[Block]
    reverse: list[Block]
    kept: list[str]


def sweeps(derivation: Derivation) -> Sweeps:
    """Part the blocks that compute the output from those that only gradients need."""
    made = {step.result.name for step in derivation.forward.steps}
    blocks = derivation.joint.arrays.blocks
    forward = [block for block in blocks if block.step.result.name in made]
    reverse = [block for block in blocks if block.step.result.name not in made]
    read = free_variables(s for block in reverse for s in block.statements)
    kept = [name for name in Writer.variables(forward) if name in read]
    return Sweeps(forward, needed_blocks(forward, kept), reverse, kept)


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
    request, joint, tangent = derivation.request, derivation.joint, derivation.tangent
    swept = sweeps(derivation)
    kept = swept.kept

    def write(
        lowered: Lowered,
        blocks: list[Block],
        *known: str,
        residuals: Sequence[str] = (),
        typed: str = "",
    ) -> Function:
        outlive = {*lowered.results.values(), *residuals}
        written = writer(lowered, request, sizes)
        return written.function(blocks, known=known, kept=outlive, typed=typed)

    operands = request.distinct_operands
    cotangent = joint.program.inputs[0].name
    inputs = (value.name for value in tangent.program.inputs)
    return {
        "forward": write(joint, swept.forward, *operands, typed=request.output),
        "residuals": write(joint, swept.residuals, *operands, residuals=kept),
        "linearize": write(joint, swept.forward, *operands, residuals=kept),
        "reverse": write(joint, swept.reverse, cotangent, *operands, *kept),
        "tangent": write(tangent, list(tangent.arrays.blocks), *inputs),
    }


def _block_parts(derivation: Derivation, sizes: Mapping[Index, str]) -> Iterator[Part]:
    """Write the bodies that compute one block, and name what they compute."""
    request, joint, tangent = derivation.request, derivation.joint, derivation.tangent
    swept = sweeps(derivation)
    parts = [
        ("forward", joint, swept.forward, joint.program.inputs[1:], [0]),
        (
            "backward",
            joint,
            [*swept.residuals, *swept.reverse],
            joint.program.inputs,
            range(1, len(joint.results)),
        ),
        ("tangent", tangent, [*tangent.arrays.blocks], tangent.program.inputs, [0, 1]),
    ]
    for name, lowered, blocks, inputs, wanted in parts:
        results = [
            Value(variable, value.subscripts)
            for variable, value in zip(
                lowered.results.values(), lowered.program.outputs, strict=True
            )
        ]
        body = writer(lowered, request, sizes).function(
            blocks,
            known=[value.name for value in inputs],
            kept=lowered.results.values(),
            typed=results[0].name,
        )
        yield Part(name, body, inputs, [results[k] for k in wanted])


def _header(request: Request) -> list[str]:
    """Write the header but for the digest, which is that of the finished text."""
    room = request.line_length - len(f"{RECORD} target=numpy body=sha256:") - 16
    record = f"{RECORD}{abbreviated(request.einsum, room)} target=numpy"
    lines = [HEADER, record]
    if request.license:
        lines.append(f"# SPDX-License-Identifier: {request.license}")
    regenerate = f"# Regenerate: {request.regenerate}"
    if not fits(regenerate, request.line_length):
        # What is too long to read is told by the constants below.
        command, *options = request.regenerate.split(" --")
        short = (
            "eingrad SPEC" if not fits(command, request.line_length - 20) else command
        )
        regenerate = " \\\n#     --".join([f"# Regenerate: {short}", *options])
    return [line.rstrip() for line in [*lines, *regenerate.split("\n")]]


def _exports(request: Request) -> Bracketed:
    """List what a module offers, constants first."""
    constants = ["COMPLEX", "GRADIENTS", "OPERANDS"]
    constants += ["SIZES"] * bool(request.einsum.new_indices)
    names = [*constants, "SPEC", "backward", "forward", "jvp", "vjp"]
    return Bracketed("", tuple(f'"{name}"' for name in names), "[]")


def _constants(request: Request) -> list[str]:
    """Write the constants that describe the module."""
    width = request.line_length

    def names(constant: str, values: Sequence[str]) -> list[str]:
        quoted = [f'"{value}"' for value in values]
        return broken(f"{constant} = ", tuple_of(quoted), width=width)

    lines = [
        *string_constant("SPEC", str(request.einsum), width),
        *names("OPERANDS", request.operands),
        *names("GRADIENTS", request.wrt),
        f'COMPLEX = "{request.complex}"',
    ]
    new = request.einsum.new_indices
    if new:
        sizes = ", ".join(f'"{index}": {request.sizes[index]}' for index in new)
        lines.append(f"SIZES = {{{sizes}}}")
    return lines
