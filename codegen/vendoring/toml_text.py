"""Changes to a TOML file that leave the rest of its text as it is."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from ..errors import ConfigError


def with_table(text: str, keys: Sequence[str], table: Mapping[str, Any]) -> str:
    """Return the TOML ``text`` with ``table`` put in at ``keys``, a path of keys.

    Raises ConfigError if the text is laid out so that this cannot be done safely.
    """
    wanted = tomllib.loads(text)
    inner = wanted
    for key in keys[:-1]:
        inner = inner.setdefault(key, {})
    inner[keys[-1]] = dict(table)
    heading = "[" + ".".join(tomlkit.key(key).as_string() for key in keys) + "]"
    block = tomlkit.document()
    for key, value in table.items():
        block.add(key, _item(value))
    # A table at the end of the file reads the same wherever its parents stand.
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    added = f"{text}{gap}{heading}\n{tomlkit.dumps(block)}"
    return _checked(added, wanted, text, f"add the table {heading} by hand")


def without_table(text: str, keys: Sequence[str]) -> str:
    """Return the TOML ``text`` without the table at ``keys``, a path of keys.

    Raises ConfigError if the text is laid out so that this cannot be done safely.
    """
    wanted = tomllib.loads(text)
    inner = wanted
    for key in keys[:-1]:
        inner = inner[key]
    del inner[keys[-1]]
    shown = ".".join(keys)
    advice = f"remove the table {shown} by hand"
    try:
        document = tomlkit.parse(text)
        parent: Any = document
        for key in keys[:-1]:
            parent = parent[key]
        del parent[keys[-1]]
        removed = tomlkit.dumps(document)
    except (TOMLKitError, KeyError, TypeError):
        removed = ""
    return _checked(removed, wanted, text, advice)
