"""The merge of two changes of one text, and patches that hold one of them."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO

import whatthepatch
from whatthepatch.exceptions import WhatThePatchException

from ..errors import OptionError


@dataclass(frozen=True)
class Merged:
    """The text of a merge, with markers around each of its ``conflicts``."""

    text: str
    conflicts: int


def merge(base: str, edited: str, new: str) -> Merged:
    """Apply to ``base`` what both texts change: the merge of diff3.

    Raises OptionError where merge3 is missing: its licence, the GPL, is no condition
    of using eingrad.
    """
    try:
        import merge3
    except ImportError:
        raise OptionError(
            "to merge an edited copy, merge3 is needed: pip install merge3"
        ) from None
    found = merge3.Merge3(_lines(base), _lines(edited), _lines(new))
    conflicts = sum(group[0] == "conflict" for group in found.merge_groups())
    lines = found.merge_lines(
        name_a="edited", name_base="base", name_b="generated", base_marker="|||||||"
    )
    return Merged("".join(map(_whole, lines)), conflicts)


def patched(text: str, patch: str, *, reverse: bool = False) -> str | None:
    """Apply a patch of one file to ``text``; None if it does not fit exactly."""
    try:
        changes = list(whatthepatch.parse_patch(patch))
        if len(changes) != 1:
            return None
        lines = whatthepatch.apply_diff(changes[0], text, reverse=reverse)
    except (WhatThePatchException, ValueError, IndexError):
        return None
    return "".join(f"{line}\n" for line in lines)


def _lines(text: str) -> list[str]:
    """Cut at LF alone, as patch and git do."""
    return list(StringIO(text, newline="\n"))


def _whole(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n"
