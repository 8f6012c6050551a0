"""Derivation -> Module: the view model of the template, every field ready to print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import cost
from .array_program import ArrayOp, Node, Ref, nodes
from .bodies import bodies, size_names
from .derivation import Derivation, Lowered
from .digest import HEADER, RECORD
from .docstrings import Docstrings
from .functions import Function
from .notation import abbreviated, describe
from .plain import plain_tests
from .pretty import Bracketed, broken, fits, string_constant, tuple_of
from .request import Request
from .sliced import BlockFunction
from .spec import ELLIPSIS
from .targets.elementwise import function_imports, function_name, function_sources


@dataclass(frozen=True)
class Second:
    """A function of second order: the tangents that it takes, and what it returns."""

    tangents: list[str]
    results: list[str]


# The dtypes to compute with as they are, and the kinds of dtype that are numbers.
_ANY = ("?bBhHiIlLqQfdgFDG", "biufcO")
_REAL = ("fd", "biuf")


@dataclass(frozen=True)
class Module:
    """The fields of ``numpy/module.py.jinja``; lists of lines are indented.

    ``bodies`` are those of the functions, by the names in bodies.py.
    """

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
    docs: Mapping[str, list[str]]
    bodies: Mapping[str, Function]
    gradients: list[str]
    rooms: bool
    differentiated: list[str]
    gradient_count: int
    second: Mapping[str, Second]
    functions: list[str]
    imports: list[str]
    plain_tests: list[str]
    plain_dtypes: str
    kinds: str
    result_type: str
    has_bias: bool
    has_activation: bool
    block_functions: list[BlockFunction]
    has_ellipsis: bool
    output_has_ellipsis: bool
    new_sizes: bool
    shared: bool
    turns: bool
    tiles: bool
    in_blocks: bool
    in_place: int
    short: int
    line_length: int


def module(derivation: Derivation) -> Module:
    """Write every part of the module."""
    request, joint = derivation.request, derivation.joint
    operands = list(request.parameters)
    tangents = _tangents(derivation.tangent, request)
    output, *gradients = joint.results.values()
    cotangent = joint.program.inputs[0].name
    sizes = size_names(derivation)
    written = bodies(derivation, sizes)
    called = [function_name(function) for function in derivation.functions]
    constants = _constants(request)
    used = _operations(derivation)
    plain_dtypes, kinds = _REAL if request.activation else _ANY
    return Module(
        header=_header(request),
        description=describe(derivation),
        exports=_exports(request, constants),
        constants=constants,
        operands=operands,
        operand_count=len(operands),
        output=output,
        cotangent=cotangent,
        tangents=tangents,
        tangent_output=[*derivation.tangent.results.values()][1],
        docs=Docstrings(request, cotangent).of_functions(),
        bodies=written.functions,
        gradients=gradients,
        rooms=not written.blocks and _makes_room(joint),
        differentiated=list(request.wrt),
        gradient_count=len(request.wrt),
        second={
            name: Second(_tangents(lowered, request), [*lowered.results.values()])
            for name, lowered in derivation.second.items()
        },
        functions=function_sources(called, erf=request.erf),
        imports=function_imports(called, erf=request.erf),
        plain_tests=plain_tests(request, sizes),
        plain_dtypes=plain_dtypes,
        kinds=kinds,
        result_type="_result_type" if request.activation else "np.result_type",
        has_bias=request.bias is not None,
        has_activation=request.activation is not None,
        block_functions=list(written.blocks),
        has_ellipsis=ELLIPSIS in request.einsum.indices,
        output_has_ellipsis=ELLIPSIS in request.einsum.output,
        new_sizes=bool(request.einsum.new_indices),
        shared=len(operands) < len(request.places),
        turns=ArrayOp.TURN in used,
        tiles=ArrayOp.TILE in used,
        in_blocks=ArrayOp.BLOCKS in used,
        in_place=cost.IN_PLACE,
        short=cost.SHORT,
        line_length=request.line_length,
    )


def _tangents(lowered: Lowered, request: Request) -> list[str]:
    """Name the tangents: the last inputs, after the cotangent if any and the arrays."""
    names = [value.name for value in lowered.program.inputs]
    return names[names.index(request.parameters[-1]) + 1 :]


def _makes_room(lowered: Lowered) -> bool:
    """Tell whether some output is allocated before it is written."""
    made = {
        statement.target
        for block in lowered.arrays.blocks
        for statement in block.all_statements
        if isinstance(statement.value, Node) and statement.value.op is ArrayOp.EMPTY
    }
    return any(Ref(variable) in made for variable in lowered.results.values())


def _operations(derivation: Derivation) -> set[ArrayOp]:
    """Return what the statements of a module do."""
    return {
        node.op
        for lowered in derivation.lowered
        for block in lowered.arrays.blocks
        for statement in block.all_statements
        for node in nodes(statement.value)
    }


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


def _exports(request: Request, constants: Sequence[str]) -> Bracketed:
    """List what a module offers, constants first."""
    constants = [line.partition(" = ")[0] for line in constants if " = " in line]
    functions = ["backward", "forward", "jvp", "vjp"]
    functions += ["double_backward", "hvp"] * (request.order == 2)
    names = [*sorted(constants), *sorted(functions)]
    return Bracketed("", tuple(f'"{name}"' for name in names), "[]")


def _constants(request: Request) -> list[str]:
    """Write the constants that describe the module."""
    width = request.line_length

    def names(constant: str, values: Sequence[str]) -> list[str]:
        quoted = [f'"{value}"' for value in values]
        return broken(f"{constant} = ", tuple_of(quoted), width=width)

    lines = [
        *string_constant("SPEC", str(request.einsum), width),
        *names("OPERANDS", [place.name for place in request.places]),
        *names("GRADIENTS", request.wrt),
    ]
    if request.activation is None:
        lines.append(f'COMPLEX = "{request.complex}"')
    if request.bias is not None:
        lines += string_constant("BIAS", "".join(request.bias.subscripts), width)
    if request.activation is not None:
        lines.append(f'ACTIVATION = "{request.activation.symbol}"')
    new = request.einsum.new_indices
    if new:
        sizes = ", ".join(f'"{index}": {request.sizes[index]}' for index in new)
        lines.append(f"SIZES = {{{sizes}}}")
    return lines
