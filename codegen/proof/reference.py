"""Activations and their derivatives, number by number, in terms of Python's ``math``.

That is slow, and shares no line with what is generated: neither text nor algorithm.
Where left and right derivatives differ, at 0, the choice is that of the modules: relu
has derivative 0 there, leaky_relu 1.  Second derivatives are 0 there.

gelu is Hendrycks and Gimpel, arXiv:1606.08415, with Phi(x) = erfc(-x / sqrt(2)) / 2,
which is accurate in the tails; gelu_tanh is their approximation of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..oracle import Array

Real = Callable[[float], float]

# A value is right to so many units of rounding, and so is the argument that it is of.
ROUNDING = 16
# The step, relative to the argument, of the differences that tell its influence.
STEP = 2.0**-10
# An error of so many eps is of no account: float32 hardly holds such numbers.
LEAST = 2.0**-100

_SLOPE = math.sqrt(2 / math.pi)
_CUBIC = 0.044715


class Values(NamedTuple):
    """An array of f, of f' and of f'', at the entries of an array."""

    value: Array
    first: Array
    second: Array


class Activation(NamedTuple):
    """A function f of real numbers, f' and f''."""

    value: Real
    first: Real
    second: Real

    def at(self, z: Array) -> Values:
        """Return f, f' and f'' at every entry; numbers that recur cost nothing."""
        numbers, places = np.unique(z, return_inverse=True)
        found = ([f(float(number)) for number in numbers] for f in self)
        return Values(*(np.array(row)[places].reshape(z.shape) for row in found))

    def slack(self, z: Array, terms: int) -> Values | None:
        """Return by how much terms with a factor f, f' or f'' may be off, in eps.

        That is `ROUNDING` units of the value, and of the argument, and one for each
        of ``terms``, of a sum of which the value is a factor.
        """
        here, above, below = (self.at(z * (1 + k * STEP)) for k in (0, 1, -1))
        return Values(
            *(
                (ROUNDING + terms) * abs(value)
                + ROUNDING * abs(over - under) / (2 * STEP)
                + LEAST
                for value, over, under in zip(here, above, below, strict=True)
            )
        )


class Identity:
    """No activation: f(z) = z, and nothing is rounded."""

    def at(self, z: Array) -> Values:
        """Return z, 1 and 0."""
        return Values(z, np.ones(z.shape, np.int64), np.zeros(z.shape, np.int64))

    def slack(self, z: Array, terms: int) -> Values | None:
        """Return None: all is exact."""
        return None


def read(symbol: str | None) -> Activation | Identity:
    """Return the activation that is called ``gelu`` or ``leaky_relu:0.1``.

    Raises ValueError if there is none of that name.
    """
    if symbol is None:
        return Identity()
    name, _, parameter = symbol.partition(":")
    if name == "leaky_relu":
        return _leaky_relu(float(parameter))
    if symbol not in ACTIVATIONS:
        raise ValueError(f"no activation is called {symbol!r}")
    return ACTIVATIONS[symbol]


def _normal(x: float) -> float:
    """Return the density of the normal distribution."""
    return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _below(x: float) -> float:
    """Return the probability that a normally distributed number is below x."""
    return math.erfc(-x / math.sqrt(2)) / 2


def _sigmoid(x: float) -> float:
    decay = math.exp(-abs(x))
    return (decay if x < 0 else 1.0) / (1 + decay)


def _bell(x: float) -> float:
    """Return the derivative of the sigmoid, which is even."""
    decay = math.exp(-abs(x))
    return decay / (1 + decay) ** 2


def _bend(x: float) -> float:
    """Return the second derivative of the sigmoid."""
    return -_bell(x) * math.tanh(x / 2)


def _silu_first(x: float) -> float:
    return _sigmoid(x) + x * _bell(x)


def _silu_second(x: float) -> float:
    return 2 * _bell(x) + x * _bend(x)


def _inner(x: float) -> tuple[float, float, float]:
    """Return u with tanh(u / 2) in gelu_tanh, u' and u''."""
    slope = 2 * _SLOPE
    u = slope * (x + _CUBIC * x**3)
    return u, slope * (1 + 3 * _CUBIC * x * x), slope * 6 * _CUBIC * x


def _gelu_tanh(x: float) -> float:
    # (1 + tanh(u / 2)) / 2 is the sigmoid of u, and does not cancel.
    return x * _sigmoid(_inner(x)[0])


def _gelu_tanh_first(x: float) -> float:
    u, du, _ = _inner(x)
    return _sigmoid(u) + x * _bell(u) * du


def _gelu_tanh_second(x: float) -> float:
    u, du, ddu = _inner(x)
    return 2 * _bell(u) * du + x * (_bend(u) * du * du + _bell(u) * ddu)


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _leaky_relu(alpha: float) -> Activation:
    return Activation(
        lambda x: x if x >= 0 else alpha * x,
        lambda x: 1.0 if x >= 0 else alpha,
        lambda x: 0.0,
    )


ACTIVATIONS = {
    "gelu": Activation(
        lambda x: x * _below(x),
        lambda x: _below(x) + x * _normal(x),
        lambda x: (2 - x * x) * _normal(x),
    ),
    "gelu_tanh": Activation(_gelu_tanh, _gelu_tanh_first, _gelu_tanh_second),
    "relu": Activation(lambda x: max(x, 0.0), lambda x: float(x > 0), lambda x: 0.0),
    "tanh": Activation(
        math.tanh,
        lambda x: 4 * _bell(2 * x),
        lambda x: 8 * _bend(2 * x),
    ),
    "sigmoid": Activation(_sigmoid, _bell, _bend),
    "silu": Activation(lambda x: x * _sigmoid(x), _silu_first, _silu_second),
    "softplus": Activation(_softplus, _sigmoid, _bell),
}
