"""Brackets that break over lines as Python's formatters break them.

A ``Doc`` is text, or a bracketed list of docs.  What fits stays on one line; else the
items go on a line of their own, and if they do not fit there, on one line each with a
trailing comma.  So the text we emit is a fixed point of the formatter, which is never
called.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .errors import display_width

INDENT = "    "


@dataclass(frozen=True)
class Bracketed:
    """``head(item, item)``, in whichever brackets are given."""

    head: str
    items: tuple[Doc, ...]
    brackets: str = "()"

    def __str__(self) -> str:
        inner = ", ".join(map(str, self.items))
        if self.brackets == "()" and not self.head and len(self.items) == 1:
            inner += ","
        return f"{self.head}{self.brackets[0]}{inner}{self.brackets[1]}"


Doc = str | Bracketed


def call(head: str, *items: Doc) -> Bracketed:
    """Write the call of ``head`` with ``items``."""
    return Bracketed(head, items)


def tuple_of(items: Iterable[Doc]) -> Bracketed:
    """Write a tuple."""
    return Bracketed("", tuple(items))


def fits(text: str, width: int) -> bool:
    """Tell whether one line of text is short enough."""
    return display_width(text) <= width


def broken(
    prefix: str, doc: Doc, suffix: str = "", *, indent: str = "", width: int
) -> list[str]:
    """Lay out ``prefix``, ``doc`` and ``suffix`` as lines that fit where they can."""
    flat = f"{indent}{prefix}{doc}{suffix}"
    inner = indent + INDENT
    if fits(flat, width):
        return [flat]
    opening = f"{indent}{prefix}"
    if isinstance(doc, Bracketed):
        opening += f"{doc.head}{doc.brackets[0]}"
    if prefix.endswith(" = ") and (isinstance(doc, str) or not fits(opening, width)):
        # Where not even the head fits, the whole value goes in brackets.
        value = broken("", doc, indent=inner, width=width)
        return [f"{indent}{prefix}(", *value, f"{indent}){suffix}"]
    if isinstance(doc, str) or not doc.items:
        return [flat]
    last = f"{indent}{doc.brackets[1]}{suffix}"
    alone = inner + ", ".join(map(str, doc.items))
    is_literal = not doc.head
    if fits(alone, width) and not is_literal:
        return [opening, alone, last]
    lines = [
        line
        for item in doc.items
        for line in broken("", item, ",", indent=inner, width=width)
    ]
    return [opening, *lines, last]


def string_constant(name: str, text: str, width: int) -> list[str]:
    """Write ``name = "text"``; a long text is cut after commas."""
    flat = f'{name} = "{text}"'
    if fits(flat, width):
        return [flat]
    lines = [""]
    for piece in re.findall("[^,>]*[,>]?", text):
        if not fits(f'{INDENT}"{lines[-1]}{piece}"', width):
            lines.append("")
        lines[-1] += piece
    quoted = [f'{INDENT}"{line}"' for line in lines]
    return [f"{name} = (", *quoted, ")"]


def assign_tuple(names: Sequence[str], value: str, width: int) -> list[str]:
    """Write the assignment of ``value`` to a tuple of names, indented once."""
    bare = f"{INDENT}{', '.join(names)} = {value}"
    if len(names) > 1 and fits(bare, width):
        return [bare]
    return broken("", tuple_of(names), f" = {value}", indent=INDENT, width=width)
