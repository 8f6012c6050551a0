"""The pytest file beside a vendored kernel: brute force on small integers, exactly.

It needs NumPy and pytest, and nothing of ours.
"""

from __future__ import annotations

import itertools
import math
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from .digest import HEADER, RECORD
from .notation import abbreviated
from .pretty import Bracketed, broken, fits
from .request import Request
from .spec import ELLIPSIS, Index, Subscripts
from .targets.elementwise import applied

WIDTH = 88
# Brute force visits so many points; a fraction of a second.
POINTS = 5_000
PRIMES = (2, 3, 5, 7, 11, 13, 17)
# ``...`` stands for two axes here.
AXES = ("dots1", "dots2")


@dataclass(frozen=True)
class ProofFile:
    """The fields of ``pytest/test_kernel.py.jinja``.

    bias: the indices of the bias; empty for a scalar too.
    activation, derivative: the calls of those functions of ``z``; empty if there are
        none.
    output_of: source of the output that is expected.
    conjugate, gradient_term, cotangent_term: source that follows the convention for
        complex numbers.
    """

    header: list[str]
    kernel: str
    description: list[str]
    location: list[str]
    spec: str
    places: list[str]
    output: str
    bias: str
    bias_added: bool
    bias_wanted: bool
    activation: str
    derivative: str
    dtypes: str
    constants: list[str]
    output_of: str
    conjugate: str
    gradient_term: str
    cotangent_term: str


def proof_file(request: Request, name: str, kernel: str, test: str) -> ProofFile:
    """Write every part of the test at ``test`` of the kernel ``name`` at ``kernel``.

    Both are POSIX paths, relative to the root of one project.
    """
    sizes = _sizes(request)
    adjoint = request.complex == "adjoint"
    bias, function = request.bias, request.activation
    product = "brute_force(operands, dtype)"
    return ProofFile(
        header=_header(request, name),
        kernel=PurePosixPath(kernel).name,
        description=_description(request, sizes),
        location=_location(kernel, test),
        spec=abbreviated(request.einsum, WIDTH - 60),
        places=_places(request),
        output=" ".join(_axes(request.einsum.output)),
        bias=" ".join(_axes(bias.subscripts)) if bias else "",
        bias_added=bias is not None,
        bias_wanted=bias is not None and bias.name in request.wrt,
        activation=applied(function, "z") if function else "",
        derivative=applied(function.derivative, "z") if function else "",
        # Of a function, only the rounding to float64 is fine enough.
        dtypes='["float64"]' if function else '["int64", "float64", "complex128"]',
        constants=_constants(request, sizes),
        output_of=f"activated(kernel, {product})" if function else product,
        conjugate=".conjugate()" if adjoint else "",
        gradient_term=_product("gradient", "tangents[name]", adjoint),
        cotangent_term=_product("cotangent", "tangent", adjoint),
    )


def _description(request: Request, sizes: Mapping[Index, int]) -> list[str]:
    """Say what the test shows."""
    kin = {axis for index in request.same_size.values() for axis in _axes((index,))}
    apart = {sizes[axis] for axis in kin}
    if request.activation:
        lines = [
            "Small integers are exact in floating point, so brute force computes what",
            "the function is applied to without an error.  Results are held to that,",
            "and the derivative of the function to its slope, up to rounding.",
        ]
    else:
        lines = [
            "An einsum and its gradients are polynomials with integer coefficients,",
            "and small integers are exact in floating point.  So every result has to",
            "equal that of brute force, to the last bit.",
        ]
    if len(apart) == len(kin) and 1 not in apart:
        lines += ["No two indices have one size, so no two axes can be mixed up."]
    return lines


def _product(left: str, right: str, adjoint: bool) -> str:
    return f"{left}.conj() * {right}" if adjoint else f"{left} * {right}"


def _header(request: Request, name: str) -> list[str]:
    room = WIDTH - len(f"{RECORD} target=pytest body=sha256:") - 16
    lines = [HEADER, f"{RECORD}{abbreviated(request.einsum, room)} target=pytest"]
    if request.license:
        lines.append(f"# SPDX-License-Identifier: {request.license}")
    return [*lines, f"# Regenerate: eingrad vendor update {name}"]


def _location(kernel: str, test: str) -> list[str]:
    """Write the kernel's path as seen from the test: ``parents[1] / "src" / …``."""
    relative = posixpath.relpath(kernel, posixpath.dirname(test) or ".")
    up: list[str] = []
    down: list[str] = []
    for step in PurePosixPath(relative).parts:
        (up if step == ".." else down).append(f'"{step}"')
    steps = tuple(down)
    folder = f"Path(__file__).resolve().parents[{len(up)}]"
    flat = " / ".join([folder, *steps])
    if fits(f"KERNEL = {flat}", WIDTH):
        return [f"KERNEL = {flat}"]
    joined = Bracketed(f"{folder}.joinpath", steps)
    return broken("KERNEL = ", joined, width=WIDTH)


def _places(request: Request) -> list[str]:
    named = zip(request.operands, request.einsum.operands, strict=True)
    return [f'("{name}", "{" ".join(_axes(term))}")' for name, term in named]


def _axes(term: Sequence[Index]) -> Subscripts:
    """Return the indices of a term, with two for its ellipsis."""
    each = (AXES if index == ELLIPSIS else (index,) for index in term)
    return tuple(itertools.chain(*each))


def _constants(request: Request, sizes: Mapping[Index, int]) -> list[str]:
    wrt = Bracketed("", tuple(f'"{name}"' for name in request.wrt), "[]")
    each = tuple(f'"{index}": {size}' for index, size in sizes.items())
    return [
        *broken("GRADIENTS = ", wrt, width=WIDTH),
        *broken("SIZES: dict[str, int] = ", Bracketed("", each, "{}"), width=WIDTH),
    ]


def _sizes(request: Request) -> dict[Index, int]:
    """Choose a size for every axis: different primes, while there is room for them."""
    same = {
        axis: other
        for index, kin in request.same_size.items()
        for axis, other in zip(_axes((index,)), _axes((kin,)), strict=True)
    }
    fixed = {i: request.sizes[i] for i in request.einsum.new_indices}
    free = [axis for axis in dict.fromkeys(same.values()) if axis not in fixed]
    choices = [itertools.cycle(pool) for pool in (PRIMES, (2, 3, 5), (2, 3), (2,))]
    ones = itertools.chain(itertools.repeat(2, 10), itertools.repeat(1))
    for values in [*choices, ones]:
        chosen = fixed | dict(zip(free, values, strict=False))
        sizes = {axis: chosen[kin] for axis, kin in same.items()}
        if math.prod(sizes.values()) <= POINTS:
            break
    return sizes
