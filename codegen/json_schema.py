"""The configuration as JSON Schema, for editors and for who writes it by program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .schema import GENERAL, KERNEL, NAME, VENDOR, Kind

_DIALECT = "http://json-schema.org/draft-07/schema#"


def json_schema() -> dict[str, Any]:
    """Return the schema of ``eingrad.toml``, which is that of ``[tool.eingrad]``."""
    general = _table(GENERAL, required=[])
    kernel, vendored = _table(KERNEL, ["spec"]), _table(VENDOR, ["dest"])
    vendored["oneOf"] = [{"required": ["spec"]}, {"required": ["from"]}]
    for key, table in (("kernels", kernel), ("vendor", vendored)):
        general["properties"][key] |= {
            "propertyNames": {"pattern": f"^{NAME}$"},
            "additionalProperties": table,
        }
    # A project that has vendored kernels alone has no folder for others.
    general["anyOf"] = [{"required": ["out"]}, {"required": ["vendor"]}]
    return {
        "$schema": _DIALECT,
        "title": "eingrad",
        "description": "The table [tool.eingrad] of pyproject.toml, or eingrad.toml.",
        **general,
    }


def _table(kinds: Mapping[str, Kind], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            key: {"description": kind.about, **kind.schema}
            for key, kind in kinds.items()
        },
        "required": required,
        "additionalProperties": False,
    }
