"""The numbered hard cases, each against its formula written out by hand.

``g`` is the cotangent.  Loops and NumPy's elementwise operations are all that is used:
nothing here is computed with an einsum.
"""

from __future__ import annotations

import functools
import itertools
import weakref
from typing import Any

import numpy as np
import pytest
from exact import LAYOUTS, Array, assert_result, integers

import eingrad
from eingrad import oracle

RNG = np.random.default_rng(0)
ASCII = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@functools.cache
def load(spec: str, *names: str, complex: str = "adjoint") -> Any:
    return eingrad.load(spec, operands=names or None, complex=complex)


def draw(*shapes: tuple[int, ...], dtype: str = "float64") -> list[Array]:
    return [integers(RNG, shape, dtype) for shape in shapes]


def pull_back(module: Any, cotangent: Array, *operands: Array) -> tuple[Array, ...]:
    """Return the gradients, which ``backward`` and the pullback of ``vjp`` agree on."""
    gradients: tuple[Array, ...] = module.backward(cotangent, *operands)
    _, pullback = module.vjp(*operands)
    for one, other in zip(pullback(cotangent), gradients, strict=True):
        assert_result(one, other, [*operands, cotangent])
    return gradients


def grid(*sizes: int) -> itertools.product[tuple[int, ...]]:
    return itertools.product(*map(range, sizes))


def test_01_an_index_alone_in_one_operand() -> None:
    x, y, g = draw((2, 3, 4), (4, 5), (2, 5))
    x_bar, y_bar = pull_back(load("abc,cd->ad"), g, x, y)
    expected = np.zeros((2, 3, 4))
    for a, b, c, d in grid(2, 3, 4, 5):
        expected[a, b, c] += g[a, d] * y[c, d]
    assert_result(x_bar, expected)
    assert_result(y_bar, x.sum(axis=1).T @ g)
    assert (x_bar == x_bar[:, :1]).all()


def test_02_an_index_alone_in_each_operand() -> None:
    x, y, g = draw((2, 3), (4, 5), (2, 5))
    x_bar, y_bar = pull_back(load("ab,cd->ad"), g, x, y)
    x_expected, y_expected = np.zeros((2, 3)), np.zeros((4, 5))
    for a, b, c, d in grid(2, 3, 4, 5):
        x_expected[a, b] += g[a, d] * y[c, d]
        y_expected[c, d] += g[a, d] * x[a, b]
    assert_result(x_bar, x_expected)
    assert_result(y_bar, y_expected)


def test_03_the_gradient_of_a_sum_is_owned_and_writable() -> None:
    (x,) = draw((3, 4))
    (x_bar,) = pull_back(load("ij->"), np.array(7.0), x)
    assert_result(x_bar, np.full((3, 4), 7.0))
    x_bar[0, 0] = 1
    assert x_bar.sum() == 11 * 7 + 1


def test_04_the_gradient_of_a_trace_lies_on_the_diagonal() -> None:
    (x,) = draw((4, 4))
    (x_bar,) = pull_back(load("ii->"), np.array(7.0), x)
    assert_result(x_bar, np.diag([7.0] * 4))
    assert not np.signbit(x_bar).any()


def test_05_a_diagonal_that_is_not_trailing() -> None:
    x, g = draw((2, 2, 3), (2, 3))
    module = load("iij->ij")
    (x_bar,) = pull_back(module, g, x)
    expected = np.zeros((2, 2, 3))
    for i in range(2):
        expected[i, i] = g[i]
    assert_result(x_bar, expected)
    assert_result(module.forward(x), np.stack([x[0, 0], x[1, 1]]))


def test_06_a_diagonal_and_a_sum_beside_it() -> None:
    x, y, g = draw((2, 2, 3), (4,), (2,))
    x_bar, y_bar = pull_back(load("iij,k->i"), g, x, y)
    x_expected, y_expected = np.zeros((2, 2, 3)), np.zeros(4)
    for i, j, k in grid(2, 3, 4):
        x_expected[i, i, j] += g[i] * y[k]
        y_expected[k] += g[i] * x[i, i, j]
    assert_result(x_bar, x_expected)
    assert_result(y_bar, y_expected)


def test_07_diagonals_in_two_operands() -> None:
    x, y, z, g = draw((2, 3, 3, 2), (4, 3, 2), (3, 3), (4, 3))
    x_bar, y_bar, z_bar = pull_back(load("ijji,kji,jj->kj"), g, x, y, z)
    expected = [np.zeros_like(array) for array in (x, y, z)]
    for i, j, k in grid(2, 3, 4):
        expected[0][i, j, j, i] += g[k, j] * y[k, j, i] * z[j, j]
        expected[1][k, j, i] += g[k, j] * x[i, j, j, i] * z[j, j]
        expected[2][j, j] += g[k, j] * x[i, j, j, i] * y[k, j, i]
    for found, right in zip((x_bar, y_bar, z_bar), expected, strict=True):
        assert_result(found, right)


def test_08_a_size_of_1_is_summed_and_kept() -> None:
    x, y, g = draw((3, 1), (3, 4), (3, 4))
    x_bar, y_bar = pull_back(load("ij,ij->ij"), g, x, y)
    assert_result(x_bar, (g * y).sum(axis=1, keepdims=True))
    assert_result(y_bar, g * x)


def test_09_a_contracted_index_of_size_1() -> None:
    x, y, g = draw((2, 1), (3, 4), (2, 4))
    x_bar, y_bar = pull_back(load("ij,jk->ik"), g, x, y)
    x_expected, y_expected = np.zeros((2, 1)), np.zeros((3, 4))
    for i, j, k in grid(2, 3, 4):
        x_expected[i, 0] += g[i, k] * y[j, k]
        y_expected[j, k] += g[i, k] * x[i, 0]
    assert_result(x_bar, x_expected)
    assert_result(y_bar, y_expected)


def test_10_a_summed_index_of_size_1() -> None:
    x, y = draw((1, 4), (3,))
    x_bar, y_bar = pull_back(load("ij,i->"), np.array(5.0), x, y)
    assert_result(x_bar, np.full((1, 4), 5 * y.sum()))
    assert_result(y_bar, np.full(3, 5 * x.sum()))


def test_11_ellipsis_axes_of_size_1_and_missing_ones() -> None:
    x, y, g = draw((4, 1, 2, 3), (5, 3), (4, 5, 2))
    x_bar, y_bar = pull_back(load("...ij,...j->...i"), g, x, y)
    x_expected, y_expected = np.zeros((4, 1, 2, 3)), np.zeros((5, 3))
    for m, n, i, j in grid(4, 5, 2, 3):
        x_expected[m, 0, i, j] += g[m, n, i] * y[n, j]
        y_expected[n, j] += g[m, n, i] * x[m, 0, i, j]
    assert_result(x_bar, x_expected)
    assert_result(y_bar, y_expected)


def test_12_an_ellipsis_that_is_summed() -> None:
    x, y, g = draw((2, 3), (2, 3), (3,))
    module = load("...i,...i->i")
    assert_result(module.forward(x, y), (x * y).sum(axis=0))
    x_bar, y_bar = pull_back(module, g, x, y)
    assert_result(x_bar, g * y)
    assert_result(y_bar, g * x)


def test_13_implicit_outputs() -> None:
    (x,) = draw((2, 3))
    assert load("ba").SPEC == "ba->ab"
    assert_result(load("ba").forward(x), x.T, [x])
    assert load("bA").SPEC == "bA->Ab"
    assert_result(load("bA").forward(x), x.T, [x])
    assert load("ii").SPEC == "ii->"
    (square,) = draw((3, 3))
    assert_result(load("ii").forward(square), np.trace(square))
    assert load("...ji,i").SPEC == "...ji,i->...j"


def test_14_one_array_in_two_places() -> None:
    x, g = draw((3, 3), (3, 3))
    (x_bar,) = pull_back(load("ij,jk->ik", "x", "x"), g, x)
    assert_result(x_bar, g @ x.T + x.T @ g)
    y, h = draw((3, 4), (3, 3))
    (y_bar,) = pull_back(load("ij,kj->ik", "y", "y"), h, y)
    assert_result(y_bar, h @ y + h.T @ y)
    z = draw((3, 4))[0]
    (z_bar,) = pull_back(load("ij,ij->", "z", "z"), np.array(1.0), z)
    assert_result(z_bar, 2 * z)


@pytest.mark.parametrize("second", ["ikj", "jik", "jki", "kij", "kji"])
def test_14_one_array_and_its_axes_in_another_order(second: str) -> None:
    """Two gradients that are turned by inverse permutations, which may differ."""
    (x,) = draw((3, 3, 3))
    module = load(f"ijk,{second}->", "x", "x")
    (x_bar,) = pull_back(module, np.array(1.0), x)
    axes = ["ijk".index(index) for index in second]
    assert_result(x_bar, x.transpose(axes) + x.transpose(np.argsort(axes)))


def test_14_one_array_in_three_places() -> None:
    (x,) = draw((3, 3))
    module = load("ij,jk,ki->", "x", "x", "x")
    (x_bar,) = pull_back(module, np.array(1.0), x)
    assert_result(x_bar, 3 * (x @ x).T)
    (v,) = draw((3, 3))
    assert_result(module.jvp([x], [v])[1], 3 * np.trace(x @ x @ v))


def test_14_one_array_whose_ellipsis_stands_in_two_ways() -> None:
    """Fused axes would differ from place to place: it is right, or refused."""
    try:
        module = load("i...,...i->i", "x", "x")
    except eingrad.OptionError:
        return
    (vector,) = draw((3,))
    assert_result(module.forward(vector), vector * vector)
    x, g = draw((3, 3, 3), (3,))
    assert_result(module.forward(x), (x * x.transpose(2, 0, 1)).sum(axis=(1, 2)))
    weighted = g[:, None, None] * x.transpose(2, 0, 1) + x.transpose(1, 2, 0) * g
    assert_result(pull_back(module, g, x)[0], weighted)


def test_15_off_diagonal_cotangents_are_ignored() -> None:
    x, g = draw((3,), (3, 3))
    module = load("i->ii")
    assert_result(module.forward(x), np.diag(x))
    assert_result(pull_back(module, g, x)[0], np.diag(g).copy())
    y, z, h = draw((2, 3), (3,), (2, 2, 3))
    diagonal = np.stack([h[0, 0], h[1, 1]])
    y_bar, z_bar = pull_back(load("ij,j->iij"), h, y, z)
    assert_result(y_bar, diagonal * z)
    assert_result(z_bar, (diagonal * y).sum(axis=0))


def test_16_scalars_are_arrays_without_axes() -> None:
    s, x, g = draw((), (2, 3), (2, 3))
    s_bar, x_bar = pull_back(load(",ij->ij"), g, s, x)
    assert_result(s_bar, (g * x).sum())
    assert_result(x_bar, g * s)
    one, other, h = np.array(3.0), np.array(5.0), np.array(7.0)
    assert_result(load("->").forward(one), 3.0, [one])
    assert_result(pull_back(load("->"), h, one)[0], 7.0, [h])
    product = load(",->")
    assert_result(product.forward(one, other), 15.0)
    for found, right in zip(pull_back(product, h, one, other), (35, 21), strict=True):
        assert_result(found, float(right))
    primal, tangent = product.jvp([one, other], [h, h])
    assert_result(primal, 15.0)
    assert_result(tangent, 7 * 5.0 + 3 * 7)


@pytest.mark.parametrize("number", [3, 3.0, 3 + 4j, True])
def test_16_python_numbers_are_scalars(number: Any) -> None:
    found = load("->").forward(number)
    assert_result(found, np.asarray(number))
    (gradient,) = load("->").backward(1, number)
    assert type(gradient) is np.ndarray and gradient.shape == ()


def test_17_sizes_of_0() -> None:
    x, y, g = draw((2, 0), (0, 3), (2, 3))
    module = load("ij,jk->ik")
    assert_result(module.forward(x, y), np.zeros((2, 3)))
    x_bar, y_bar = pull_back(module, g, x, y)
    assert_result(x_bar, np.zeros((2, 0)))
    assert_result(y_bar, np.zeros((0, 3)))
    one, none, h = draw((1,), (0,), (0,))
    module = load("i,i->i")
    assert_result(module.forward(one, none), np.zeros(0))
    x_bar, y_bar = pull_back(module, h, one, none)
    assert_result(x_bar, np.zeros(1))
    assert_result(y_bar, np.zeros(0))


@pytest.mark.parametrize("sizes", [(0, 2, 3), (2, 0, 3), (2, 3, 0), (0, 0, 0)])
def test_17_any_size_may_be_0(sizes: tuple[int, int, int]) -> None:
    i, j, k = sizes
    x, y, g = draw((i, j), (j, k), (i, k))
    module = load("ij,jk->ik")
    assert_result(module.forward(x, y), x @ y)
    for found, right in zip(
        pull_back(module, g, x, y), (g @ y.T, x.T @ g), strict=True
    ):
        assert_result(found, right)


def test_18_a_real_operand_of_a_complex_result() -> None:
    (x,) = draw((2, 3))
    y, g = draw((3, 4), (2, 4), dtype="complex128")
    x_bar, y_bar = pull_back(load("ij,jk->ik"), g, x, y)
    assert_result(x_bar, (g @ y.conj().T).real.copy())
    assert_result(y_bar, x.T @ g)
    assert x_bar.dtype == np.float64
    transpose = load("ij,jk->ik", complex="transpose")
    x_bar, y_bar = pull_back(transpose, g, x, y)
    assert_result(x_bar, (g @ y.T).real.copy())
    assert_result(y_bar, x.T @ g)


def test_18_a_complex_cotangent_of_a_real_result() -> None:
    x, y = draw((2, 3), (3, 4))
    (g,) = draw((2, 4), dtype="complex128")
    x_bar, y_bar = pull_back(load("ij,jk->ik"), g, x, y)
    assert_result(x_bar, g.real @ y.T)
    assert_result(y_bar, x.T @ g.real)


@pytest.mark.parametrize("convention", ["adjoint", "transpose"])
def test_18_the_tangent_is_not_conjugated(convention: str) -> None:
    x, y, v, w = draw((2, 3), (3, 4), (2, 3), (3, 4), dtype="complex128")
    module = load("ij,jk->ik", complex=convention)
    assert_result(module.jvp([x, y], [v, w])[1], v @ y + x @ w)
    (r,) = draw((2, 3))
    assert_result(module.jvp([r, y], [r, w])[1], r @ y + r @ w)


# The dtypes of two operands: then those of the result and of the gradients.
DTYPES = [
    ("float32", "float64", "float64", "float32", "float64"),
    ("float64", "float64", "float64", "float64", "float64"),
    ("int64", "float64", "float64", "float64", "float64"),
    ("int32", "float32", "float64", "float64", "float32"),
    ("int8", "float32", "float32", "float32", "float32"),
    ("int8", "int8", "int8", "int8", "int8"),
    ("int64", "int64", "int64", "int64", "int64"),
    ("uint8", "int8", "int16", "int16", "int16"),
    ("bool", "float32", "float32", "float32", "float32"),
    ("float16", "float16", "float16", "float16", "float16"),
    ("float16", "float32", "float32", "float16", "float32"),
    ("int8", "float16", "float16", "float16", "float16"),
    ("float32", "complex64", "complex64", "float32", "complex64"),
    ("float64", "complex64", "complex128", "float64", "complex64"),
    ("complex64", "complex128", "complex128", "complex64", "complex128"),
    ("int64", "complex64", "complex128", "float64", "complex64"),
]


@pytest.mark.parametrize(("first", "second", "result", "one", "two"), DTYPES)
def test_19_dtypes(first: str, second: str, result: str, one: str, two: str) -> None:
    x = np.abs(integers(RNG, (2, 3))).astype(first)
    y = np.abs(integers(RNG, (3, 4))).astype(second)
    g = np.abs(integers(RNG, (2, 4))).astype(result)
    module = load("ij,jk->ik")
    wide_x, wide_y, wide_g = (a.real.astype("float64") for a in (x, y, g))
    right = (wide_x @ wide_y).astype(result)
    with np.errstate(all="raise"):
        assert_result(module.forward(x, y), right)
        x_bar, y_bar = pull_back(module, g, x, y)
        primal, tangent = module.jvp([x, y], [x, y])
    assert_result(x_bar, (wide_g @ wide_y.T).astype(one))
    assert_result(y_bar, (wide_x.T @ wide_g).astype(two))
    assert_result(primal, right)
    assert_result(tangent, 2 * right)


def test_19_half_precision_is_computed_in_single() -> None:
    """2048 + 1 is 2048 in float16: its own sums would never pass 2048."""
    ones = np.ones((1, 4096), "float16")
    module = load("ij,jk->ik")
    assert_result(module.forward(ones, ones.T), np.full((1, 1), 4096, "float16"))
    assert_result(load("ij->i").forward(ones), np.full(1, 4096, "float16"))
    g = np.ones((4096, 1), "float16")
    x = np.ones((4096, 1), "float16")
    _, y_bar = pull_back(module, g, x, np.ones((1, 1), "float16"))
    assert_result(y_bar, np.full((1, 1), 4096, "float16"))


def test_19_small_integers_are_not_widened() -> None:
    x = np.full((1, 3), 100, "int8")
    found = load("ij,jk->ik").forward(x, np.ones((3, 1), "int8"))
    assert_result(found, np.full((1, 1), 44, "int8"))
    assert_result(load("ij->i").forward(x), np.full(1, 44, "int8"))


@pytest.mark.parametrize(
    "spec", ["i,j->", ",,->", ",->", "i->", "ij,jk,ki->", "ab,cd->a", ",i->i", "i,i->"]
)
def test_19_objects_beyond_all_integer_types(spec: str) -> None:
    terms = spec.split("->")[0].split(",")
    operands = [np.full((2,) * len(term), 2**40, dtype=object) for term in terms]
    module = load(spec)
    expected = oracle.einsum(spec, operands)
    grad = np.full(expected.shape, 3, dtype=object)
    gradients = oracle.gradients(spec, operands, grad, conjugate=True)
    output, pullback = module.vjp(*operands)
    for found in (output, module.forward(*operands)):
        assert found.dtype == object
        np.testing.assert_array_equal(found, expected)
    for results in (pullback(grad), module.backward(grad, *operands)):
        for found, gradient in zip(results, gradients, strict=True):
            assert found.dtype == object
            np.testing.assert_array_equal(found, gradient)


def test_19_objects_are_computed_exactly() -> None:
    x = np.array([[10**30, 1]], dtype=object)
    y = np.array([[10**30], [1]], dtype=object)
    found = load("ij,jk->ik").forward(x, y)
    assert found.shape == (1, 1)
    assert found[0, 0] == 10**60 + 1


def test_19_a_cotangent_of_another_dtype() -> None:
    x, y = draw((2, 3), (3, 4), dtype="float32")
    (g,) = draw((2, 4), dtype="float64")
    for cotangent in (g, g.astype("int64"), g.astype("float16"), g.tolist()):
        x_bar, y_bar = pull_back(load("ij,jk->ik"), np.asarray(cotangent), x, y)
        assert_result(x_bar, (g @ y.T.astype("float64")).astype("float32"))
        assert_result(y_bar, (x.T.astype("float64") @ g).astype("float32"))


@pytest.mark.parametrize("dtype", [">f8", ">i4", ">c16", "float64"])
def test_19_byte_order_does_not_matter(dtype: str) -> None:
    x, y, g = (a.astype(dtype) for a in draw((2, 3), (3, 4), (2, 4)))
    module = load("ij,jk->ik")
    np.testing.assert_array_equal(module.forward(x, y), x @ y)
    x_bar, y_bar = module.backward(g, x, y)
    np.testing.assert_array_equal(x_bar, g @ y.T)
    np.testing.assert_array_equal(y_bar, x.T @ g)


def test_20_what_could_be_a_view_is_a_copy() -> None:
    x, square = draw((2, 3), (3, 3))
    assert_result(load("ij->ji").forward(x), x.T.copy(), [x])
    diagonal = load("ii->i").forward(square)
    assert_result(diagonal, np.diag(square).copy(), [square])
    before = square.copy()
    diagonal[:] = 9
    np.testing.assert_array_equal(square, before)
    for spec in ("ij->ij", "ij->ji"):
        (g,) = draw((2, 3))
        cotangent = g if spec == "ij->ij" else g.T.copy()
        (x_bar,) = pull_back(load(spec), cotangent, x)
        assert_result(x_bar, g, [cotangent, x])


@pytest.mark.parametrize("name", LAYOUTS)
def test_21_layouts_do_not_matter(name: str) -> None:
    layout = LAYOUTS[name]
    x, y, g = map(layout, draw((3, 4, 2), (2, 4, 5), (5, 3)))
    module = load("ijk,kjl->li")
    flat_x = x.reshape(3, 8)
    flat_y = y.transpose(1, 0, 2).reshape(8, 5)
    inputs = [x, y, g]
    assert_result(module.forward(x, y), (flat_x @ flat_y).T, inputs)
    x_bar, y_bar = pull_back(module, g, x, y)
    assert_result(x_bar, (g.T @ flat_y.T).reshape(3, 4, 2), inputs)
    expected = (flat_x.T @ g.T).reshape(4, 2, 5).transpose(1, 0, 2)
    assert_result(y_bar, expected, inputs)


def test_22_double_backward() -> None:
    """x̄ = E(g, y) is bilinear, so its own gradients are modules of gradient specs."""
    x, y, g, v = draw((2, 3), (3, 4), (2, 4), (2, 3), dtype="complex128")
    module = load("ij,jk->ik", complex="transpose")
    spec, _ = eingrad.gradient_specs("ij,jk->ik")
    assert spec == "ik,jk->ij"
    again = load(spec, complex="transpose")
    (x_bar, _) = module.backward(g, x, y)
    assert_result(again.forward(g, y), x_bar)
    g_bar, y_bar = pull_back(again, v, g, y)
    # d<x̄, v>/dg is the JVP of the forward pass along v.
    assert_result(g_bar, module.jvp([x, y], [v, 0 * y])[1])
    assert_result(g_bar, v @ y)
    # d<x̄, v>/dy is the gradient of y with v in the place of x.
    assert_result(y_bar, module.backward(g, v, y)[1])
    assert_result(y_bar, v.T @ g)


def test_22_double_backward_of_three_operands() -> None:
    x, y, z, g, v = draw((2, 3), (3, 4), (4, 2), (2, 2), (3, 4))
    specs = eingrad.gradient_specs("ij,jk,kl->il")
    module, again = load("ij,jk,kl->il"), load(specs[1])
    assert_result(again.forward(x, g, z), module.backward(g, x, y, z)[1])
    x_bar, g_bar, z_bar = pull_back(again, v, x, g, z)
    assert_result(g_bar, x @ v @ z)
    assert_result(x_bar, g @ z.T @ v.T)
    assert_result(z_bar, v.T @ x.T @ g)


def test_22_a_diagonal_twice() -> None:
    """The gradient of a trace writes on a diagonal; its gradient reads it."""
    (spec,) = eingrad.gradient_specs("ii,->")[:1]
    assert spec == ",->ii"
    again = eingrad.load(spec, sizes={"i": 3})
    g, s, v = np.array(2.0), np.array(5.0), draw((3, 3))[0]
    assert_result(again.forward(g, s), np.diag([10.0] * 3))
    g_bar, s_bar = pull_back(again, v, g, s)
    assert_result(g_bar, 5 * np.trace(v))
    assert_result(s_bar, 2 * np.trace(v))


def test_23_hessian_vector_product() -> None:
    """Sum over l of the gradient of k with operand l replaced by its direction."""
    shapes = [(2, 3), (3, 4), (4, 2)]
    operands, directions = draw(*shapes), draw(*shapes)
    (g,) = draw((2, 2))
    module = load("ij,jk,kl->il")
    x, y, z = operands
    u, v, w = directions
    expected = [
        g @ w.T @ y.T + g @ z.T @ v.T,
        u.T @ g @ z.T + x.T @ g @ w.T,
        v.T @ x.T @ g + y.T @ u.T @ g,
    ]
    for k, right in enumerate(expected):
        terms = []
        for other in range(3):
            if other != k:
                mixed = [*operands]
                mixed[other] = directions[other]
                terms.append(module.backward(g, *mixed)[k])
        assert_result(terms[0] + terms[1], right)


def test_23_hessian_vector_product_as_the_tangent_of_a_gradient() -> None:
    x, y, g, u, v = draw((2, 3), (3, 4), (2, 4), (2, 3), (3, 4))
    of_x, of_y = map(load, eingrad.gradient_specs("ij,jk->ik"))
    assert_result(of_x.jvp([g, y], [0 * g, v])[1], g @ v.T)
    assert_result(of_y.jvp([x, g], [u, 0 * g])[1], u.T @ g)


def test_23_cross_terms_of_one_array_in_two_places() -> None:
    """<g, x xᵀ> has the Hessian v -> (g + gᵀ) v."""
    x, v, g = draw((3, 4), (3, 4), (3, 3))
    (x_bar,) = load("ij,kj->ik", "x", "x").backward(g, x)
    (v_bar,) = load("ij,kj->ik", "x", "x").backward(g, v)
    assert_result(x_bar, (g + g.T) @ x)
    assert_result(v_bar, (g + g.T) @ v)


def test_24_an_index_held_by_three_tensors() -> None:
    x, y, z, g = draw((3, 2), (3, 4), (3, 5), (2, 4, 5))
    module = load("bi,bj,bk->ijk")
    expected = [np.zeros_like(array) for array in (x, y, z)]
    output = np.zeros((2, 4, 5))
    for b, i, j, k in grid(3, 2, 4, 5):
        output[i, j, k] += x[b, i] * y[b, j] * z[b, k]
        expected[0][b, i] += g[i, j, k] * y[b, j] * z[b, k]
        expected[1][b, j] += g[i, j, k] * x[b, i] * z[b, k]
        expected[2][b, k] += g[i, j, k] * x[b, i] * y[b, j]
    assert_result(module.forward(x, y, z), output)
    for found, right in zip(pull_back(module, g, x, y, z), expected, strict=True):
        assert_result(found, right)


def test_24_a_chain_through_a_vector() -> None:
    x, y, z = draw((2, 3), (3,), (3, 4))
    g = np.array(2.0)
    x_bar, y_bar, z_bar = pull_back(load("ij,j,jk->"), g, x, y, z)
    rows, columns = x.sum(axis=0), z.sum(axis=1)
    assert_result(x_bar, np.broadcast_to(2 * y * columns, (2, 3)).copy())
    assert_result(y_bar, 2 * rows * columns)
    assert_result(z_bar, np.repeat((2 * rows * y)[:, None], 4, axis=1))


def test_25_more_than_52_indices() -> None:
    letters = ASCII + "αβγδεζηθ"
    module = load(f"{letters[:30]},{letters[30:]}->{letters}")
    x, y = draw((1,) * 29 + (3,), (2,) + (1,) * 29)
    assert_result(
        module.forward(x, y).reshape(3, 2), np.multiply.outer(x.ravel(), y.ravel())
    )
    g = draw((1,) * 29 + (3, 2) + (1,) * 29)[0]
    x_bar, y_bar = pull_back(module, g, x, y)
    flat = g.reshape(3, 2)
    assert_result(x_bar, (flat @ y.ravel()).reshape(x.shape))
    assert_result(y_bar, (x.ravel() @ flat).reshape(y.shape))


def test_25_more_than_52_indices_contracted() -> None:
    letters = ASCII + "αβγδεζηθ"
    module = load(f"{letters},{letters[::-1]}->")
    shape = tuple(2 if k in (0, 20, 59) else 1 for k in range(60))
    x, y = draw(shape, shape[::-1])
    reverse = tuple(range(59, -1, -1))
    assert_result(module.forward(x, y), (x * y.transpose(reverse)).sum())
    x_bar, y_bar = pull_back(module, np.array(3.0), x, y)
    assert_result(x_bar, 3 * y.transpose(reverse))
    assert_result(y_bar, 3 * x.transpose(reverse))


def test_25_a_diagonal_among_more_than_52_indices() -> None:
    letters = ASCII + "αβ"
    (x,) = draw((3,) + (1,) * 53 + (3,))
    diagonal = np.diag(x.reshape(3, 3))
    trace = load(f"{letters}a->")
    assert_result(trace.forward(x), diagonal.sum())
    taken = load(f"{letters}a->{letters}")
    assert_result(taken.forward(x), diagonal.reshape((3,) + (1,) * 53), [x])
    written = load(f"{letters}->{letters}a")
    vector = diagonal.reshape((3,) + (1,) * 53)
    assert_result(written.forward(vector), np.diag(diagonal).reshape(x.shape))


def test_25_24_operands() -> None:
    vectors = draw(*[(2,)] * 24)
    for vector in vectors:
        vector[vector == 0] = 1
    module = load(",".join("i" * 24) + "->i")
    product = np.prod(vectors, axis=0)
    assert_result(module.forward(*vectors), product)
    g = draw((2,))[0]
    for found, vector in zip(pull_back(module, g, *vectors), vectors, strict=True):
        assert_result(found, g * product / vector)


def test_25_rank_25() -> None:
    letters = ASCII[:25]
    module = load(f"{letters}->{letters[::-1]}")
    x = draw(tuple(2 if k < 10 else 1 for k in range(25)))[0]
    reverse = tuple(range(24, -1, -1))
    assert_result(module.forward(x), x.transpose(reverse).copy(), [x])
    g = x.transpose(reverse) + 1
    assert_result(pull_back(module, g, x)[0], x + 1, [g, x])


DTYPES_MODULE = eingrad.load("ij,jk->ik")
NUMBERS = ("int8", "int64", "float16", "float32", "float64", "complex64")


@pytest.mark.parametrize("dtypes", list(itertools.product(NUMBERS, repeat=3)), ids=str)
def test_a_pullback_is_backward_whatever_the_dtypes(dtypes: tuple[str, ...]) -> None:
    """Values that overflow float16, so that it shows where it is computed with."""
    module = DTYPES_MODULE
    a, b, g = (
        np.full(shape, value).astype(dtype)
        for shape, value, dtype in zip(
            [(2, 3), (3, 4), (2, 4)], [100, 30000, 1], dtypes, strict=True
        )
    )
    with np.errstate(over="ignore", invalid="ignore"):
        expected = module.backward(g, a, b)
        found = module.vjp(a, b)[1](g)
        _, tangent = module.jvp((a, b), (a, b))
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    assert tangent.dtype == np.result_type(a.dtype, b.dtype)


def test_a_pullback_keeps_no_output_alive() -> None:
    module = eingrad.load("ij,jk->ik")
    output, pullback = module.vjp(np.ones((2, 3)), np.ones((3, 4)))
    alive = weakref.ref(output)
    del output
    assert alive() is None
    assert pullback(np.ones((2, 4)))[0].shape == (2, 3)


@pytest.mark.parametrize("dtype", ["M8[s]", "m8[s]", "U3", [("f", "f4")]])
def test_what_is_no_number_is_a_value_error(dtype: object) -> None:
    module = eingrad.load("ij,jk->ik")
    a, b = np.ones((2, 3)), np.ones((3, 4))
    with pytest.raises(ValueError, match="is no number"):
        module.backward(np.zeros((2, 4), dtype), a, b)
    with pytest.raises(ValueError, match="is no number"):
        module.vjp(a, b)[1](np.zeros((2, 4), dtype))
