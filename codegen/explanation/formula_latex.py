"""Formula -> LaTeX mathematics, for amsmath.

A ``Manner`` says how indices and names are written: ``PLAIN`` for a document in
pdfLaTeX, where a letter without a command is told by its code point.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ..errors import InternalError
from ..spec import Index
from .formula import (
    Call,
    Constant,
    Delta,
    Entry,
    Equation,
    Formula,
    Gradient,
    Hadamard,
    Mark,
    Number,
    Partial,
    Plus,
    Product,
    Sum,
    Turned,
    Written,
)


@dataclass(frozen=True)
class Manner:
    """How an index with its star and number, and the name of an array, are written.

    inline: a derivative stands on one line, as it does in a sentence.
    """

    index: Callable[[Index, str], str]
    name: Callable[[str], str]
    inline: bool = False


# The Greek letters that have a command in LaTeX, those of another form beside them.
_GREEK = dict(
    zip(
        "αβγδεϵζηθϑικλμνξπϖρϱσςτυφϕχψωΓΔΘΛΞΠΣΥΦΨΩ",
        "alpha beta gamma delta varepsilon epsilon zeta eta theta vartheta iota kappa "
        "lambda mu nu xi pi varpi rho varrho sigma varsigma tau upsilon varphi phi chi "
        "psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split(),
        strict=True,
    )
)


def letter(index: Index) -> str:
    r"""Write a letter as pdfLaTeX knows it: ``i``, ``\alpha``, or its code point."""
    if index.isascii():
        return index
    if index in _GREEK:
        return f"\\{_GREEK[index]} "
    return rf"\,\mathrm{{u{ord(index):X}}}"


def _plain_name(name: str) -> str:
    if len(name) == 1:
        return r"\mathcal{L}" if name == "ℒ" else letter(name)
    escaped = name.replace("_", r"\_")
    return rf"\mathit{{{escaped}}}"


PLAIN = Manner(lambda index, above: letter(index) + above, _plain_name)
INLINE = replace(PLAIN, inline=True)


def latex_of(formula: Formula | Mark, manner: Manner = PLAIN) -> str:
    """Write a formula, or one index, without the signs of mathematics mode."""
    return _Writer(manner).write(formula)


@dataclass(frozen=True)
class _Writer:
    manner: Manner

    def write(self, formula: Formula | Mark) -> str:
        match formula:
            case Mark():
                return self.mark(formula)
            case Entry():
                return self.entry(formula)
            case Gradient(of, loss):
                return self.gradient(of, loss)
            case Number(value):
                return str(value)
            case Delta(left, right):
                return rf"\delta_{{{self.mark(left)}{self.mark(right)}}}"
            case Partial(of, wrt):
                above, below = self.entry(of), self.entry(wrt)
                if self.manner.inline:
                    return rf"\partial {above} / \partial {below}"
                return rf"\frac{{\partial {above}}}{{\partial {below}}}"
            case Equation(sides):
                return " = ".join(map(self.write, sides))
            case _:
                return self.compound(formula)

    def compound(self, formula: Formula) -> str:
        """Write a formula that is made of others."""
        match formula:
            case Sum(over, body):
                letters = "".join(self.mark(Mark(index)) for index in over)
                inner = self.write(body)
                bracketed = f"({inner})" if isinstance(body, Plus) else inner
                return rf"\sum_{{{letters}}} {bracketed}"
            case Product(factors):
                return r" \, ".join(map(self.factor, factors))
            case Hadamard(factors):
                return r" \odot ".join(map(self.factor, factors))
            case Plus(terms):
                return " + ".join(map(self.write, terms))
            case Turned():
                return self.turned(formula)
            case Call(function, argument):
                word = function.replace("_", r"\_")
                name = word.rstrip("'")
                primes = word.removeprefix(name)
                return rf"\operatorname{{{name}}}{primes}({self.write(argument)})"
            case Written(_, latex):
                return latex
            case Constant(name):
                return rf"\mathbf{{{name}}}"
        raise InternalError(f"no LaTeX for {formula}")

    def mark(self, mark: Mark) -> str:
        number = f"_{{{mark.number}}}" if mark.number else ""
        star = "^{*}" if mark.starred else ""
        return self.manner.index(mark.index, number + star)

    def marks(self, marks: Sequence[Mark]) -> str:
        return "".join(map(self.mark, marks))

    def array(self, entry: Entry) -> str:
        place = f"^{{({entry.place})}}" if entry.place else ""
        return self.manner.name(entry.name) + place

    def entry(self, entry: Entry) -> str:
        below = f"_{{{self.marks(entry.marks)}}}" if entry.marks else ""
        return self.array(entry) + below

    def gradient(self, of: Entry, loss: str) -> str:
        whole = rf"\nabla_{{{self.array(of)}}} {self.manner.name(loss)}"
        return f"({whole})_{{{self.marks(of.marks)}}}" if of.marks else whole

    def factor(self, formula: Formula) -> str:
        text = self.write(formula)
        several = isinstance(formula, Plus | Hadamard | Product)
        return f"({text})" if several else text

    def turned(self, formula: Turned) -> str:
        text = self.write(formula.matrix)
        if not formula.transposed:
            return rf"\overline{{{text}}}"
        sign = r"^{\mathsf{H}}" if formula.conjugated else r"^{\mathsf{T}}"
        match formula.matrix:
            case Entry(place=0) | Constant() | Call():
                return text + sign
            case Entry():
                return f"{{{text}}}{sign}"
        return f"({text}){sign}"
