"""Formula -> one line of plain text, with the signs that Unicode has."""

from __future__ import annotations

from ..spec import ELLIPSIS, Einsum
from .formula import (
    Call,
    Code,
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
    Prose,
    Sum,
    Turned,
    Word,
    Written,
)

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def text_of(formula: Formula | Mark) -> str:
    """Write a formula, or one index."""
    match formula:
        case Mark():
            index = "…" if formula.index == ELLIPSIS else formula.index
            return index + _lowered(formula.number) + "*" * formula.starred
        case Entry(name, marks, place):
            inner = f"[{','.join(map(text_of, marks))}]" if marks else ""
            return f"{name}{_lowered(place)}{inner}"
        case Gradient(of):
            return f"grad_{text_of(of)}"
        case Number(value):
            return str(value)
        case Delta(left, right):
            return f"δ[{text_of(left)},{text_of(right)}]"
        case Partial(of, wrt):
            return f"∂{text_of(of)}/∂{text_of(wrt)}"
        case Sum(over, body):
            letters = "".join(text_of(Mark(index)) for index in over)
            inner = text_of(body)
            return f"Σ_{letters} {f'({inner})' if isinstance(body, Plus) else inner}"
        case Product(factors):
            partial = any(isinstance(factor, Partial) for factor in factors)
            return (" · " if partial else " ").join(map(_factor, factors))
        case Hadamard(factors):
            return " ∘ ".join(map(_factor, factors))
        case Plus(terms):
            return " + ".join(map(text_of, terms))
        case Turned(matrix, turned, conjugated):
            sign = {(True, False): "ᵀ", (True, True): "ᴴ"}.get((turned, conjugated))
            if sign is None:
                return f"conj({text_of(matrix)})"
            return f"{_base(matrix)}{sign}"
        case Call(function, argument):
            return f"{function}({text_of(argument)})"
        case Written(text):
            return text
        case Constant(name):
            return {"1": "𝟏"}.get(name, name)
        case Equation(sides):
            return " = ".join(map(text_of, sides))


def _lowered(number: int) -> str:
    return str(number).translate(_SUBSCRIPTS) if number else ""


def _factor(formula: Formula) -> str:
    """Write a factor of a product, in brackets where it is made of several."""
    text = text_of(formula)
    return f"({text})" if isinstance(formula, Plus | Hadamard | Product) else text


def _base(formula: Formula) -> str:
    """Write what a transposition sign stands on."""
    text = text_of(formula)
    return text if isinstance(formula, Entry | Constant | Call) else f"({text})"


def plain(prose: Prose) -> str:
    """Write a sentence."""
    return "".join(map(_word, prose))


def _word(word: Word) -> str:
    match word:
        case str() | Einsum():
            return str(word)
        case Code(text):
            return text
    return text_of(word)
