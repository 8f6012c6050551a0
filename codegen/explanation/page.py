"""Content -> one HTML page: no script, no network, light and dark."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from ..notation import role_of
from ..render import environment
from ..spec import Subscripts
from .content import AFTER, Content, MatrixEquation, Operand, held, legend
from .costs import Costs
from .drawing import drawing
from .formula import Entry, Equation, marks
from .markup import Palette
from .steps import Step
from .tree import Node


@dataclass(frozen=True)
class Line:
    """An equation: its left side, its right sides, and for which indices it holds."""

    left: Markup
    sides: tuple[Markup, ...]
    held: Markup


@dataclass(frozen=True)
class Section:
    """An operand: its heading, its sets as rows of cells, and its steps."""

    title: Markup
    spec: Markup
    anchor: str
    sets: tuple[tuple[Markup, ...], ...]
    steps: tuple[tuple[str, Markup, tuple[Line, ...]], ...]


@dataclass(frozen=True)
class Page:
    """The fields of ``explanation/page.html.jinja``, every one ready to print."""

    title: str
    spec: Markup
    indices: tuple[tuple[Markup, str], ...]
    forward: tuple[Line, ...]
    legend: Markup
    reason: str
    gradients: tuple[tuple[str, Markup, Line], ...]
    sections: tuple[Section, ...]
    drawing: Markup
    nodes: tuple[tuple[Markup, ...], ...]
    work: tuple[tuple[str, Markup, str, str, str], ...]
    facts: tuple[tuple[str, Markup, str], ...]
    sizes: str
    verdict: str
    remarks: tuple[str, ...]
    command: str
    source: Markup


def html(content: Content) -> str:
    """Write the explanation as one self-contained page."""
    page = _page(content, Palette(content.einsum.indices))
    fields = {f.name: getattr(page, f.name) for f in dataclasses.fields(page)}
    template = environment(autoescape=True).get_template("explanation/page.html.jinja")
    return template.render(fields)


def frame(page: str) -> str:
    """Wrap a page so that a notebook shows it without mixing the styles of both."""
    return Markup(
        '<iframe title="explanation" srcdoc="{}" sandbox="" '
        'style="width: 100%; height: 42rem; border: 0"></iframe>'
    ).format(page)


def _page(content: Content, palette: Palette) -> Page:
    einsum, costs = content.einsum, content.costs
    sections = [_section(operand, palette) for operand in content.operands]
    if content.layers:
        steps = tuple(_step(step, palette) for step in content.layers)
        sections.insert(0, Section(Markup(AFTER), Markup(""), "layers", (), steps))
    sections += [
        Section(
            Markup("The gradient of {}, in all its places").format(
                palette.formula(total.array)
            ),
            Markup(""),
            f"total-{total.name}",
            (),
            (_step(total.step, palette),),
        )
        for total in content.totals
    ]
    return Page(
        title=str(einsum),
        spec=palette.spec(einsum, arrow="→"),
        indices=tuple((palette.letter(i), role_of(einsum, i)) for i in einsum.indices),
        forward=(
            *_lines(content.forward, content.forward_matrix, palette),
            *(_line(equation, palette) for equation in content.forward_layers),
        ),
        legend=palette.prose(legend(content)),
        reason=content.reason,
        gradients=tuple(_gradients(content, palette)),
        sections=tuple(sections),
        drawing=Markup(drawing(content.tree, palette)),
        nodes=tuple(_nodes(content.tree, palette)),
        work=tuple(_work(costs, palette)),
        facts=tuple(
            (f.label, palette.terms(f.polynomial), f"{f.number:,} {f.unit}")
            for f in costs.facts
        ),
        sizes=costs.sizes_in_words,
        verdict=costs.verdict if costs.multiplies else costs.nothing,
        remarks=content.remarks,
        command=content.command,
        source=palette.source(content.source),
    )


def _lines(
    indexed: Equation, matrix: MatrixEquation | None, palette: Palette
) -> tuple[Line, ...]:
    """Write an equation in index notation, and in matrix algebra where it has one."""
    lines = [_line(indexed, palette)]
    if matrix is not None:
        lines.append(_line(matrix.equation, palette, matrix.fixed))
    return tuple(lines)


def _line(equation: Equation, palette: Palette, fixed: Subscripts = ()) -> Line:
    left, *sides = palette.equation(equation)
    return Line(left, tuple(sides), palette.prose(held(fixed)))


def _section(operand: Operand, palette: Palette) -> Section:
    steps = operand.steps or (Step("The swap", (), (operand.indexed,)),)
    return Section(
        title=Markup("The gradient of {}").format(palette.formula(operand.array)),
        spec=palette.code(operand.spec),
        anchor=_anchor(operand),
        sets=tuple(
            (
                Markup(role.set),
                Markup(" ").join(map(palette.letter, role.indices)),
                Markup(role.name),
                palette.prose(role.effect),
            )
            for role in operand.roles
        ),
        steps=tuple(_step(step, palette) for step in steps),
    )


def _anchor(operand: Operand) -> str:
    return f"gradient-{operand.name}-{operand.array.place}"


def _step(step: Step, palette: Palette) -> tuple[str, Markup, tuple[Line, ...]]:
    lines = tuple(_line(equation, palette) for equation in step.formulas)
    return step.title, palette.prose(step.prose), lines


def _gradients(
    content: Content, palette: Palette
) -> Iterator[tuple[str, Markup, Line]]:
    """Yield each gradient on one line: where it is derived, its spec, its formula."""
    for operand in content.operands:
        fixed = operand.matrix.fixed if operand.matrix else ()
        line = _line(operand.shortest, palette, fixed)
        yield _anchor(operand), palette.code(operand.spec), line
    for _, equation in content.biases:
        yield "layers", Markup(""), _line(equation, palette)
    for total in content.totals:
        yield f"total-{total.name}", Markup(""), _line(total.shortest, palette)


def _nodes(root: Node, palette: Palette) -> Iterator[tuple[Markup, ...]]:
    """Yield the cells of each step: array, einsum, multiply-adds, entries."""
    for _, node in reversed(list(root.rows())):
        if node.children:
            yield (
                palette.formula(Entry(node.name, marks(node.subscripts))),
                palette.step(node.step),
                palette.terms(node.multiply_adds),
                palette.polynomial(((node.subscripts, 1),)),
            )


def _work(
    costs: Costs, palette: Palette
) -> Iterator[tuple[str, Markup, str, str, str]]:
    """Yield label, polynomial, contractions, multiply-adds, and percent of the most."""
    most = max((work.number for work in costs.work), default=0)
    for work in costs.work:
        share = f"{100 * work.number / max(1, most):.1f}"
        terms = palette.polynomial(work.multiply_adds)
        yield work.label, terms, str(work.contractions), f"{work.number:,}", share
