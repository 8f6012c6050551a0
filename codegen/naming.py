"""Names that can stand in generated source."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection

from .errors import OptionError

MAX_NAME = 28

# Parameters of the emitted functions: an output of such a name has another variable.
PARAMETERS = ("out", "accumulate", "into")

# Names that the emitted functions use themselves.
RESERVED = frozenset(
    "Array GRADIENTS Pullback ValueError accumulate adapted backward cotangents counts "
    "double_backward forward full gradients hvp into jvp len like np out plain primals "
    "products pullback shape tangents tuple type vjp".split()
)


def checked_name(what: str, name: str, but: Collection[str] = ()) -> str:
    """Return ``name`` if it can stand in generated source, or raise OptionError.

    Of the names that modules use themselves, those in ``but`` are accepted.
    """
    why = None if name in but else _why_bad_name(name)
    if why:
        raise OptionError(f"{what} name {name!r} {why}")
    return name


def why_no_identifier(name: str) -> str | None:
    """Say why ``name`` cannot name a Python module; None if it can."""
    if not isinstance(name, str) or not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name):
        return "is no name: use ASCII letters, digits and '_', and start with a letter"
    if keyword.iskeyword(name):
        return "is a keyword of Python"
    return None


def _why_bad_name(name: str) -> str | None:
    if why := why_no_identifier(name):
        return why
    if name in RESERVED:
        return "is a name that the generated module needs itself"
    if len(name) > MAX_NAME:
        return f"is longer than {MAX_NAME} characters"
    return None
