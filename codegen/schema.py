"""The keys of the configuration, and what the value of each must be.

``GENERAL`` holds the keys of ``[tool.eingrad]``, ``KERNEL`` those of a kernel's table,
``SHARED`` those of both: there a kernel's value replaces the general one.  ``VENDOR``
holds those of a vendored kernel's table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from .errors import ConfigError, suggestion
from .request import CONVENTIONS, ERFS, LINE_LENGTHS, ORDERS, TARGETS

# The name of a kernel, as a regular expression: no two differ in case alone.
NAME = "[a-z][a-z0-9_]*"
# An index of a spec: one letter, whatever the alphabet, or an ellipsis.
_INDEX = r"^(.|\.\.\.)$"


@dataclass(frozen=True)
class Kind:
    """What a value must be, in words, and ``read``, which returns it frozen or None.

    schema: the same in JSON Schema.
    about: what the value says, for whom an editor shows it to.
    """

    wanted: str
    read: Callable[[object], object]
    schema: Mapping[str, Any] = field(default_factory=dict)
    about: str = ""

    def for_(self, about: str) -> Kind:
        """Return the kind of a key, with what the key says."""
        return replace(self, about=about)


def read_table(
    prefix: str, table: Mapping[str, Any], kinds: Mapping[str, Kind]
) -> dict[str, Any]:
    """Return the values of ``table``, frozen, each key spelled as a Python name.

    prefix: what stands before a key of this table where an error names it.

    Raises ConfigError for a key that is not in ``kinds`` and a value of another kind.
    """
    for key in table:
        if key not in kinds:
            keys = f"; the keys here are {', '.join(kinds)}"
            close = suggestion(key, list(kinds)) or keys
            raise ConfigError(f"{prefix}{bare(key)} is not a known key{close}")
    return {
        key.replace("-", "_"): read_value(f"{prefix}{key}", value, kinds[key])
        for key, value in table.items()
    }


def read_value(path: str, value: object, kind: Kind) -> Any:
    """Return ``value``, frozen; ConfigError names ``path`` if it is not of ``kind``."""
    read = kind.read(value)
    if read is None:
        raise ConfigError(f"{path} must be {kind.wanted}, got {shown(value)}")
    return read


def spelled(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options under the names that the configuration has for them."""
    return {name.replace("_", "-"): value for name, value in options.items()}


def bare(key: str) -> str:
    """Return ``key`` as TOML writes it in a key path: quoted where it has to be."""
    return key if re.fullmatch("[A-Za-z0-9_-]+", key) else shown(key)


def shown(value: object) -> str:
    """Return ``value`` about as TOML writes it, on one line."""
    return json.dumps(value, default=str, ensure_ascii=False)


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None


def natural(value: object) -> int | None:
    """Return ``value`` if it is an integer from 0 on."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if value >= 0 else None


def _number(value: object) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if value > 0 else None


def _table(value: object) -> Mapping[str, Any] | None:
    return MappingProxyType(value) if isinstance(value, dict) else None


def _sizes(value: object) -> Mapping[str, Any] | None:
    table = _table(value)
    if table is None or any(natural(size) is None for size in table.values()):
        return None
    # A general size may be for no index of any kernel, but it is for an index.
    return table if all(re.search(_INDEX, index) for index in table) else None


def each(read: Callable[[object], object]) -> Callable[[object], object]:
    """Return what reads a list, frozen, of which ``read`` reads every item."""

    def read_list(value: object) -> object:
        items = [read(item) for item in value] if isinstance(value, list) else [None]
        return None if None in items else tuple(items)

    return read_list


def _one_of(*choices: str) -> Kind:
    quoted = [shown(choice) for choice in choices]
    wanted = f"{', '.join(quoted[:-1])} or {quoted[-1]}"
    schema = {"enum": list(choices)}
    return Kind(wanted, lambda value: value if value in choices else None, schema)


STRING = Kind("a string", _string, {"type": "string"})
STRINGS = Kind(
    "a list of strings",
    each(_string),
    {"type": "array", "items": {"type": "string"}},
)
TABLE = Kind("a table", _table, {"type": "object"})

_NATURAL = {"type": "integer", "minimum": 0}
NATURALS = Kind(
    "a list of lists of integers",
    each(each(natural)),
    {"type": "array", "items": {"type": "array", "items": _NATURAL}},
)

SHARED: Mapping[str, Kind] = {
    "targets": Kind(
        f"{shown(TARGETS)}, the only target there is",
        lambda value: TARGETS if value == list(TARGETS) else None,
        {"const": list(TARGETS)},
        "What the text is written for.",
    ),
    "line-length": Kind(
        f"an integer from {LINE_LENGTHS[0]} to {LINE_LENGTHS[-1]}",
        lambda value: value if natural(value) in LINE_LENGTHS else None,
        {"type": "integer", "minimum": LINE_LENGTHS[0], "maximum": LINE_LENGTHS[-1]},
        "The longest line of a module; 88 by default.",
    ),
    "license": STRING.for_(
        'SPDX expression of the module, "0BSD" by default; "" leaves the line out.'
    ),
    "optimize": Kind(
        "the name of a planner, or a path such as [[0, 2], [0, 1]]",
        lambda value: _string(value) or each(each(natural))(value),
        {"anyOf": [STRING.schema, NATURALS.schema]},
        "How the order of contraction is found, or the order itself.",
    ),
    "memory-limit": Kind(
        'a number of elements, or bytes such as "64MB"',
        lambda value: _string(value) or _number(value),
        {"anyOf": [STRING.schema, {"type": "number", "exclusiveMinimum": 0}]},
        "The most that vjp and its pullback may hold; it needs all sizes.",
    ),
    "sizes": Kind(
        "a table of sizes such as { b = 64, i = 128 }",
        _sizes,
        {
            "type": "object",
            "propertyNames": {"pattern": _INDEX},
            "additionalProperties": _NATURAL,
        },
        "Sizes of indices to plan for; a module takes arrays of any sizes.",
    ),
    "complex": _one_of(*CONVENTIONS).for_(
        "Whether gradients conjugate the other operands, as PyTorch does, or not."
    ),
    "erf": _one_of(*ERFS).for_("Where gelu gets the normal distribution from."),
    "order": Kind(
        "1 or 2",
        lambda value: value if natural(value) in ORDERS else None,
        {"enum": list(ORDERS)},
        "2 adds Hessian-vector products and double backward.",
    ),
}

KERNEL: Mapping[str, Kind] = {
    "spec": STRING.for_('The einsum, such as "ij,jk->ik".'),
    "operands": STRINGS.for_("Names of the operands; one name twice is one array."),
    "output": STRING.for_("Name of the output."),
    "wrt": STRINGS.for_("Operands whose gradients are wanted; all by default."),
    "bias": STRING.for_("Indices of the output that an added array `bias` has."),
    "activation": STRING.for_('Function of the sum, such as "leaky_relu:0.1".'),
    "shapes": replace(
        NATURALS,
        wanted="a list of shapes such as [[2, 3], [3, 4]]",
        about="Shapes of the operands to plan for; they fix what '...' stands for.",
    ),
    **SHARED,
}

GENERAL: Mapping[str, Kind] = {
    "required-version": STRING.for_('Versions of eingrad to accept: ">=1.0,<2".'),
    "out": STRING.for_("The folder of the modules, inside the project."),
    "build": _one_of("generate", "check", "off").for_(
        'What the hook of a build backend does; "check" by default.'
    ),
    "kernels": TABLE.for_("The kernels; NAME.py is made from the table NAME."),
    "vendor": TABLE.for_("Copies of modules that `eingrad vendor` looks after."),
    **SHARED,
}

VENDOR: Mapping[str, Kind] = {
    "from": STRING.for_(
        'Instead of a spec, a kernel of another project: "../other/eingrad.lock#NAME".'
    ),
    "dest": STRING.for_("The file of the copy, inside the project."),
    "test": STRING.for_("The file of a pytest that proves the copy."),
    **KERNEL,
}
