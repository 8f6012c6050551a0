"""The keys of the configuration, and what the value of each must be.

``GENERAL`` holds the keys of ``[tool.eingrad]``, ``KERNEL`` those of a kernel's table,
``SHARED`` those of both: there a kernel's value replaces the general one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from .errors import ConfigError, suggestion
from .request import CONVENTIONS, TARGETS


@dataclass(frozen=True)
class Kind:
    """What a value must be, in words, and ``read``, which returns it frozen or None."""

    wanted: str
    read: Callable[[object], object]


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


def bare(key: str) -> str:
    """Return ``key`` as TOML writes it in a key path: quoted where it has to be."""
    return key if re.fullmatch("[A-Za-z0-9_-]+", key) else shown(key)


def shown(value: object) -> str:
    """Return ``value`` about as TOML writes it, on one line."""
    return json.dumps(value, default=str, ensure_ascii=False)


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _natural(value: object) -> int | None:
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
    if table is None or any(_natural(size) is None for size in table.values()):
        return None
    return table


def _each(read: Callable[[object], object]) -> Callable[[object], object]:
    def read_list(value: object) -> object:
        items = [read(item) for item in value] if isinstance(value, list) else [None]
        return None if None in items else tuple(items)

    return read_list


def _one_of(*choices: str) -> Kind:
    quoted = [shown(choice) for choice in choices]
    wanted = f"{', '.join(quoted[:-1])} or {quoted[-1]}"
    return Kind(wanted, lambda value: value if value in choices else None)


_STRING = Kind("a string", _string)
_STRINGS = Kind("a list of strings", _each(_string))

TABLE = Kind("a table", _table)

SHARED: Mapping[str, Kind] = {
    "targets": Kind(
        f"{shown(TARGETS)}, the only target there is",
        lambda value: TARGETS if value == list(TARGETS) else None,
    ),
    "line-length": Kind("a positive integer", lambda value: _natural(value) or None),
    "license": _STRING,
    "optimize": Kind(
        "the name of a planner, or a path such as [[0, 2], [0, 1]]",
        lambda value: _string(value) or _each(_each(_natural))(value),
    ),
    "memory-limit": Kind(
        'a number of elements, or bytes such as "64MB"',
        lambda value: _string(value) or _number(value),
    ),
    "sizes": Kind("a table of sizes such as { b = 64, i = 128 }", _sizes),
    "complex": _one_of(*CONVENTIONS),
}

GENERAL: Mapping[str, Kind] = {
    "required-version": _STRING,
    "out": _STRING,
    "build": _one_of("generate", "check", "off"),
    "kernels": TABLE,
    "vendor": TABLE,
    **SHARED,
}

KERNEL: Mapping[str, Kind] = {
    "spec": _STRING,
    "operands": _STRINGS,
    "output": _STRING,
    "wrt": _STRINGS,
    "shapes": Kind("a list of shapes such as [[2, 3], [3, 4]]", _each(_each(_natural))),
    **SHARED,
}
