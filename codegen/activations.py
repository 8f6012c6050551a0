"""The activation functions: one row each, with what is chosen where f is not smooth.

    read_activation    "leaky_relu:0.1" -> Activation, (0.1,)

Formulas are those of the mathematics; ``templates/numpy/activations.py`` says how
they are computed, and ``docs/activations.md`` how exactly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import OptionError, suggestion


@dataclass(frozen=True)
class Formula:
    """An equation in x, as plain text and as LaTeX."""

    text: str
    latex: str


@dataclass(frozen=True)
class Parameter:
    """A number that a function takes beside x, 0 or of a size that float32 holds."""

    name: str
    default: float

    def read(self, text: str, activation: str) -> float:
        """Read the number; raises OptionError if it is none that float32 holds."""
        number = float(text) if _NUMBER.fullmatch(text) else float("nan")
        if number == 0 or _SMALLEST <= abs(number) <= _GREATEST:
            return number or 0.0
        way_out = f"a number such as {activation}:{self.default}, 0 or in size from "
        raise OptionError(
            f"{activation} takes {self.name}, {way_out}1.2e-38 to 3.4e38, got {text!r}"
        )


_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")

# What float32 holds with all its digits.
_SMALLEST, _GREATEST = 2.0**-126, (2 - 2.0**-23) * 2.0**127


@dataclass(frozen=True)
class Activation:
    """An elementwise function, with its first and second derivatives.

    choice: where f or f' is not smooth, and the value that is taken there.
    terms: what the formulas are written with, defined.
    source: who defined the function; piecewise_linear: whether f'' is 0.
    """

    name: str
    formula: Formula
    derivative: Formula
    second_derivative: Formula
    choice: str
    source: str
    terms: tuple[Formula, ...] = ()
    parameter: Parameter | None = None
    piecewise_linear: bool = False

    def stated(self, formula: Formula, parameters: tuple[float, ...]) -> str:
        """Return the plain text of a formula with the parameter's value put in."""
        return self.filled(formula, parameters).text

    def filled(self, formula: Formula, parameters: tuple[float, ...]) -> Formula:
        """Return a formula with the parameter's value put in."""
        if self.parameter is None:
            return formula
        name, (value,) = self.parameter.name, parameters
        return Formula(
            re.sub(rf"\b{name}\b", str(value), formula.text),
            formula.latex.replace(rf"\{name}", str(value)),
        )


_SMOOTH = "is smooth everywhere"
_LOGISTIC = Formula("s = 1 / (1 + exp(-x))", r"\sigma(x) = \frac{1}{1 + e^{-x}}")

ACTIVATIONS = (
    Activation(
        name="gelu",
        formula=Formula(
            "gelu(x) = x Φ(x)",
            r"\operatorname{gelu}(x) = x\,\Phi(x)",
        ),
        derivative=Formula(
            "gelu'(x) = Φ(x) + x φ(x)",
            r"\operatorname{gelu}'(x) = \Phi(x) + x\,\varphi(x)",
        ),
        second_derivative=Formula(
            "gelu''(x) = φ(x) (2 - x²)",
            r"\operatorname{gelu}''(x) = \varphi(x)\,(2 - x^2)",
        ),
        choice=_SMOOTH,
        terms=(
            Formula(
                "Φ(x) = (1 + erf(x/√2)) / 2",
                r"\Phi(x) = \tfrac12 (1 + \operatorname{erf}(x/\sqrt{2}))",
            ),
            Formula(
                "φ(x) = Φ'(x) = exp(-x²/2) / √(2π)",
                r"\varphi(x) = \Phi'(x) = \frac{1}{\sqrt{2\pi}} \, e^{-x^2/2}",
            ),
        ),
        source="D. Hendrycks, K. Gimpel, Gaussian error linear units, arXiv:1606.08415",
    ),
    Activation(
        name="gelu_tanh",
        formula=Formula(
            "gelu_tanh(x) = x (1 + tanh u) / 2",
            r"\operatorname{gelu\_tanh}(x) = \tfrac12 x\,(1 + \tanh u)",
        ),
        derivative=Formula(
            "gelu_tanh'(x) = (1 + tanh u) / 2 + x u' (1 - tanh² u) / 2",
            r"\operatorname{gelu\_tanh}'(x) = \tfrac12(1 + \tanh u) "
            r"+ \tfrac12 x\,u'\,(1 - \tanh^2 u)",
        ),
        second_derivative=Formula(
            "gelu_tanh''(x) = (2 u' + x u'' - 2 x u'² tanh u) (1 - tanh² u) / 2",
            r"\operatorname{gelu\_tanh}''(x) = \tfrac12 "
            r"(2u' + x\,u'' - 2x\,u'^2 \tanh u)(1 - \tanh^2 u)",
        ),
        choice=_SMOOTH,
        terms=(
            Formula(
                "u = √(2/π) (x + 0.044715 x³)",
                r"u = \sqrt{2/\pi}\,(x + 0.044715\,x^3)",
            ),
            Formula(
                "u' = √(2/π) (1 + 0.134145 x²)",
                r"u' = \sqrt{2/\pi}\,(1 + 0.134145\,x^2)",
            ),
        ),
        source="D. Hendrycks, K. Gimpel, Gaussian error linear units, arXiv:1606.08415",
    ),
    Activation(
        name="leaky_relu",
        parameter=Parameter("alpha", 0.01),
        formula=Formula(
            "leaky_relu(x) = x for x >= 0, alpha x for x < 0",
            r"\operatorname{leaky\_relu}(x) = "
            r"\begin{cases} x & x \ge 0 \\ \alpha x & x < 0 \end{cases}",
        ),
        derivative=Formula(
            "leaky_relu'(x) = 1 for x >= 0, alpha for x < 0",
            r"\operatorname{leaky\_relu}'(x) = "
            r"\begin{cases} 1 & x \ge 0 \\ \alpha & x < 0 \end{cases}",
        ),
        second_derivative=Formula(
            "leaky_relu''(x) = 0",
            r"\operatorname{leaky\_relu}''(x) = 0",
        ),
        choice="has a kink at 0: f'(0) is 1, the slope from the right, and f''(0) is 0",
        source="A. L. Maas, A. Y. Hannun, A. Y. Ng, Rectifier nonlinearities improve "
        "neural network acoustic models, ICML 2013",
        piecewise_linear=True,
    ),
    Activation(
        name="relu",
        formula=Formula(
            "relu(x) = max(x, 0)",
            r"\operatorname{relu}(x) = \max(x, 0)",
        ),
        derivative=Formula(
            "relu'(x) = 1 for x > 0, else 0",
            r"\operatorname{relu}'(x) = "
            r"\begin{cases} 1 & x > 0 \\ 0 & x \le 0 \end{cases}",
        ),
        second_derivative=Formula("relu''(x) = 0", r"\operatorname{relu}''(x) = 0"),
        choice="has a kink at 0: f'(0) is 0, as in JAX, PyTorch and TensorFlow, and "
        "f''(0) is 0",
        source="V. Nair, G. E. Hinton, Rectified linear units improve restricted "
        "Boltzmann machines, ICML 2010",
        piecewise_linear=True,
    ),
    Activation(
        name="tanh",
        formula=Formula(
            "tanh(x) = (exp(x) - exp(-x)) / (exp(x) + exp(-x))",
            r"\tanh(x) = \frac{e^x - e^{-x}}{e^x + e^{-x}}",
        ),
        derivative=Formula(
            "tanh'(x) = 1 - tanh² x",
            r"\tanh'(x) = 1 - \tanh^2 x",
        ),
        second_derivative=Formula(
            "tanh''(x) = -2 tanh x (1 - tanh² x)",
            r"\tanh''(x) = -2 \tanh x\,(1 - \tanh^2 x)",
        ),
        choice=_SMOOTH,
        source="DLMF 4.28.4, 4.34.10",
    ),
    Activation(
        name="sigmoid",
        formula=Formula(
            "sigmoid(x) = s = 1 / (1 + exp(-x))",
            r"\operatorname{sigmoid}(x) = \sigma(x) = \frac{1}{1 + e^{-x}}",
        ),
        derivative=Formula(
            "sigmoid'(x) = s (1 - s)",
            r"\operatorname{sigmoid}'(x) = \sigma(x)\,(1 - \sigma(x))",
        ),
        second_derivative=Formula(
            "sigmoid''(x) = s (1 - s) (1 - 2 s)",
            r"\operatorname{sigmoid}''(x) = "
            r"\sigma(x)\,(1 - \sigma(x))\,(1 - 2\sigma(x))",
        ),
        choice=_SMOOTH,
        source="P.-F. Verhulst, Notice sur la loi que la population suit dans son "
        "accroissement, 1838",
    ),
    Activation(
        name="silu",
        formula=Formula(
            "silu(x) = x s",
            r"\operatorname{silu}(x) = x\,\sigma(x)",
        ),
        derivative=Formula(
            "silu'(x) = s + x s (1 - s)",
            r"\operatorname{silu}'(x) = \sigma(x) + x\,\sigma(x)\,(1 - \sigma(x))",
        ),
        second_derivative=Formula(
            "silu''(x) = s (1 - s) (2 + x (1 - 2 s))",
            r"\operatorname{silu}''(x) = "
            r"\sigma(x)\,(1 - \sigma(x))\,(2 + x\,(1 - 2\sigma(x)))",
        ),
        choice=_SMOOTH,
        terms=(_LOGISTIC,),
        source="S. Elfwing, E. Uchibe, K. Doya, Sigmoid-weighted linear units, "
        "Neural Networks 107, 2018",
    ),
    Activation(
        name="softplus",
        formula=Formula(
            "softplus(x) = log(1 + exp(x))",
            r"\operatorname{softplus}(x) = \log(1 + e^x)",
        ),
        derivative=Formula(
            "softplus'(x) = s = 1 / (1 + exp(-x))",
            r"\operatorname{softplus}'(x) = \sigma(x) = \frac{1}{1 + e^{-x}}",
        ),
        second_derivative=Formula(
            "softplus''(x) = s (1 - s)",
            r"\operatorname{softplus}''(x) = \sigma(x)\,(1 - \sigma(x))",
        ),
        choice=_SMOOTH,
        source="C. Dugas, Y. Bengio, F. Bélisle, C. Nadeau, R. Garcia, Incorporating "
        "second-order functional knowledge for better option pricing, NIPS 2000",
    ),
)


# Those whose slopes are constant but for the kinks.
PIECEWISE_LINEAR = frozenset(row.name for row in ACTIVATIONS if row.piecewise_linear)


def read_activation(text: str) -> tuple[Activation, tuple[float, ...]]:
    """Read ``gelu``, or ``leaky_relu:0.1`` with its parameter, by default its own.

    Raises OptionError for an unknown name, and for a parameter that does not fit.
    """
    if not isinstance(text, str):
        raise OptionError(f"an activation is a name such as 'gelu', got {text!r}")
    name, colon, given = text.partition(":")
    rows = {row.name: row for row in ACTIVATIONS}
    if name not in rows:
        close = suggestion(name, list(rows)) or f"; there are {', '.join(rows)}"
        raise OptionError(f"unknown activation {name!r}{close}")
    row = rows[name]
    if row.parameter is None:
        if colon:
            raise OptionError(f"{name} takes no parameter, got {text!r}")
        return row, ()
    number = row.parameter.read(given, name) if colon else row.parameter.default
    return row, (number,)
