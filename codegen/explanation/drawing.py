"""Node -> an SVG drawing of the contraction tree, the output on top."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

from ..spec import ELLIPSIS, Einsum
from .costs import written
from .markup import Palette
from .tree import Node

# Lengths in pixels, at the font sizes of the style sheet.
LETTER = 8.6
PADDING = 14.0
GAP = 18.0
LINE = 19.0
LEVEL = 54.0

# A wider tree is not drawn.
MOST_LEAVES = 40


@dataclass(frozen=True)
class _Box:
    """A node, the middle of its box from the left, its top, and its children."""

    node: Node
    x: float
    y: float
    children: tuple[_Box, ...]

    @property
    def width(self) -> float:
        return _width(self.node)

    @property
    def height(self) -> float:
        return _height(self.node)


def drawing(root: Node, palette: Palette) -> str:
    """Draw the tree; empty where there are too many operands to see anything."""
    leaves = sum(not node.children for _, node in root.rows())
    if leaves > MOST_LEAVES:
        return ""
    top = _placed(root, 1.0, 1.0)
    boxes = list(_boxes(top))
    width = max(box.x + box.width / 2 for box in boxes) + 1
    height = max(box.y + box.height for box in boxes) + 1
    svg = Element(
        "svg",
        {
            "class": "tree",
            "role": "img",
            "viewBox": f"0 0 {width:g} {height:g}",
            "width": f"{width:g}",
            "height": f"{height:g}",
            "aria-labelledby": "tree-title",
        },
    )
    title = SubElement(svg, "title", {"id": "tree-title"})
    title.text = f"Contraction tree of {leaves} operands; the table below has its steps"
    for box in boxes:
        for child in box.children:
            _edge(svg, box, child)
    for box in boxes:
        _draw(svg, box, palette)
    return tostring(svg, encoding="unicode")


def _lines(node: Node) -> list[str]:
    """List the lines of a box: the array, the einsum, the cost."""
    lines = [f"{node.name} {''.join(node.subscripts)}"]
    if node.step:
        lines.append(str(node.step))
    if node.multiply_adds:
        # As the tables of the page write a product.
        lines.append(written(node.multiply_adds).replace("*", "·"))
    return lines


def _width(node: Node) -> float:
    return LETTER * max(map(len, _lines(node))) + 2 * PADDING


def _height(node: Node) -> float:
    return LINE * len(_lines(node)) + 12


def _below(node: Node) -> float:
    """Return the width of all that hangs below a node."""
    return sum(map(_span, node.children)) + GAP * max(0, len(node.children) - 1)


def _span(node: Node) -> float:
    """Return the width of a node with all that hangs below it."""
    return max(_width(node), _below(node))


def _placed(node: Node, left: float, top: float) -> _Box:
    """Place a subtree whose left edge is given: a parent in the middle of its own.

    A parent that is wider than they are stays within the edges of the subtree.
    """
    span = _span(node)
    start = left + (span - _below(node)) / 2
    boxes = []
    for child in node.children:
        boxes.append(_placed(child, start, top + _height(node) + LEVEL))
        start += _span(child) + GAP
    middle = (boxes[0].x + boxes[-1].x) / 2 if boxes else left + span / 2
    half = _width(node) / 2
    middle = min(max(middle, left + half), left + span - half)
    return _Box(node, round(middle, 1), top, tuple(boxes))


def _boxes(top: _Box) -> list[_Box]:
    found = [top]
    for box in found:
        found += box.children
    return found


def _edge(svg: Element, box: _Box, child: _Box) -> None:
    start, end = box.y + box.height, child.y
    half = (start + end) / 2
    bend = f"{child.x:g} {half:g} {box.x:g} {half:g}"
    path = f"M{child.x:g} {end:g}C{bend} {box.x:g} {start:g}"
    SubElement(svg, "path", {"class": "edge", "d": path})


def _draw(svg: Element, box: _Box, palette: Palette) -> None:
    node = box.node
    kind = "step" if node.children else "leaf"
    group = SubElement(svg, "g", {"class": kind})
    place = {"x": f"{box.x - box.width / 2:g}", "y": f"{box.y:g}"}
    size = {"width": f"{box.width:g}", "height": f"{box.height:g}", "rx": "8"}
    SubElement(group, "rect", {**place, **size})
    for number, _ in enumerate(_lines(node)):
        y = box.y + 6 + LINE * (number + 0.72)
        css = ("array", "einsum", "cost")[number]
        line = {"class": css, "x": f"{box.x:g}", "y": f"{y:g}"}
        text = SubElement(group, "text", {**line, "text-anchor": "middle"})
        if number == 0:
            text.text = f"{node.name}\u2009"
            _letters(text, "".join(node.subscripts), palette)
        elif number == 1 and not isinstance(node.step, Einsum):
            text.text = node.step
        else:
            _letters(text, _lines(node)[number], palette)


def _letters(text: Element, words: str, palette: Palette) -> None:
    """Append words, the indices in their colours."""
    last: Element | None = None
    for sign in words.replace(ELLIPSIS, "…"):
        index = ELLIPSIS if sign == "…" else sign
        if index in palette.indices:
            last = SubElement(text, "tspan", {"class": palette.classes(index)})
            last.text = sign
        elif last is None:
            text.text = (text.text or "") + sign
        else:
            last.tail = (last.tail or "") + sign
