"""What a generated module says about itself, read with suspicion.

A file may have been edited: each attribute is looked at before it is relied on, and
the first that is not as it should be is a `DisprovedError` of the law "interface".
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from ..oracle import ELLIPSIS, Subscripts, split
from .reference import ACTIVATIONS, read
from .trial import Counterexample, DisprovedError
from .views import Sizes, Subject

FUNCTIONS = ("forward", "backward", "vjp", "jvp")
SECOND = ("hvp", "double_backward")
CONVENTIONS = ("adjoint", "transpose")
RANK_LIMIT = 64 if np.lib.NumpyVersion(np.__version__) >= "2.0.0" else 32
# What the new indices of an output may make of one entry: a minute, and 1.5 GB.
ENTRIES_LIMIT = 2**22


def examine(module: object) -> Subject:
    """Return what ``module`` claims to compute.

    Raises DisprovedError for the first attribute that is missing or malformed.
    """
    spec = _spec(module)
    terms, output = split(spec)
    operands = _names(module, "OPERANDS")
    bias = _bias(module, output)
    places = len(terms) + (bias is not None)
    if len(operands) != places:
        beside = "" if bias is None else " and a bias"
        counts = f"{len(operands)} names, SPEC has {len(terms)} operands{beside}"
        _refuse(module, "OPERANDS", f"has {counts}")
    if bias is not None and operands[-1] in operands[:-1]:
        _refuse(module, "OPERANDS", f"has {operands[-1]!r} for the bias and beside it")
    _agree_on_ranks(module, operands[: len(terms)], terms)
    gradients = _names(module, "GRADIENTS")
    if len(set(gradients)) != len(gradients) or not set(gradients) <= set(operands):
        _refuse(module, "GRADIENTS", f"is {gradients}, not distinct names of OPERANDS")
    activation = _activation(module)
    second = any(hasattr(module, function) for function in SECOND)
    for function in FUNCTIONS + SECOND * second:
        if not callable(_attribute(module, function)):
            _refuse(module, function, "is not a function")
    new = [i for i in output if i != ELLIPSIS and not any(i in term for term in terms)]
    return Subject(
        spec,
        operands,
        gradients,
        complex=_convention(module, activation),
        sizes=_sizes(module, new),
        bias=bias,
        activation=activation,
        order=2 if second else 1,
        into=_takes_out(module),
    )


def _takes_out(module: Any) -> bool:
    """Tell whether both sweeps take ``out``, and the reverse one ``accumulate``."""
    try:
        forward = inspect.signature(module.forward).parameters
        backward = inspect.signature(module.backward).parameters
    except (TypeError, ValueError):
        return False
    return "out" in forward and {"out", "accumulate"} <= backward.keys()


def _refuse(module: object, attribute: str, message: str) -> NoReturn:
    spec = getattr(module, "SPEC", "")
    shown = spec if isinstance(spec, str) else ""
    found = Counterexample(shown, "interface", attribute, f"{attribute} {message}")
    raise DisprovedError(found)


def _attribute(module: object, name: str) -> Any:
    if not hasattr(module, name):
        _refuse(module, name, "is missing")
    return getattr(module, name)


def _spec(module: object) -> str:
    """Return an explicit spec whose arrays NumPy can hold."""
    spec = _attribute(module, "SPEC")
    if not isinstance(spec, str) or spec.count("->") != 1:
        _refuse(module, "SPEC", f"is {spec!r}, not an explicit spec")
    terms, output = split(spec)
    for term in (*terms, output):
        if term.count(ELLIPSIS) > 1 or set(term) & set(".->,"):
            _refuse(module, "SPEC", f"is {spec!r}: cannot read {''.join(term)!r}")
        if (rank := len(term) - term.count(ELLIPSIS)) > RANK_LIMIT:
            limit = f"more than the {RANK_LIMIT} of this NumPy"
            _refuse(module, "SPEC", f"asks for an array of {rank} axes, {limit}")
    return str(spec)


def _bias(module: object, output: Subscripts) -> Subscripts | None:
    """Return the subscripts of the bias, which are distinct ones of the output's."""
    if (bias := getattr(module, "BIAS", None)) is None:
        return None
    if isinstance(bias, str) and set(bias) <= set("".join(output)):
        ((term,), _) = split(f"{bias}->")
        if len(set(term)) == len(term) and set(term) <= set(output):
            return term
    _refuse(module, "BIAS", f"is {bias!r}, not distinct indices of the output")


def _activation(module: object) -> str | None:
    """Return the activation, which is one that there is a reference for."""
    activation = getattr(module, "ACTIVATION", None)
    try:
        read(activation)
    except (AttributeError, ValueError):
        known = ", ".join([*ACTIVATIONS, "leaky_relu:0.01"])
        _refuse(module, "ACTIVATION", f"is {activation!r}, not one of {known}")
    return activation


def _convention(module: object, activation: str | None) -> str:
    """Return how complex numbers are dealt with; with an activation there are none."""
    if activation is not None:
        return CONVENTIONS[0]
    convention = _attribute(module, "COMPLEX")
    if convention not in CONVENTIONS:
        _refuse(module, "COMPLEX", f"is {convention!r}, not one of {CONVENTIONS}")
    return str(convention)


def _names(module: object, attribute: str) -> tuple[str, ...]:
    names = _attribute(module, attribute)
    if not isinstance(names, tuple) or not all(isinstance(n, str) for n in names):
        _refuse(module, attribute, f"is {names!r}, not a tuple of names")
    return tuple(names)


def _agree_on_ranks(
    module: object, operands: tuple[str, ...], terms: tuple[Subscripts, ...]
) -> None:
    """Refuse a name in two places that ask for different numbers of axes."""
    for name in set(operands):
        held = [
            term for other, term in zip(operands, terms, strict=True) if other == name
        ]
        least = max(len(term) - term.count(ELLIPSIS) for term in held)
        if any(len(term) < least for term in held if ELLIPSIS not in term):
            places = " and ".join("".join(term) for term in held)
            _refuse(module, "OPERANDS", f"has {name!r} for both {places}")


def _sizes(module: object, new: list[str]) -> Sizes:
    """Return the sizes of the indices that only the output has."""
    sizes = _attribute(module, "SIZES") if new else {}
    if not isinstance(sizes, Mapping):
        _refuse(module, "SIZES", f"is {sizes!r}, not a dict")
    for index in new:
        size = sizes.get(index)
        if not isinstance(size, int) or size < 0:
            _refuse(module, "SIZES", f"has {size!r} for the output's index {index!r}")
    if math.prod(sizes[index] for index in new) > ENTRIES_LIMIT:
        limit = f"more than the {ENTRIES_LIMIT} entries that a check computes with"
        _refuse(module, "SIZES", f"asks for {limit}")
    return {index: int(sizes[index]) for index in new}
