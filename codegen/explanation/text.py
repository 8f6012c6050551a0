"""Content -> plain text, for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from ..errors import display_width
from ..notation import abbreviated
from .content import AFTER, Content, MatrixEquation, Operand, Total, held, legend
from .costs import Costs, written
from .formula import Equation, marks
from .formula_text import plain, text_of
from .steps import Step
from .tree import Node, why_not_shown

WIDTH = 88


def text(content: Content) -> str:
    """Write the explanation as text."""
    blocks = [
        _heading(abbreviated(content.einsum, WIDTH), "="),
        _forward(content),
        _layers(content.layers),
        *(_operand(operand) for operand in content.operands),
        *(_total(total) for total in content.totals),
        _tree(content.tree),
        _costs(content.costs),
        _remarks(content.remarks),
        [f"The module: {content.command}"],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _heading(title: str, line: str = "-") -> list[str]:
    return [title, line * display_width(title)]


def _paragraph(words: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        words,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _equation(equation: Equation, indent: str = "    ") -> list[str]:
    """Write an equation on one line, or each side after the first on its own."""
    whole = indent + text_of(equation)
    if display_width(whole) <= WIDTH:
        return [whole]
    left, *sides = map(text_of, equation.sides)
    margin = indent + " " * display_width(left)
    if all(display_width(f"{margin} = {side}") <= WIDTH for side in sides):
        return [f"{indent}{left} = {sides[0]}", *(f"{margin} = {s}" for s in sides[1:])]
    lines = [f"{indent}{left}"]
    for side in sides:
        lines += textwrap.wrap(
            side,
            WIDTH,
            initial_indent=f"{indent}    = ",
            subsequent_indent=f"{indent}      ",
            break_long_words=False,
        )
    return lines


def _matrix(found: MatrixEquation, indent: str = "    ") -> list[str]:
    """Write a matrix equation, and for which values it holds."""
    lines = _equation(found.equation, indent)
    if found.fixed:
        lines[-1] += f"    {plain(held(found.fixed))}"
    return lines


def _forward(content: Content) -> list[str]:
    lines = _equation(content.forward)
    if content.forward_matrix:
        lines += _matrix(content.forward_matrix)
    for equation in content.forward_layers:
        lines += _equation(equation)
    lines += ["", *_paragraph(plain(legend(content)))]
    return [*lines, "", *_paragraph(content.reason)]


def _operand(operand: Operand) -> list[str]:
    lines = _heading(f"The gradient of {text_of(operand.array)}: {operand.spec}")
    lines += ["", *_roles(operand)]
    if not operand.steps:
        lines += _equation(operand.indexed)
        lines += _matrix(operand.matrix) if operand.matrix else []
    for number, step in enumerate(operand.steps, start=1):
        lines += ["", *_step(step, f"{number}. ")]
    return lines


def _layers(steps: Sequence[Step]) -> list[str]:
    lines = _heading(AFTER) if steps else []
    for step in steps:
        lines += ["", *_step(step)]
    return lines


def _roles(operand: Operand) -> list[str]:
    rows = []
    for role in operand.roles:
        indices = " ".join(map(text_of, marks(role.indices)))
        rows.append((role.set, indices, role.name, plain(role.effect)))
    widths = [max((display_width(row[k]) for row in rows), default=0) for k in range(3)]
    lines = []
    for row in rows:
        head = "   ".join(_padded(*cell) for cell in zip(row, widths, strict=False))
        margin = " " * (display_width(head) + 5)
        lines += textwrap.wrap(f"  {head}   {row[3]}", WIDTH, subsequent_indent=margin)
    return lines


def _padded(text: str, width: int) -> str:
    return text + " " * (width - display_width(text))


def _step(step: Step, number: str = "") -> list[str]:
    lines = _paragraph(f"{number}{step.title}. {plain(step.prose)}".rstrip(" "))
    for equation in step.formulas:
        lines += _equation(equation, "       ")
    return lines


def _total(total: Total) -> list[str]:
    return [
        *_heading(f"The gradient of {text_of(total.array)}, in all its places"),
        "",
        *_step(total.step),
    ]


def _tree(root: Node) -> list[str]:
    """Draw the tree, each array with its einsum, its cost and its size beside it."""
    lines = [*_heading("The contraction tree"), ""]
    if why := why_not_shown(root):
        return [*lines, f"  {why}"]
    cells = [("array", "computed by", "multiply-adds", "entries")]
    for line, node in _branches(root):
        cost = written(node.multiply_adds) if node.multiply_adds else ""
        cells.append((line, str(node.step), cost, written(((node.subscripts, 1),))))
    widths = [max(display_width(row[k]) for row in cells) for k in range(4)]
    for row in cells:
        line = "   ".join(map(_padded, row, widths))
        lines.append(f"  {line}".rstrip())
    return lines


def _branches(root: Node) -> Iterator[tuple[str, Node]]:
    """Yield each node after the lines that join it to its parent."""
    waiting = [(root, "", "")]
    while waiting:
        node, head, below = waiting.pop()
        inner = ",".join(text_of(mark) for mark in marks(node.subscripts))
        yield f"{head}{node.name}{f'[{inner}]' if inner else ''}", node
        joints = [("├─ ", "│  ")] * (len(node.children) - 1) + [("└─ ", "   ")]
        pairs = list(zip(node.children, joints, strict=False))
        waiting += [(c, below + a, below + b) for c, (a, b) in reversed(pairs)]


def _costs(costs: Costs) -> list[str]:
    lines = [*_heading("The cost"), ""]
    if not costs.multiplies:
        return [*lines, f"  {costs.nothing}"]
    width = max(len(work.label) for work in costs.work)
    for work in costs.work:
        lines += textwrap.wrap(
            f"  {work.label:{width}}   {written(work.multiply_adds)}",
            WIDTH,
            subsequent_indent=" " * (width + 5),
        )
    for fact in costs.facts:
        if fact.polynomial:
            terms = f"{written(fact.polynomial)} {fact.unit}"
            lines.append(f"  {fact.label:{width}}   {terms}")
    lines += ["", *_paragraph(f"In numbers, with {costs.sizes_in_words}:"), ""]
    rows = [(w.label, w.contractions, w.number) for w in costs.work]
    lines += [
        f"  {label:{width}}   {number:>15,} multiply-adds in {count:,} "
        f"contraction{'s' * (count != 1)}"
        for label, count, number in rows
    ]
    lines += [
        f"  {fact.label:{width}}   {fact.number:>15,} {fact.unit}"
        for fact in costs.facts
    ]
    return [*lines, *(["", *_paragraph(costs.verdict)] if costs.verdict else [])]


def _remarks(remarks: Sequence[str]) -> list[str]:
    lines = _heading("For all gradients") if remarks else []
    for remark in remarks:
        lines += ["", *_paragraph(remark)]
    return lines
