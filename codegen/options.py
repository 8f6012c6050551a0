"""The options of a generation: their names, their defaults, and their command line."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from .contraction import Optimizer
from .errors import OptionError, suggestion


@dataclass(frozen=True)
class Options:
    """What can be asked of a module besides its spec, as it was given.

    operands, output: names of the operands (``a, b, c, …``) and of the output
        (``output``); one name in two places is one array.
    sizes, shapes: the sizes of indices, or the shape of each operand.  They steer the
        plan and limit nothing, but shapes fix how many axes ``...`` stands for, and a
        new output index needs its size.
    wrt: names of the operands whose gradients are wanted; all of them.
    bias: subscripts of an array ``bias`` that is added to the einsum, some of the
        output's; none is added by default.
    activation: an elementwise function of the sum, such as ``gelu`` or
        ``leaky_relu:0.1``.
    order: 2 adds ``hvp`` and ``double_backward``.
    complex: ``adjoint`` conjugates, as PyTorch does; ``transpose`` does not, as JAX.
    optimize: a method of opt_einsum, ``cotengra``, or a path in its linear format.
    memory_limit: the most that ``vjp`` and its pullback may hold beside the operands
        and the cotangent: a number of elements (``1e6``), or bytes as text (``"64MB"``)
        at 8 bytes an element.  It needs all sizes.
    erf: where the normal distribution comes from: ``numpy`` for functions in the
        module, ``scipy`` for those of SciPy.
    target: what the text is written for; ``numpy``.
    license: SPDX expression of the output; ``""`` leaves the line out.
    line_length: of the text, from 88 to 120.
    name: the kernel's name in a build.
    regenerate: the command in the header, by default that of `command_line`.
    """

    operands: Sequence[str] | None = None
    output: str | None = None
    sizes: Mapping[str, int] | None = None
    shapes: Sequence[Sequence[int]] | None = None
    wrt: Sequence[str] | None = None
    bias: str | None = None
    activation: str | None = None
    order: int = 1
    complex: str = "adjoint"
    optimize: Optimizer = "auto"
    memory_limit: float | str | None = None
    erf: str = "numpy"
    target: str = "numpy"
    license: str = "0BSD"
    line_length: int = 88
    name: str | None = None
    regenerate: str | None = None

    def unlike_default(self) -> dict[str, Any]:
        """Return the options that were given, in the order of their fields."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if getattr(self, field.name) != field.default
        }


def read_options(given: Mapping[str, Any]) -> Options:
    """Return the options of these names; OptionError for one that there is not.

    What is NumPy's is taken as the list or the number it holds, which can be compared.
    """
    known = [field.name for field in dataclasses.fields(Options)]
    for name in given:
        if name not in known:
            hint = suggestion(name, known) or f"; there are {', '.join(known)}"
            raise OptionError(f"unknown option {name!r}{hint}")
    plain = {
        name: value.tolist() if hasattr(value, "tolist") else value
        for name, value in given.items()
    }
    return Options(**plain)


Function = TypeVar("Function", bound=Callable[..., Any])


def shows_options(function: Function) -> Function:
    """Give a function of ``**options`` a signature that lists them, for ``help``."""
    own = inspect.signature(function)
    *before, _ = own.parameters.values()
    listed = [
        option.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for option in inspect.signature(Options).parameters.values()
    ]
    signature = own.replace(parameters=[*before, *listed])
    function.__dict__["__signature__"] = signature
    return function


def command_line(spec: str, options: Options) -> str:
    """Write the command that generates the module of ``spec`` with ``options``."""
    spec = " ".join(spec.split())
    given = options.unlike_default()
    given.pop("name", None)
    given.pop("regenerate", None)
    words = [
        (f"--{name.replace('_', '-')}", _WRITTEN.get(name, str)(value))
        for name, value in given.items()
        if value != {}
    ]
    # A bare word could be a command.
    command = [] if "," in spec or "->" in spec else ["generate"]
    return shlex.join(["eingrad", *command, spec, *itertools.chain(*words)])


def _optimize(value: Optimizer) -> str:
    path = value if isinstance(value, str) else str([*map(tuple, value)])
    return path.replace(" ", "")


# How the command line spells a value that is no plain text.
_WRITTEN: Mapping[str, Callable[[Any], str]] = {
    "operands": ",".join,
    "sizes": lambda sizes: ",".join(f"{i}={n}" for i, n in sizes.items()),
    "shapes": lambda shapes: ",".join("x".join(map(str, s)) for s in shapes),
    "wrt": ",".join,
    "optimize": _optimize,
}
