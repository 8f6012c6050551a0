"""The options of a generation, checked once: what every later stage may rely on."""

from __future__ import annotations

import functools
import itertools
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .activations import read_activation
from .contraction import Optimizer
from .errors import OptionError, suggestion
from .memory_limit import read_memory_limit
from .naming import PARAMETERS, checked_name, why_no_identifier
from .options import Options, command_line
from .program import Apply, Value
from .spec import (
    ELLIPSIS,
    Einsum,
    Index,
    parse_part,
    parse_sized,
    resolve_shapes,
)

TARGETS = ("numpy",)
CONVENTIONS = ("adjoint", "transpose")
ORDERS = (1, 2)
LINE_LENGTHS = range(88, 121)
ERFS = ("numpy", "scipy")

# What the array is called that is added to the einsum.
BIAS = "bias"


@dataclass(frozen=True)
class Request:
    """A spec and its options: every name valid, every size for an index of the spec.

    ``operands`` has a name for each term; ``wrt`` some of them and of the bias, each
    once; ``memory_limit`` counts elements.
    """

    einsum: Einsum
    operands: tuple[str, ...]
    output: str
    sizes: Mapping[Index, int]
    wrt: tuple[str, ...]
    bias: Value | None
    activation: Apply | None
    order: int
    complex: str
    optimize: Optimizer
    memory_limit: int | None
    erf: str
    license: str
    line_length: int
    regenerate: str

    @property
    def places(self) -> tuple[Value, ...]:
        """Every place for an array: the terms of the spec, then the bias."""
        terms = zip(self.operands, self.einsum.operands, strict=True)
        return (*itertools.starmap(Value, terms), *([self.bias] if self.bias else []))

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of ``forward``."""
        return tuple(dict.fromkeys(place.name for place in self.places))

    @functools.cached_property
    def same_size(self) -> dict[Index, Index]:
        """Map each index to the first of those that have its size.

        Two indices have one size where they stand on one axis of an array that the
        spec names twice.
        """
        same = {index: index for index in self.einsum.indices}
        first: dict[str, tuple[Index, ...]] = {}
        for place in self.places:
            term = place.subscripts
            known = first.setdefault(place.name, term)
            for index, other in zip(known, term, strict=True):
                old, new = sorted((same[index], same[other]), key=[*same].index)[::-1]
                same = {i: new if n == old else n for i, n in same.items()}
        return same

    @property
    def unsized(self) -> tuple[Index, ...]:
        """The indices whose size is not known, one for each size."""
        same = self.same_size
        known = {same[index] for index in self.sizes}
        return tuple(i for i in dict.fromkeys(same.values()) if i not in known)


def read_request(spec: str, options: Options) -> Request:
    """Check the options against the spec and each other.

    Raises SpecError or OptionError.
    """
    _check_choice("target", options.target, TARGETS)
    _check_choice("complex", options.complex, CONVENTIONS)
    _check_choice("order", options.order, ORDERS)
    _check_choice("erf", options.erf, ERFS)
    parsed, einsum, known = _sized(spec, options.sizes, options.shapes)
    names = _operand_names(einsum, options.operands)
    _check_places(einsum, names, options.shapes, known)
    bias = _bias(options.bias, parsed, einsum, names)
    arrays = [*names, *([bias.name] if bias else [])]
    output = _output_name(options.output, arrays)
    wanted = _wanted(options.wrt, arrays)
    _check_optimize(options.optimize)
    if options.name is not None and (why := why_no_identifier(options.name)):
        raise OptionError(f"kernel name {options.name!r} {why}")
    regenerate = options.regenerate
    if regenerate is None:
        regenerate = command_line(spec, options)
    request = Request(
        einsum=einsum,
        operands=names,
        output=output,
        sizes=known,
        wrt=wanted,
        bias=bias,
        activation=_activation(options.activation),
        order=options.order,
        complex=options.complex,
        optimize=options.optimize,
        memory_limit=read_memory_limit(options.memory_limit),
        erf=options.erf,
        license=_one_line("license", options.license),
        line_length=_checked_width(options.line_length),
        regenerate=_one_line("regenerate", regenerate),
    )
    if request.memory_limit is not None:
        _check_sized(request)
    return request


def _check_sized(request: Request) -> None:
    """Raise OptionError unless the size of every index is known."""
    if request.unsized:
        option = "shapes" if ELLIPSIS in request.unsized else "sizes or shapes"
        raise OptionError(
            f"a memory limit needs the size of {', '.join(request.unsized)}; "
            f"give {option}"
        )


def _sized(
    spec: str,
    sizes: Mapping[str, int] | None,
    shapes: Sequence[Sequence[int]] | None,
) -> tuple[Einsum, Einsum, dict[Index, int]]:
    """Parse the spec, and gather what is known of sizes from sizes and shapes.

    The spec is returned as it is written, and with the ellipsis that shapes resolve.
    """
    parsed, known = parse_sized(spec, sizes)
    if shapes is None:
        return parsed, parsed, known
    if not _is_list(shapes) or not all(map(_is_list, shapes)):
        raise OptionError(f"shapes is a list of one shape an operand, got {shapes!r}")
    einsum, found = resolve_shapes(parsed, shapes)
    for index, size in found.items():
        if known.get(index, size) != size:
            raise OptionError(
                f"index {index!r} has size {known[index]} in sizes and {size} in shapes"
            )
    known.pop(ELLIPSIS, None)
    return parsed, einsum, known | found


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _check_choice(option: str, value: object, choices: Sequence[object]) -> None:
    if value not in choices or isinstance(value, bool):
        words = [str(choice) for choice in choices]
        hint = suggestion(str(value), words) or f"; it is {' or '.join(words)}"
        raise OptionError(f"unknown {option} {value!r}{hint}")


def _check_optimize(optimize: Optimizer) -> None:
    paths = _is_list(optimize) and all(map(_is_list, optimize))
    if not isinstance(optimize, str) and not paths:
        raise OptionError(f"optimize is a method or a path, got {optimize!r}")


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
        checked_name("operand", name)
    _check_shared(einsum, given)
    return tuple(given)


def _output_name(given: str | None, arrays: Sequence[str]) -> str:
    name = checked_name("output", "output" if given is None else given, but=PARAMETERS)
    if name in arrays:
        raise OptionError(f"the output and an operand are both called {name!r}")
    return name


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


def _check_places(
    einsum: Einsum,
    names: Sequence[str],
    shapes: Sequence[Sequence[int]] | None,
    sizes: Mapping[Index, int],
) -> None:
    """Refuse two shapes of one array, its own or what it is broadcast to."""
    own: dict[str, tuple[int, ...]] = {}
    broadcast: dict[str, list[int]] = {}
    for name, term, given in zip(names, einsum.operands, shapes or (), strict=False):
        shape, needed = tuple(given), [sizes[index] for index in term]
        place = f"operand {name!r} stands in two places of {str(einsum)!r}"
        if (known := own.setdefault(name, shape)) != shape:
            raise OptionError(f"{place}, but the shapes {known} and {shape} are given")
        if (other := broadcast.setdefault(name, needed)) != needed:
            raise OptionError(
                f"{place}, where {shape} would be broadcast to both {other} and "
                f"{needed}"
            )


def _bias(
    text: str | None, written: Einsum, einsum: Einsum, operands: Sequence[str]
) -> Value | None:
    """Read the subscripts of the bias; the ellipsis of the spec as written is resolved.

    Raises SpecError or OptionError.
    """
    if text is None:
        return None
    if BIAS in operands:
        raise OptionError(f"an operand is called {BIAS!r} beside the bias; rename it")
    subscripts = parse_part(text, written.output)
    if ELLIPSIS in subscripts and ELLIPSIS not in einsum.indices:
        at = subscripts.index(ELLIPSIS)
        axes = tuple(i for i in einsum.output if i not in written.indices)
        subscripts = subscripts[:at] + axes + subscripts[at + 1 :]
    return Value(BIAS, subscripts)


def _activation(text: str | None) -> Apply | None:
    if text is None:
        return None
    activation, parameters = read_activation(text)
    return Apply(activation.name, parameters)


def _wanted(wrt: Sequence[str] | None, operands: Sequence[str]) -> tuple[str, ...]:
    """Return the operands whose gradients are wanted, by default all."""
    names = list(dict.fromkeys(operands))
    if wrt is None:
        return tuple(names)
    if not _is_list(wrt) or not wrt:
        raise OptionError(f"wrt is a list of one or more operand names, got {wrt!r}")
    for name in wrt:
        if not isinstance(name, str) or name not in names:
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
    whole = isinstance(width, int) and not isinstance(width, bool)
    if not whole or width not in LINE_LENGTHS:
        least, most = LINE_LENGTHS[0], LINE_LENGTHS[-1]
        raise OptionError(f"line length must be from {least} to {most}, got {width!r}")
    return width
