"""The options of a generation, checked once: what every later stage may rely on."""

from __future__ import annotations

import functools
import itertools
import keyword
import re
import shlex
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .contraction import Optimizer
from .errors import OptionError, suggestion
from .spec import ELLIPSIS, Einsum, Index, check_sizes, parse, resolve_shapes

TARGETS = ("numpy",)
CONVENTIONS = ("adjoint", "transpose")
MAX_NAME = 28

# Names that the emitted functions use themselves.
RESERVED = frozenset(
    "Array Pullback adapted backward counts forward full gradients jvp np plain "
    "primals pullback shape tangents tuple type vjp ValueError len".split()
)


@dataclass(frozen=True)
class Request:
    """A spec and its options: every name valid, every size for an index of the spec.

    ``operands`` has a name for each term; ``wrt`` some of them, each once.
    """

    einsum: Einsum
    operands: tuple[str, ...]
    output: str
    sizes: Mapping[Index, int]
    wrt: tuple[str, ...]
    complex: str
    optimize: Optimizer
    license: str
    line_length: int
    regenerate: str

    @property
    def distinct_operands(self) -> tuple[str, ...]:
        """The parameters of ``forward``."""
        return tuple(dict.fromkeys(self.operands))

    @functools.cached_property
    def same_size(self) -> dict[Index, Index]:
        """Map each index to the first of those that have its size.

        Two indices have one size where they stand on one axis of an array that the
        spec names twice.
        """
        same = {index: index for index in self.einsum.indices}
        first: dict[str, tuple[Index, ...]] = {}
        for name, term in zip(self.operands, self.einsum.operands, strict=True):
            for index, other in zip(first.setdefault(name, term), term, strict=True):
                old, new = sorted((same[index], same[other]), key=[*same].index)[::-1]
                same = {i: new if n == old else n for i, n in same.items()}
        return same


def read_request(
    spec: str,
    *,
    target: str,
    operands: Sequence[str] | None,
    output: str | None,
    sizes: Mapping[str, int] | None,
    shapes: Sequence[Sequence[int]] | None,
    wrt: Sequence[str] | None,
    complex: str,
    optimize: Optimizer,
    name: str | None,
    license: str,
    line_length: int,
    regenerate: str | None,
) -> Request:
    """Check the options of ``generate`` against the spec and each other.

    Raises SpecError or OptionError.
    """
    _check_choice("target", target, TARGETS)
    _check_choice("complex", complex, CONVENTIONS)
    einsum, known = _sized(spec, sizes, shapes)
    names = _operand_names(einsum, operands)
    result = _checked_name("output", "output" if output is None else output)
    if result in names:
        raise OptionError(f"the output and an operand are both called {result!r}")
    wanted = _wanted(wrt, names)
    if not isinstance(optimize, str) and not (
        _is_list(optimize) and all(map(_is_list, optimize))
    ):
        raise OptionError(f"optimize is a method or a path, got {optimize!r}")
    if name is not None and (why := _why_no_identifier(name)):
        raise OptionError(f"kernel name {name!r} {why}")
    if regenerate is None:
        options = _options(operands, output, sizes, shapes, wrt)
        path = optimize if isinstance(optimize, str) else str([*map(tuple, optimize)])
        options |= _unlike_default(
            complex=complex,
            optimize=path.replace(" ", ""),
            license=license,
            line_length=line_length,
        )
        regenerate = _command(" ".join(spec.split()), options)
    return Request(
        einsum=einsum,
        operands=names,
        output=result,
        sizes=known,
        wrt=wanted,
        complex=complex,
        optimize=optimize,
        license=_one_line("license", license),
        line_length=_checked_width(line_length),
        regenerate=_one_line("regenerate", regenerate),
    )


def _sized(
    spec: str,
    sizes: Mapping[str, int] | None,
    shapes: Sequence[Sequence[int]] | None,
) -> tuple[Einsum, dict[Index, int]]:
    """Parse the spec, and gather the sizes that are known from sizes and shapes."""
    if sizes is not None and not isinstance(sizes, Mapping):
        raise OptionError(f"sizes maps indices to counts, got {sizes!r}")
    known = dict(sizes or {})
    einsum = parse(spec, known)
    check_sizes(einsum, known)
    if shapes is None:
        return einsum, known
    if not _is_list(shapes) or not all(map(_is_list, shapes)):
        raise OptionError(f"shapes is a list of one shape an operand, got {shapes!r}")
    einsum, found = resolve_shapes(einsum, shapes)
    for index, size in found.items():
        if known.get(index, size) != size:
            raise OptionError(
                f"index {index!r} has size {known[index]} in sizes and {size} in shapes"
            )
    known.pop(ELLIPSIS, None)
    return einsum, known | found


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _check_choice(option: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        hint = (
            suggestion(str(value), list(choices)) or f"; it is {' or '.join(choices)}"
        )
        raise OptionError(f"unknown {option} {value!r}{hint}")


def _operand_names(einsum: Einsum, given: Sequence[str] | None) -> tuple[str, ...]:
    """Name every operand, by default ``a, b, …, z, a1, b1, …``, without ``l``."""
    count = len(einsum.operands)
    if given is None:
        letters = string.ascii_lowercase.replace("l", "")
        numbers = itertools.chain([""], map(str, itertools.count(1)))
        names = (f"{letter}{n}" for n in numbers for letter in letters)
        return tuple(itertools.islice(names, count))
    if not _is_list(given):
        raise OptionError(f"operands is a list of names, got {given!r}")
    if len(given) != count:
        listed = ", ".join(map(str, given)) or "none"
        raise OptionError(
            f"{einsum} has {count} operand{'s' * (count != 1)}, "
            f"but the names given are: {listed}"
        )
    for name in given:
        _checked_name("operand", name)
    _check_shared(einsum, given)
    return tuple(given)


def _check_shared(einsum: Einsum, names: Sequence[str]) -> None:
    """Refuse one name for terms that no array can fit alike."""
    first: dict[str, tuple[Index, ...]] = {}
    for name, term in zip(names, einsum.operands, strict=True):
        other = first.setdefault(name, term)
        dots = [t.index(ELLIPSIS) if ELLIPSIS in t else None for t in (other, term)]
        if len(other) != len(term) or dots[0] != dots[1]:
            raise OptionError(
                f"operand {name!r} stands for {''.join(other)!r} and "
                f"{''.join(term)!r}, and no array fits both; rename one of them"
            )


def _checked_name(what: str, name: str) -> str:
    """Return ``name`` if it can stand in generated source, or raise OptionError."""
    why = _why_bad_name(name)
    if why:
        raise OptionError(f"{what} name {name!r} {why}")
    return name


def _why_no_identifier(name: str) -> str | None:
    if not isinstance(name, str) or not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name):
        return "is no name: use letters, digits and '_', and start with a letter"
    if keyword.iskeyword(name):
        return "is a keyword of Python"
    return None


def _why_bad_name(name: str) -> str | None:
    if why := _why_no_identifier(name):
        return why
    if name in RESERVED:
        return "is a name that the generated module needs itself"
    if len(name) > MAX_NAME:
        return f"is longer than {MAX_NAME} characters"
    return None


def _wanted(wrt: Sequence[str] | None, operands: Sequence[str]) -> tuple[str, ...]:
    """Return the operands whose gradients are wanted, by default all."""
    names = list(dict.fromkeys(operands))
    if wrt is None:
        return tuple(names)
    if not _is_list(wrt) or not wrt:
        raise OptionError(f"wrt is a list of one or more operand names, got {wrt!r}")
    for name in wrt:
        if name not in names:
            hint = suggestion(str(name), names) or f"; there are {', '.join(names)}"
            raise OptionError(f"wrt names no operand: {name!r}{hint}")
    if len(set(wrt)) != len(wrt):
        raise OptionError(f"wrt names an operand twice: {', '.join(wrt)}")
    return tuple(wrt)


def _one_line(option: str, text: str) -> str:
    if not isinstance(text, str) or not text.isprintable():
        raise OptionError(f"{option} must be one line of text, got {text!r}")
    return text.strip()


def _checked_width(width: int) -> int:
    if isinstance(width, bool) or not isinstance(width, int) or not 88 <= width <= 120:
        raise OptionError(f"line length must be from 88 to 120, got {width!r}")
    return width


def _options(
    operands: Sequence[str] | None,
    output: str | None,
    sizes: Mapping[str, int] | None,
    shapes: Sequence[Sequence[int]] | None,
    wrt: Sequence[str] | None,
) -> dict[str, str]:
    """Write the options that were given as the command line has them."""
    options: dict[str, str] = {}
    if operands is not None:
        options["--operands"] = ",".join(operands)
    if output is not None:
        options["--output"] = output
    if sizes:
        options["--sizes"] = ",".join(f"{i}={n}" for i, n in sizes.items())
    if shapes is not None:
        options["--shapes"] = ",".join("x".join(map(str, shape)) for shape in shapes)
    if wrt is not None:
        options["--wrt"] = ",".join(wrt)
    return options


DEFAULTS = {
    "complex": "adjoint",
    "optimize": "auto",
    "license": "0BSD",
    "line_length": 88,
}


def _unlike_default(**options: object) -> dict[str, str]:
    return {
        f"--{name.replace('_', '-')}": str(value)
        for name, value in options.items()
        if value != DEFAULTS[name]
    }


def _command(spec: str, options: Mapping[str, str]) -> str:
    """Write the command line that generates the same module."""
    # A bare word could be a command.
    command = [] if "," in spec or "->" in spec else ["generate"]
    return shlex.join(["eingrad", *command, spec, *itertools.chain(*options.items())])
