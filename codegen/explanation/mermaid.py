"""Content -> the contraction tree as a flowchart of Mermaid."""

from __future__ import annotations

from .content import Content
from .costs import written
from .formula import Entry, marks
from .formula_text import text_of
from .tree import Node, numbered


def mermaid(content: Content) -> str:
    """Write the tree as a flowchart, from the operands up to the output."""
    nodes = numbered(content.tree)
    lines = [f"%% {content.command}", "flowchart BT"]
    lines += [f'  n{number}["{_label(node)}"]' for number, node, _ in nodes]
    for number, _, children in nodes:
        lines += [f"  n{child} --> n{number}" for child in children]
    return "\n".join(lines) + "\n"


def _label(node: Node) -> str:
    """Write what a box says; only names and letters are from the user."""
    parts = [text_of(Entry(node.name, marks(node.subscripts)))]
    if node.step:
        parts.append(str(node.step).replace(">", "#gt;"))
    if node.multiply_adds:
        parts.append(f"{written(node.multiply_adds)} multiply-adds")
    return "<br/>".join(parts)
