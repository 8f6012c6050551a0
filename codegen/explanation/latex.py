"""Content -> a LaTeX document of class article, which needs amsmath alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from ..notation import abbreviated
from ..spec import Einsum
from .content import AFTER, Content, MatrixEquation, Operand, Total, held, legend
from .costs import Costs, Polynomial
from .formula import Code, Entry, Equation, Mark, Partial, Prose, Word, marks
from .formula_latex import INLINE, latex_of
from .steps import Step
from .tree import Node, why_not_shown

_HEAD = r"""\documentclass{article}
\usepackage{amsmath}
\allowdisplaybreaks
\begin{document}
"""

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    ">": r"\textgreater{}",
    "<": r"\textless{}",
    **{sign: f"\\{sign}" for sign in "#$%&_{}"},
}


def escaped(text: str) -> str:
    r"""Write text that LaTeX prints as it stands.

    Letters that pdfLaTeX may not know are written as in formulas.

    >>> escaped("100 % of a_b")
    '100 \\% of a\\_b'
    """
    return "".join(
        _SPECIAL.get(c, c) if c.isascii() else f"${latex_of(Mark(c))}$" for c in text
    )


def latex(content: Content) -> str:
    """Write the explanation as a document."""
    title = escaped(abbreviated(content.einsum, 60))
    parts = chain(
        [rf"\section*{{The gradients of \texttt{{{title}}}}}"],
        _forward(content),
        _layers(content.layers),
        chain.from_iterable(map(_operand, content.operands)),
        chain.from_iterable(map(_total, content.totals)),
        _tree(content.tree),
        _costs(content.costs),
        [r"\subsection*{For all gradients}"] if content.remarks else [],
        ["\n\n".join(map(escaped, content.remarks))],
        [f"\\raggedright\nThe module: \\texttt{{{escaped(content.command)}}}"],
    )
    body = "\n\n".join(part for part in parts if part)
    return f"{_HEAD}\n{body}\n\n\\end{{document}}\n"


def summary(content: Content) -> str:
    """Write the forward pass and the gradients as one formula, for a notebook."""
    (output, _), (cotangent, _) = content.output, content.cotangent
    equations = [
        *(content.forward, *content.forward_layers),
        Equation((cotangent, Partial(content.loss, output))),
        *chain.from_iterable(step.formulas[1:] for step in content.layers),
        *(operand.shortest for operand in content.operands),
        *(total.shortest for total in content.totals),
    ]
    inner = " \\\\\n".join(chain.from_iterable(map(_aligned, equations)))
    return f"$$\\begin{{aligned}}\n{inner}\n\\end{{aligned}}$$"


def prose(words: Prose) -> str:
    """Write a sentence with the formulas in it."""
    return "".join(map(_word, words))


def _word(word: Word) -> str:
    match word:
        case str():
            return escaped(word)
        case Einsum():
            return f"\\texttt{{{escaped(str(word))}}}"
        case Code(text):
            return f"\\texttt{{{escaped(text)}}}"
    return f"${latex_of(word, INLINE)}$"


def _aligned(equation: Equation) -> list[str]:
    left, *sides = map(latex_of, equation.sides)
    return [f"{left} &= {sides[0]}", *(f"&= {side}" for side in sides[1:])]


def _display(equations: Iterable[Equation]) -> str:
    rows = list(chain.from_iterable(map(_aligned, equations)))
    if not rows:
        return ""
    inner = " \\\\\n".join(f"  {row}" for row in rows)
    return f"\\begin{{align*}}\n{inner}\n\\end{{align*}}"


def _matrix(found: MatrixEquation) -> str:
    whole = latex_of(found.equation)
    for_every = f" \\quad \\text{{{prose(held(found.fixed))}}}" if found.fixed else ""
    return f"\\[ {whole}{for_every} \\]"


def _forward(content: Content) -> list[str]:
    matrix = content.forward_matrix
    return [
        _display([content.forward]),
        _matrix(matrix) if matrix else "",
        _display(content.forward_layers),
        prose(legend(content)),
        escaped(content.reason),
    ]


def _operand(operand: Operand) -> list[str]:
    array = latex_of(operand.array)
    spec = escaped(str(operand.spec))
    title = rf"\subsection*{{The gradient of ${array}$: \texttt{{{spec}}}}}"
    if operand.steps:
        body = [_steps(operand.steps)]
    else:
        body = [_display([operand.indexed])]
        body += [_matrix(operand.matrix)] if operand.matrix else []
    return [title, _roles(operand), *body]


def _layers(steps: Sequence[Step]) -> list[str]:
    if not steps:
        return []
    return [f"\\subsection*{{{escaped(AFTER)}}}", _steps(steps)]


def _steps(steps: Iterable[Step]) -> str:
    items = "\n".join(map(_step, steps))
    return f"\\begin{{enumerate}}\n{items}\n\\end{{enumerate}}"


def _roles(operand: Operand) -> str:
    rows = []
    for role in operand.roles:
        letters = ", ".join(latex_of(Mark(index)) for index in role.indices)
        cells = (f"${role.set}$" if role.set else "", f"${letters}$", role.name)
        rows.append(" & ".join((*cells, prose(role.effect))))
    if not rows:
        return ""
    return _table(r"lllp{0.6\textwidth}", " \\\\\n".join(rows))


def _table(columns: str, inner: str) -> str:
    return f"\\noindent\\begin{{tabular}}{{{columns}}}\n{inner}\n\\end{{tabular}}"


def _step(step: Step) -> str:
    text = f"\\item \\textbf{{{escaped(step.title)}.}} {prose(step.prose)}".rstrip()
    return f"{text}\n{_display(step.formulas)}".rstrip()


def _total(total: Total) -> list[str]:
    array = latex_of(total.array)
    title = f"\\subsection*{{The gradient of ${array}$, in all its places}}"
    return [title, prose(total.step.prose), _display(total.step.formulas)]


def _tree(root: Node) -> list[str]:
    """List the steps, each below what it needs, with its cost."""
    title = r"\subsection*{The contraction tree}"
    if why := why_not_shown(root):
        return [title, escaped(why)]
    rows = ["array & computed by & multiply-adds & entries \\\\ \\hline"]
    for depth, node in root.rows():
        array = latex_of(Entry(node.name, marks(node.subscripts)))
        cells = (
            f"\\hspace*{{{depth}em}}${array}$",
            f"\\texttt{{{escaped(str(node.step))}}}" if node.step else "",
            f"${polynomial(node.multiply_adds)}$" if node.multiply_adds else "",
            f"${polynomial(((node.subscripts, 1),))}$",
        )
        rows.append(" & ".join(cells) + r" \\")
    return [title, _table("llll", "\n".join(rows))]


def polynomial(terms: Polynomial) -> str:
    """Write a polynomial of the sizes."""
    products = []
    for indices, count in terms:
        letters = "".join(latex_of(Mark(index)) for index in indices)
        factor = str(count) if count > 1 or not letters else ""
        products.append(f"{factor}{letters}")
    return " + ".join(products) or "0"


def _costs(costs: Costs) -> list[str]:
    title = r"\subsection*{The cost}"
    if not costs.multiplies:
        return [title, escaped(costs.nothing)]
    rows = []
    for work in costs.work:
        terms = f"${polynomial(work.multiply_adds)}$"
        cells = (escaped(work.label), str(work.contractions), f"{work.number:,}", terms)
        rows.append(" & ".join(cells))
    head = (
        "& contractions & multiply-adds & as a polynomial of the sizes \\\\ \\hline\n"
    )
    table = _table(r"@{}lrrp{0.22\textwidth}@{}", head + " \\\\\n".join(rows))
    facts = []
    for fact in costs.facts:
        figure = f"{fact.number:,} {fact.unit}"
        if fact.polynomial:
            figure += f", ${polynomial(fact.polynomial)}$"
        facts.append(f"{escaped(fact.label.capitalize())}: {figure}.")
    sizes = escaped(f"In numbers, with {costs.sizes_in_words}. {costs.verdict}".strip())
    return [title, table, *facts, sizes]
