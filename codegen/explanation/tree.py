"""Program -> the tree of its steps, each with what it costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..program import Program, monomials
from ..spec import Einsum, Subscripts
from .costs import Polynomial

# A larger tree is not written out where people read; flowchart and JSON have it.
MOST_ROWS = 100


@dataclass(frozen=True)
class Node:
    """An array of the forward pass and how it is computed; an operand has no children.

    step is the einsum, or what else is done in words, multiply_adds its cost.
    """

    name: str
    subscripts: Subscripts
    step: Einsum | str
    multiply_adds: Polynomial
    children: tuple[Node, ...]

    def rows(self) -> Iterator[tuple[int, Node]]:
        """Yield every node below its parent, with its depth."""
        waiting = [(0, self)]
        while waiting:
            level, node = waiting.pop()
            yield level, node
            waiting += [(level + 1, child) for child in reversed(node.children)]


def tree(program: Program, names: Mapping[str, str]) -> Node:
    """Draw the forward program as a tree, its arrays called by ``names``."""
    made = {
        value.name: _leaf(names.get(value.name, value.name), value.subscripts)
        for value in program.inputs
    }
    for step in program.steps:
        children = []
        for k, value in enumerate(step.arguments):
            child = made[value.name]
            if isinstance(step.op, Einsum) and not child.children:
                # One array in two places stands there under different indices.
                child = _leaf(child.name, step.op.operands[k])
            children.append(child)
        made[step.result.name] = Node(
            names.get(step.result.name, step.result.name),
            step.result.subscripts,
            step.op if isinstance(step.op, Einsum) else str(step.op),
            tuple(monomials([step]).items()),
            tuple(children),
        )
    (output,) = program.outputs
    return made[output.name]


def _leaf(name: str, subscripts: Subscripts) -> Node:
    return Node(name, subscripts, "", (), ())


def why_not_shown(root: Node) -> str:
    """Say why a tree is not written out; empty where it is."""
    count = sum(1 for _ in root.rows())
    if count <= MOST_ROWS:
        return ""
    return f"It has {count} arrays; the formats mermaid and json list them."


def numbered(root: Node) -> list[tuple[int, Node, list[int]]]:
    """Return the nodes from the root down, each with its number and its children's."""
    found: list[tuple[int, Node, list[int]]] = []
    waiting: list[tuple[Node, list[int]]] = [(root, [])]
    while waiting:
        node, siblings = waiting.pop()
        children: list[int] = []
        siblings.append(len(found))
        found.append((len(found), node, children))
        waiting += [(child, children) for child in reversed(node.children)]
    return found
