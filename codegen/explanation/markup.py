"""Pieces of a page: mathematics as MathML, sentences, specs and source as HTML.

Every index has a colour and a kind of underline, wherever it stands; ``Palette`` hands
them out.  What comes from the user is escaped here and nowhere else.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from latex2mathml.converter import convert
from markupsafe import Markup, escape
from pygments.lexers.python import PythonLexer
from pygments.token import Token, _TokenType
from pygments.token import is_token_subtype as _is

from ..spec import ELLIPSIS, Einsum, Index, Subscripts
from .costs import Polynomial
from .formula import Code, Equation, Formula, Mark, Plus, Product, Prose, Sum, Word
from .formula_latex import Manner, latex_of

COLOURS = 8
UNDERLINES = 5

# A longer spec may break over lines.
LONG = 32


@dataclass(frozen=True)
class Palette:
    """The colour of every index, by its place in the spec."""

    indices: Subscripts

    def classes(self, index: Index) -> str:
        """Return the CSS classes of an index."""
        if index not in self.indices:
            return "plain"
        place = self.indices.index(index)
        return f"ix c{place % COLOURS} u{place % UNDERLINES}"

    def letter(self, index: Index) -> Markup:
        """Write an index in its colour."""
        shown = "…" if index == ELLIPSIS else index
        return Markup('<i class="{}">{}</i>').format(self.classes(index), shown)

    def spec(self, einsum: Einsum, arrow: str = "->") -> Markup:
        """Write a spec, every index in its colour."""
        return self.letters(str(einsum).replace("->", arrow))

    def step(self, step: Einsum | str) -> Markup:
        """Write what a step does: a spec, or words."""
        return self.spec(step) if isinstance(step, Einsum) else escape(step)

    def code(self, einsum: Einsum) -> Markup:
        """Write a spec that breaks over lines only where it is long."""
        css = "spec long" if len(str(einsum)) > LONG else "spec"
        return Markup('<code class="{}">{}</code>').format(css, self.spec(einsum))

    def letters(self, text: str) -> Markup:
        """Write text in which every letter of the spec is that index."""
        text = text.replace(ELLIPSIS, "…")
        known = {"…" if i == ELLIPSIS else i: i for i in self.indices}
        return Markup("").join(
            self.letter(known[c]) if c in known else escape(c) for c in text
        )

    def polynomial(self, terms: Polynomial) -> Markup:
        """Write a polynomial of the sizes."""
        products = []
        for indices, count in terms:
            factors = [self.letter(index) for index in indices]
            if count > 1 or not factors:
                factors.insert(0, escape(str(count)))
            products.append(Markup("&middot;").join(factors))
        return Markup(" + ").join(products) or Markup("0")

    def terms(self, terms: Polynomial) -> Markup:
        """Write a polynomial, or a dash where there is none."""
        return self.polynomial(terms) if terms else Markup("&ndash;")

    # --- mathematics ---

    @functools.cached_property
    def _manner(self) -> Manner:
        def index(letter: Index, above: str) -> str:
            shown = {ELLIPSIS: r"\ldots"}.get(letter, letter)
            # A colour that stands for the classes: MathML gets them below.
            number = self.indices.index(letter) + 1 if letter in self.indices else 0
            return rf"\textcolor{{#{number:06x}}}{{{shown}{above}}}"

        def name(symbol: str) -> str:
            return symbol if len(symbol) == 1 else rf"\text{{{symbol}}}"

        return Manner(index, name)

    def math(self, latex: str) -> Markup:
        """Turn LaTeX into MathML."""
        latex = latex.replace(r"\sum_", r"\sum\limits_")
        latex = latex.replace(r"\operatorname", r"\text").replace(r"\_", "_")
        source = convert(latex)

        def coloured(match: re.Match[str]) -> str:
            number = int(match[1], 16)
            known = self.indices[number - 1] if number else ""
            return f'<mstyle class="{self.classes(known)}">'

        marked = re.sub(r'<mstyle mathcolor="#([0-9a-f]{6})">', coloured, source)
        marked = marked.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "")
        # A bar as wide as what it stands over, which fonts do not have.
        bar = r'<mover>(.*?)<mo accent="true">&#x02015;</mo></mover>'
        marked = re.sub(bar, r'<mrow class="conj">\1</mrow>', marked)
        # A prime beside a name: it is raised already, and higher would be apart.
        prime = r"<msup>(<(\w+)>[^<]*</\2>)<mi>(&#x02032;)</mi></msup>"
        marked = re.sub(prime, r"<mrow>\1<mo>\3</mo></mrow>", marked)
        return Markup(marked.replace(' display="inline"', ""))

    def formula(self, formula: Formula | Mark) -> Markup:
        """Write a formula in one piece."""
        return self.math(latex_of(formula, self._manner))

    def equation(self, equation: Equation) -> tuple[Markup, ...]:
        """Write the sides of an equation, in pieces between which lines may break."""
        left, *sides = equation.sides
        rows = [self.formula(left)]
        rows += [Markup(" ").join(map(self.math, self._pieces(s))) for s in sides]
        return tuple(rows)

    def _pieces(self, formula: Formula) -> Iterator[str]:
        """Yield the parts of a sum or product, in order."""
        match formula:
            case Sum(over, body) if not isinstance(body, Plus):
                letters = (latex_of(Mark(index), self._manner) for index in over)
                yield rf"\sum_{{{''.join(letters)}}}"
                yield from self._pieces(body)
            case Product(factors):
                for factor in factors:
                    several = not isinstance(factor, Plus)
                    text = latex_of(factor, self._manner)
                    yield text if several else f"({text})"
            case Plus(terms):
                for k, term in enumerate(terms):
                    if k:
                        yield "+"
                    yield from self._pieces(term)
            case _:
                yield latex_of(formula, self._manner)

    def prose(self, words: Prose) -> Markup:
        """Write a sentence with the formulas in it."""
        return Markup("").join(map(self._word, words))

    def _word(self, word: Word) -> Markup:
        match word:
            case str():
                return escape(word)
            case Einsum():
                return self.code(word)
            case Code(text):
                return Markup("<code>{}</code>").format(text)
        return self.math(latex_of(word, replace(self._manner, inline=True)))

    # --- source ---

    def source(self, text: str) -> Markup:
        """Highlight Python, the indices in comments and docstrings in their colours."""
        pieces = []
        for kind, value in PythonLexer(stripnl=False).get_tokens(text):
            told = _is(kind, Token.Comment) or _is(kind, Token.Literal.String)
            inner = self._told(value) if told else escape(value)
            if _is(kind, Token.Name) and re.fullmatch("n_.", value):
                inner = Markup("n_") + self.letters(value[2:])
            css = _css(kind)
            pieces.append(
                Markup('<span class="{}">{}</span>').format(css, inner)
                if css
                else inner
            )
        return Markup("").join(pieces)

    def _told(self, text: str) -> Markup:
        """Colour the specs, subscripts and sizes in prose."""
        letters = "".join(re.escape(i) for i in self.indices if i != ELLIPSIS) or "\0"
        one = f"[{letters}]"
        spec = rf"(?:{one}|\.)*(?:,(?:{one}|\.)*)*->(?:{one}|\.)*"
        entry = rf"(?<=\[){one}(?:,{one})*(?=\])|(?<=sum_){one}+"
        shape = rf"(?<=\(){one}(?:, {one})*,?(?=\))"
        product = rf"\b{one}(?:\*{one})+\b"
        pieces, end = [], 0
        for match in re.finditer("|".join((spec, entry, shape, product)), text):
            pieces += [escape(text[end : match.start()]), self.letters(match[0])]
            end = match.end()
        return Markup("").join([*pieces, escape(text[end:])])


def _css(kind: _TokenType) -> str:
    """Name the class of a kind of token: few, so that the indices stand out."""
    for parent, css in (
        (Token.Comment, "k-comment"),
        (Token.Literal.String, "k-string"),
        (Token.Keyword, "k-keyword"),
        (Token.Name.Function, "k-name"),
        (Token.Name.Class, "k-name"),
        (Token.Literal.Number, "k-number"),
    ):
        if _is(kind, parent):
            return css
    return ""
