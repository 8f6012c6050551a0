"""The activations that modules are held to, themselves compared with mathematics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from eingrad.activations import ACTIVATIONS as ROWS
from eingrad.proof import reference
from eingrad.proof.reference import Activation

SYMBOLS = [*reference.ACTIVATIONS, "leaky_relu:0.01", "leaky_relu:-2.5"]
POINTS = np.array([-30.5, -6.25, -1.0, -0.75, -0.125, 0.125, 0.5, 1.75, 5.5, 30.5])
EPS = 2.0**-52


def known(symbol: str) -> Activation:
    found = reference.read(symbol)
    assert isinstance(found, Activation)
    return found


def test_every_activation_has_a_reference() -> None:
    names = {symbol.partition(":")[0] for symbol in SYMBOLS}
    assert names == {row.name for row in ROWS}


@pytest.mark.parametrize("symbol", ["swish", "tanh:1", "leaky_relu", "leaky_relu:x"])
def test_what_has_no_reference(symbol: str) -> None:
    with pytest.raises(ValueError):
        reference.read(symbol)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_derivatives_are_those_of_the_function(symbol: str) -> None:
    """Central differences, with the term of order h**2 removed."""

    def slope(f: Callable[[float], float], x: float) -> float:
        one, two = ((f(x + h) - f(x - h)) / (2 * h) for h in (2.0**-9, 2.0**-8))
        return (4 * one - two) / 3

    function = known(symbol)
    for x in POINTS:
        assert function.first(x) == pytest.approx(slope(function.value, x), abs=1e-9)
        assert function.second(x) == pytest.approx(slope(function.first, x), abs=1e-9)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_far_out_functions_are_straight(symbol: str) -> None:
    function = known(symbol)
    for x in (-1e3, 1e3):
        one, two = function.at(np.array([x, 2 * x])).value
        assert function.first(x) == pytest.approx((two - one) / x, abs=1e-12)
        assert function.second(x) == 0


def test_choices_at_0() -> None:
    zero = np.array([0.0, -0.0])
    assert np.array_equal(known("relu").at(zero), np.zeros((3, 2)))
    assert np.array_equal(known("leaky_relu:0.1").at(zero), [[0, 0], [1, 1], [0, 0]])


def test_arrays_of_every_shape() -> None:
    gelu = known("gelu")
    for shape in [(), (0,), (3, 0), (2, 3)]:
        z = np.arange(np.prod(shape)).reshape(shape)
        for values in (gelu.at(z), gelu.slack(z, 5)):
            assert values is not None
            assert [array.shape for array in values] == [shape] * 3
    assert gelu.at(np.array([[0, 1], [1, 0]])).value[1, 0] == gelu.value(1)


# f by formula, at 60 digits, where no difference cancels.
FORMULAS = {
    "gelu": "x * (1 + mp.erf(x / mp.sqrt(2))) / 2",
    "gelu_tanh": "x * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (x + a * x**3))) / 2",
    "tanh": "mp.tanh(x)",
    "sigmoid": "1 / (1 + mp.exp(-x))",
    "silu": "x / (1 + mp.exp(-x))",
    "softplus": "mp.log(1 + mp.exp(x))",
}


@pytest.mark.parametrize("symbol", FORMULAS)
def test_digits(symbol: str) -> None:
    """Half of what a module may be off is more than what the reference is."""
    mp: Any = pytest.importorskip("mpmath").mp
    z = np.concatenate([POINTS, np.linspace(-9, 9, 73)])
    function = known(symbol)
    slack = function.slack(z, 0)
    assert slack is not None
    with mp.workdps(60):
        names = {"mp": mp, "a": mp.mpf("0.044715")}
        f = eval(f"lambda x: {FORMULAS[symbol]}", names)
        exact = [mp.taylor(f, mp.mpf(float(x)), 2) for x in z]
        for values, loose, order in zip(function.at(z), slack, range(3), strict=True):
            for value, room, series in zip(values, loose, exact, strict=True):
                off = abs(mp.mpf(value) - series[order] * (order or 1))
                assert off <= room * EPS / 2
