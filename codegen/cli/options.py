"""The options of a generation on the command line, and how their text is read."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from typing import Any

import click

from ..errors import OptionError


def _names(
    _: click.Context, __: click.Parameter, value: str | None
) -> list[str] | None:
    """Read ``a,b,c``."""
    if value is None:
        return None
    return [name.strip() for name in value.split(",")] if value.strip() else []


def _count(digits: str) -> int:
    """Read a count, and of one that no axis has the first digits, which tell so.

    Python reads no integer of thousands of digits.
    """
    return int(digits.strip().lstrip("0")[:20] or 0)


def _sizes(
    _: click.Context, __: click.Parameter, value: str | None
) -> dict[str, int] | None:
    """Read ``b=8,q=128``."""
    if value is None:
        return None
    sizes = {}
    for item in value.split(","):
        index, equals, size = item.partition("=")
        if not equals or not size.strip().isdecimal():
            raise OptionError(f"cannot read size {item!r}; write --sizes i=8,j=16")
        if index.strip() in sizes:
            raise OptionError(f"two sizes of index {index.strip()!r} in {value!r}")
        sizes[index.strip()] = _count(size)
    return sizes


def _shapes(
    _: click.Context, __: click.Parameter, value: str | None
) -> list[list[int]] | None:
    """Read ``2x3,3x4``; nothing between commas is the shape of a scalar."""
    if value is None:
        return None
    shapes = []
    for item in value.split(","):
        if not re.fullmatch(r"\s*(\d+(x\d+)*)?\s*", item):
            raise OptionError(f"cannot read shape {item!r}; write --shapes 2x3,3x4")
        shapes.append([_count(n) for n in item.split("x") if n.strip()])
    return shapes


def _optimize(_: click.Context, __: click.Parameter, value: str) -> Any:
    """Read the name of a method, or a path as a module's docstring prints it.

    That is ``(1, 2), (0, 1)``, over several lines or not; brackets around are fine.
    """
    if not value.lstrip().startswith(("[", "(")):
        return value
    text = " ".join(value.split()).removesuffix(".")
    try:
        path = ast.literal_eval(f"[{text}]")
        if len(path) == 1 and any(isinstance(step, list | tuple) for step in path[0]):
            (path,) = path
        return [list(step) for step in path]
    except (SyntaxError, TypeError, ValueError):
        raise OptionError(
            f"cannot read path {value!r}; write --path '(0,1),(0,1)'"
        ) from None


sizes_option = click.option(
    "--sizes",
    metavar="I=N,…",
    callback=_sizes,
    help="Sizes to plan for; only a new output index is held to its size.",
)

OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--operands",
        metavar="A,B,…",
        callback=_names,
        help="Names of the operands; one array in two places is named twice.",
    ),
    click.option("--output", metavar="NAME", help="Name of the output."),
    sizes_option,
    click.option(
        "--shapes",
        metavar="NxM,…",
        callback=_shapes,
        help="Shapes to plan for; they fix what '...' stands for.",
    ),
    click.option(
        "--wrt",
        metavar="A,…",
        callback=_names,
        help="Operands whose gradients are wanted, a bias too; all by default.",
    ),
    click.option(
        "--bias",
        metavar="INDICES",
        help="Add an array 'bias' with these indices of the output.",
    ),
    click.option(
        "--activation",
        metavar="NAME",
        help="Function of the sum: gelu, gelu_tanh, relu, leaky_relu:0.1, tanh, "
        "sigmoid, silu or softplus.",
    ),
    click.option(
        "--order",
        type=int,
        default=1,
        show_default=True,
        help="2 adds Hessian-vector products and double backward.",
    ),
    click.option(
        "--complex",
        type=click.Choice(["adjoint", "transpose"]),
        default="adjoint",
        show_default=True,
        help="Conjugate as PyTorch does, or not, as JAX.",
    ),
    click.option(
        "--optimize",
        "--path",
        metavar="METHOD|PATH",
        default="auto",
        show_default=True,
        callback=_optimize,
        help="How the order of contraction is found: auto, a method of opt_einsum (dp, "
        "greedy, optimal, …), cotengra; or the order itself: '(0,1),(0,1)'.",
    ),
    click.option(
        "--memory-limit",
        metavar="N|BYTES",
        help="Most that vjp and pullback hold: 1e6 elements, or 64MB at 8 bytes an "
        "element; needs all sizes.",
    ),
    click.option(
        "--erf",
        type=click.Choice(["numpy", "scipy"]),
        default="numpy",
        show_default=True,
        help="Where gelu gets the normal distribution from; scipy makes the module "
        "import SciPy.",
    ),
)

# What changes the text of a module, and nothing that it computes.
TEXT_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--license",
        metavar="SPDX",
        default="0BSD",
        show_default=True,
        help="Licence line of the text; '' leaves it out.",
    ),
    click.option(
        "--line-length",
        metavar="N",
        type=int,
        default=88,
        show_default=True,
        help="Longest line of the text, from 88 to 120.",
    ),
)


def derivation_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that a module's functions depend on."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def generation_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a generation."""
    for option in reversed(TEXT_OPTIONS):
        command = option(command)
    return derivation_options(command)


def given_options(ctx: click.Context, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that stand on the command line, whatever their value."""
    default = click.core.ParameterSource.DEFAULT
    return {n: v for n, v in options.items() if ctx.get_parameter_source(n) != default}
