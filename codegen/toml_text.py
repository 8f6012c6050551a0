"""Changes to a TOML file that leave the rest of its text as it is."""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from .errors import ConfigError

# What tomlkit and tomllib raise for a layout that they cannot take a change of.
_CANNOT = (TOMLKitError, tomllib.TOMLDecodeError, AttributeError, KeyError, TypeError)

Change = Callable[[Any], None]


def with_table(text: str, keys: Sequence[str], table: Mapping[str, Any]) -> str:
    """Return the TOML ``text`` with ``table`` put in at ``keys``, a path of keys.

    Raises ConfigError if the text is laid out so that this cannot be done safely.
    """

    def put(tables: Any) -> None:
        for key in keys[:-1]:
            tables = tables.setdefault(key, {})
        tables[keys[-1]] = lines

    lines = {key: _on_one_line(value) for key, value in table.items()}
    block = f"[{_path(keys)}]\n{tomlkit.dumps(lines)}"
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    # At the end of the file, or, where that cannot be, among its siblings.
    appended = text + (gap + block).replace("\n", _newline(text))
    return _changed(text, put, appended, f"add it by hand:\n{block.rstrip()}")


def without_table(text: str, keys: Sequence[str]) -> str:
    """Return the TOML ``text`` without the table at ``keys``, a path of keys.

    Raises ConfigError if the text is laid out so that this cannot be done safely.
    """

    def drop(tables: Any) -> None:
        for key in keys[:-1]:
            tables = tables[key]
        del tables[keys[-1]]

    way_out = f"remove the table [{_path(keys)}] by hand"
    left = _changed(text, drop, None, way_out).rstrip()
    # Without the empty line that stood before a table at the end.
    return left + _newline(text) if left else ""


def _changed(text: str, change: Change, simple: str | None, way_out: str) -> str:
    """Return ``simple``, or tomlkit's text, whichever first says what is wanted."""
    ways: list[Callable[[str, Change], str | None]]
    ways = [lambda _, __: simple, _by_tomlkit]
    for way in ways:
        with contextlib.suppress(*_CANNOT):
            wanted = tomllib.loads(text)
            change(wanted)
            found = way(text, change)
            if found is not None and _pruned(tomllib.loads(found)) == _pruned(wanted):
                return found
    raise ConfigError(f"the configuration cannot be changed as it stands; {way_out}")


def _by_tomlkit(text: str, change: Change) -> str:
    document = tomlkit.parse(text)
    change(document)
    return tomlkit.dumps(document)


def _pruned(value: Any) -> Any:
    """Return a value without empty tables, which say nothing here."""
    if not isinstance(value, dict):
        return value
    pruned = {key: _pruned(inner) for key, inner in value.items()}
    return {key: inner for key, inner in pruned.items() if inner != {}}


def _on_one_line(value: Any) -> Any:
    """Return a value such that a table in it is written on its line."""
    if not isinstance(value, Mapping):
        return value
    inline = tomlkit.inline_table()
    inline.update(value)
    return inline


def _path(keys: Sequence[str]) -> str:
    return ".".join(tomlkit.key(key).as_string() for key in keys)


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
