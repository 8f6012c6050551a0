"""Activations: their table, their source and how exactly it computes."""

from __future__ import annotations

import math
import re
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from activation_reference import (
    ALPHA,
    DERIVATIVES,
    DOCUMENT,
    DTYPES,
    REFERENCE,
    SUFFIXES,
    compiled,
    functions,
    points,
    worst,
)
from mpmath import mp, mpf

from eingrad.activations import ACTIVATIONS, Activation, read_activation
from eingrad.errors import InternalError, OptionError
from eingrad.program import Apply
from eingrad.targets import elementwise

NAMES = [row.name for row in ACTIVATIONS]
EACH = pytest.mark.parametrize("name", NAMES)
FUNCTIONS = pytest.mark.parametrize(("name", "order"), DERIVATIVES)
PRECISIONS = pytest.mark.parametrize("dtype", DTYPES, ids=["float32", "float64"])
SCIPY = pytest.param(
    "scipy", marks=pytest.mark.skipif(not find_spec("scipy"), reason="needs SciPy")
)

INF, NAN = math.inf, math.nan


# --- the table ---


def test_every_row_has_its_reference() -> None:
    assert NAMES == [*REFERENCE]


@EACH
@pytest.mark.parametrize("x", [-21.5, -6.0, -1.3, -0.75, -1e-3, 0.2, 1.41, 2.4, 9.0])
def test_derivatives_are_those_of_the_function(name: str, x: float) -> None:
    """The reference is differentiated numerically, in 80 digits."""
    function, slope, bend = REFERENCE[name]
    with mp.workdps(80):
        assert mp.almosteq(mp.diff(function, mpf(x)), slope(mpf(x)), 1e-20, 1e-30)
        assert mp.almosteq(mp.diff(slope, mpf(x)), bend(mpf(x)), 1e-20, 1e-30)


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("gelu", "gelu"),
        ("leaky_relu", "leaky_relu:0.01"),
        ("leaky_relu:0.1", "leaky_relu:0.1"),
        ("leaky_relu:.10", "leaky_relu:0.1"),
        ("leaky_relu:+1E-1", "leaky_relu:0.1"),
        ("leaky_relu:2", "leaky_relu:2.0"),
        ("leaky_relu:-0", "leaky_relu:0.0"),
        ("leaky_relu:-0.5", "leaky_relu:-0.5"),
        ("leaky_relu:1e-7", "leaky_relu:1e-07"),
    ],
)
def test_activations_are_read(text: str, symbol: str) -> None:
    row, parameters = read_activation(text)
    assert Apply(row.name, parameters).symbol == symbol
    assert read_activation(symbol) == (row, parameters)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gleu", "unknown activation 'gleu'; did you mean 'gelu'?"),
        ("GELU", f"unknown activation 'GELU'; there are {', '.join(NAMES)}"),
        ("", f"unknown activation ''; there are {', '.join(NAMES)}"),
        ("gelu:", "gelu takes no parameter, got 'gelu:'"),
        ("relu:0.1", "relu takes no parameter, got 'relu:0.1'"),
        (None, "an activation is a name such as 'gelu', got None"),
    ],
)
def test_what_is_no_activation(text: Any, message: str) -> None:
    with pytest.raises(OptionError) as raised:
        read_activation(text)
    assert str(raised.value) == message


NO_NUMBERS = ["", "nan", "inf", "-inf", "1e999", "1e39", "1e-50", "0.1:0.2", " 0.1"]
NO_NUMBERS += [
    "0.1\n",
    "1_0",
    "0x1",
    "٣",
    "alpha",
    "0.1)",
    "1e",
    ".",
    "1,5",
    "--1",
    "1j",
]


@pytest.mark.parametrize("number", NO_NUMBERS)
def test_a_parameter_is_a_number_that_float32_holds(number: str) -> None:
    with pytest.raises(OptionError) as raised:
        read_activation(f"leaky_relu:{number}")
    assert str(raised.value) == (
        "leaky_relu takes alpha, a number such as leaky_relu:0.01, 0 or in size from "
        f"1.2e-38 to 3.4e38, got {number!r}"
    )


def test_formulas_are_stated_with_their_parameter() -> None:
    row, parameters = read_activation("leaky_relu:0.1")
    assert row.stated(row.derivative, parameters) == (
        "leaky_relu'(x) = 1 for x >= 0, 0.1 for x < 0"
    )
    row, parameters = read_activation("gelu")
    assert row.stated(row.derivative, parameters) == "gelu'(x) = Φ(x) + x φ(x)"


@pytest.mark.parametrize("row", ACTIVATIONS, ids=NAMES)
def test_formulas_are_equations(row: Activation) -> None:
    rows = (row.formula, row.derivative, row.second_derivative)
    for order, formula in enumerate(rows):
        assert formula.text.startswith(f"{row.name}{order * chr(39)}(x) = ")
        assert formula.latex.count("{") == formula.latex.count("}")
    assert row.source
    assert row.choice


# --- the source ---


def test_names_and_calls() -> None:
    leaky = Apply("leaky_relu", (0.1,))
    assert elementwise.applied(leaky, "z") == "_leaky_relu(z, 0.1)"
    assert elementwise.applied(leaky.derivative, "z") == "_leaky_relu_d1(z, 0.1)"
    assert elementwise.applied(Apply("gelu", order=2), "z") == "_gelu_d2(z)"
    with pytest.raises(InternalError, match="gelu''' has no source"):
        elementwise.function_name(Apply("gelu", order=3))


def test_source_is_what_is_called_and_no_more() -> None:
    def names(called: str, erf: str = "numpy") -> list[str]:
        sources = elementwise.function_sources([called], erf=erf)
        return [re.findall(r"^(?:def )?(\w+)", s, re.MULTILINE)[0] for s in sources]

    assert names("_relu_d1") == ["_relu", "_relu_d1", "_real"]
    assert names("_tanh") == ["_tanh", "_real"]
    assert names("_sigmoid") == [
        "_sigmoid", "_sigmoid_block", "_reflected", "_real", "_blockwise", "_BLOCK"
    ]  # fmt: skip
    tables = {"_GELU_TAIL_32", "_GELU_TAIL_64"}
    assert tables <= set(names("_gelu"))
    assert not [n for n in names("_gelu", "scipy") if n.isupper() and n != "_BLOCK"]
    with pytest.raises(InternalError, match="no template defines _cosine"):
        elementwise.function_sources(["_cosine"])


def test_constants_keep_their_comments() -> None:
    (table,) = (
        text
        for text in elementwise.function_sources(["_gelu"])
        if "_GELU_TAIL_32 =" in text
    )
    assert table.startswith("# Φ(-a) = e^(-a²/2) / (2 + √(2π) a - a P(a) / Q(a))")
    assert table.endswith("\n)")


def test_imports_are_those_of_what_is_called() -> None:
    ndtr = ["from scipy.special import ndtr"]
    assert elementwise.function_imports(["_gelu", "_gelu_d1"], erf="scipy") == ndtr
    assert elementwise.function_imports(["_gelu_d2"], erf="scipy") == []
    assert elementwise.function_imports(["_gelu"]) == []


def test_the_order_of_names_changes_nothing() -> None:
    names = [f"_{name}{SUFFIXES[order]}" for name, order in DERIVATIVES]
    sources = elementwise.function_sources(names)
    assert sources == elementwise.function_sources([*reversed(names), *names])


# --- how exactly ---

# What the points below stay within; a search finds more, as the table has it.
BOUNDS = dict.fromkeys(REFERENCE, (4, 4, 4))
BOUNDS |= {"gelu_tanh": (4, 5, 6), "silu": (4, 4, 5)}


@FUNCTIONS
def test_float64_is_exact_to_a_few_last_places(name: str, order: int) -> None:
    distance, at = worst(name, order, points(280, np.float64))
    assert distance <= BOUNDS[name][order], at


@FUNCTIONS
def test_float32_is_rounded_nearly_as_well_as_can_be(name: str, order: int) -> None:
    distance, at = worst(name, order, points(280, np.float32))
    assert distance <= (2 if (name, order) == ("tanh", 0) else 1), at


@pytest.mark.parametrize("order", [0, 1])
@PRECISIONS
def test_scipy_gives_the_digits_that_its_own_function_has(
    order: int, dtype: Any
) -> None:
    """They are fewer far out, and near the zero of the derivative."""
    pytest.importorskip("scipy")
    x = points(280, dtype)
    x = x[x > -37]
    exact = [REFERENCE["gelu"][order](mpf(entry)) for entry in x.tolist()]
    result = compiled("gelu", order, "scipy")(x)
    tight = {"rtol": 1e-12, "atol": 1e-16} if dtype is np.float64 else {"rtol": 2e-7}
    normal = np.array([float(value) for value in exact])
    np.testing.assert_allclose(result, normal.astype(dtype), **tight)


# f, f' and f'' at -inf, -0, 0 and inf.  A zero has its sign.
GATE = [(-0.0, -0.0, 0.0, INF), (0.0, 0.5, 0.5, 1.0)]
LIMITS: dict[str, list[tuple[float, float, float, float]]] = {
    "gelu": [*GATE, (-0.0, 0.79788, 0.79788, -0.0)],
    "gelu_tanh": [*GATE, (-0.0, 0.79788, 0.79788, -0.0)],
    "leaky_relu": [(-INF, -0.0, 0.0, INF), (ALPHA, 1.0, 1.0, 1.0)],
    "relu": [(0.0, 0.0, 0.0, INF), (0.0, 0.0, 0.0, 1.0)],
    "tanh": [(-1.0, -0.0, 0.0, 1.0), (0.0, 1.0, 1.0, 0.0), (0.0, 0.0, -0.0, -0.0)],
    "sigmoid": [(0.0, 0.5, 0.5, 1.0), (0.0, 0.25, 0.25, 0.0), (0.0, 0.0, -0.0, -0.0)],
    "silu": [*GATE, (-0.0, 0.5, 0.5, -0.0)],
    "softplus": [
        (0.0, 0.69315, 0.69315, INF),
        (0.0, 0.5, 0.5, 1.0),
        (0.0, 0.25, 0.25, 0.0),
    ],
}


@FUNCTIONS
@PRECISIONS
@pytest.mark.parametrize("erf", ["numpy", SCIPY])
def test_limits(name: str, order: int, dtype: Any, erf: str) -> None:
    x = np.array([-INF, -0.0, 0.0, INF, NAN], dtype)
    *found, nan = compiled(name, order, erf)(x).tolist()
    assert found == pytest.approx(LIMITS[name][order], rel=1e-5)
    assert math.isnan(nan)
    if name != "relu":
        signs = [math.copysign(1, value) for value in LIMITS[name][order]]
        assert [math.copysign(1, value) for value in found] == signs


@pytest.mark.parametrize("alpha", [0.0, 0.01, 1.0, 2.5, -0.5])
def test_leaky_relu_takes_any_slope(alpha: float) -> None:
    names = ["_leaky_relu", "_leaky_relu_d1"]
    module = functions(names)
    x = np.array([-INF, -3.0, -0.0, 0.0, 2.0, INF])
    below = {0.0: 0.0, -0.5: INF}.get(alpha, -INF)
    expected = [below, -3.0 * alpha, 0.0, 0.0, 2.0, INF]
    np.testing.assert_array_equal(module._leaky_relu(x, alpha), expected)
    slopes = [alpha, alpha, 1.0, 1.0, 1.0, 1.0]
    np.testing.assert_array_equal(module._leaky_relu_d1(x, alpha), slopes)


# --- arrays of every kind ---


@FUNCTIONS
def test_results_are_new_arrays_of_the_same_shape(name: str, order: int) -> None:
    function = compiled(name, order)
    base = np.random.default_rng(0).normal(0, 2, (6, 4, 5))
    spread = np.broadcast_to(base[0, 0], (3, 5))
    views = [base, base[::2, ::-1], base.T, base.transpose(1, 0, 2), base[0, 0, 0]]
    views += [
        spread,
        base[:0],
        np.asfortranarray(base[0]),
        np.float64(0.5),
        base[:, :1],
    ]
    for x in map(np.asarray, views):
        before = x.copy()
        x.flags.writeable = False
        result = function(x)
        assert type(result) is np.ndarray
        assert result.shape == x.shape
        assert result.flags.writeable and result.base is None
        np.testing.assert_array_equal(x, before)
        each = [function(np.array([entry]))[0] for entry in x.ravel()]
        np.testing.assert_array_equal(result, np.reshape(each, x.shape))


@FUNCTIONS
def test_dtypes(name: str, order: int) -> None:
    function = compiled(name, order)
    wide = {np.float16: np.float32, np.float32: np.float32}
    for dtype in (
        np.float16,
        np.float32,
        np.float64,
        np.int8,
        np.int64,
        np.bool_,
        ">f4",
    ):
        x = np.array([[1, 0]]).astype(dtype)
        result = function(x)
        expected = np.float32 if dtype == ">f4" else wide.get(dtype, np.float64)
        assert result.dtype == expected
        np.testing.assert_array_equal(result, function(x.astype(expected)))
        assert function(x[0, 0]).dtype == expected
    for x in (np.array([1j]), np.array(["1"]), np.array([None])):
        with pytest.raises(TypeError, match="takes real numbers, not "):
            function(x)


@FUNCTIONS
@PRECISIONS
def test_nothing_is_signalled(name: str, order: int, dtype: Any) -> None:
    limits = np.finfo(dtype)
    x = np.array([limits.max, limits.min, limits.tiny, -limits.smallest_subnormal])
    x = np.concatenate([x, [INF, -INF, NAN, -38.6, -700.5, -745.0]]).astype(dtype)
    with np.errstate(all="raise"):
        result = compiled(name, order)(x)
    assert np.isnan(result).tolist() == np.isnan(x).tolist()


@FUNCTIONS
def test_many_blocks_are_as_one(name: str, order: int) -> None:
    function = compiled(name, order)
    x = np.random.default_rng(1).normal(0, 3, (300, 401))
    parts = [function(row) for row in x]
    np.testing.assert_array_equal(function(x), parts)
    np.testing.assert_array_equal(function(x.T), np.transpose(parts))


@EACH
@PRECISIONS
def test_torch_agrees(name: str, dtype: Any) -> None:
    torch = pytest.importorskip("torch")
    peers = torch.nn.functional
    known = {
        "gelu_tanh": lambda x: peers.gelu(x, approximate="tanh"),
        "leaky_relu": lambda x: peers.leaky_relu(x, ALPHA),
    }
    function = known.get(name, getattr(peers, name, None))
    assert function is not None
    values = np.random.default_rng(2).normal(0, 3, 200).astype(dtype)
    x = torch.tensor(values, requires_grad=True)
    y = function(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    close = {"rtol": 0, "atol": 1e-12 if dtype is np.float64 else 2e-6}
    np.testing.assert_allclose(compiled(name, 0)(values), y.detach(), **close)
    np.testing.assert_allclose(compiled(name, 1)(values), slope, **close)


@pytest.mark.parametrize(
    ("name", "order", "x"),
    [("gelu", 2, 8.477180630692974), ("gelu_tanh", 1, -5.387210408099211)],
)
def test_table_has_what_a_search_finds(name: str, order: int, x: float) -> None:
    """Points that are drawn once and for all miss these by a fifth and more."""
    table = DOCUMENT.read_text(encoding="utf-8").split("<!-- accuracy -->")[1]
    row = next(line for line in table.splitlines() if line.startswith(f"| `{name}` |"))
    distance, _ = worst(name, order, np.array([x]))
    assert distance <= float(row.split("|")[5 + order]) + 0.005
