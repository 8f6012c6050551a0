"""The brute force that everything is compared with, itself compared and worked out."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from eingrad import oracle

Array = NDArray[Any]
Shapes = tuple[tuple[int, ...], ...]

# What np.einsum can say too.
FORWARD: list[tuple[str, Shapes]] = [
    ("ij,jk->ik", ((2, 3), (3, 4))),
    ("bqhd,bkhd->bhqk", ((2, 3, 2, 4), (2, 5, 2, 4))),
    ("abc,cd->ad", ((2, 3, 4), (4, 5))),
    ("ab,cd->ad", ((2, 3), (4, 5))),
    ("ij->", ((3, 4),)),
    ("ii->", ((4, 4),)),
    ("ii->i", ((4, 4),)),
    ("iij->ij", ((2, 2, 3),)),
    ("iij,k->i", ((2, 2, 3), (4,))),
    ("ijji,kji,jj->kj", ((2, 3, 3, 2), (4, 3, 2), (3, 3))),
    ("ij,ij->ij", ((3, 1), (3, 4))),
    ("ij,jk->ik", ((2, 1), (3, 4))),
    ("ij,i->", ((1, 4), (3,))),
    ("ii,i->i", ((1, 1), (3,))),
    ("...ij,...j->...i", ((4, 1, 2, 3), (5, 3))),
    ("i...,i...->i...", ((2, 3, 4), (2, 4))),
    ("...,...->...", ((2, 3), ())),
    (",ij->ij", ((), (2, 3))),
    ("->", ((),)),
    (",->", ((), ())),
    ("ij,jk->ik", ((2, 0), (0, 3))),
    ("i,i->i", ((1,), (0,))),
    ("bi,bj,bk->ijk", ((2, 3), (2, 4), (2, 5))),
    ("ij,j,jk->", ((2, 3), (3,), (3, 4))),
    ("a,aib,bjc,ckd,d->ijk", ((2,), (2, 3, 2), (2, 2, 3), (3, 2, 2), (2,))),
]
# What it refuses: an index repeated or new in the output, an ellipsis missing there.
BEYOND: list[tuple[str, Shapes, dict[str, int]]] = [
    ("...i,...i->i", ((2, 3), (2, 3)), {}),
    ("...i,...i->i", ((3,), (2, 3)), {}),
    ("i->ii", ((3,),), {}),
    ("ij,j->iij", ((2, 3), (3,)), {}),
    ("iij,j->jji", ((2, 2, 3), (1,)), {}),
    ("->i", ((),), {"i": 3}),
    ("j->iji", ((2,),), {"i": 3}),
    ("αβ,βγ->αγ", ((2, 3), (3, 4)), {}),
]
ALL: list[tuple[str, Shapes, dict[str, int]]] = [
    (spec, shapes, {}) for spec, shapes in FORWARD
] + BEYOND


def draw(shapes: Shapes, *, complex_: bool = False) -> list[Array]:
    rng = np.random.default_rng(0)
    arrays = [np.asarray(rng.integers(-9, 10, shape)) for shape in shapes]
    if complex_:
        return [array + 1j * rng.integers(-9, 10, array.shape) for array in arrays]
    return arrays


def cotangent(spec: str, arrays: list[Array], sizes: Mapping[str, int]) -> Array:
    return draw((oracle.einsum(spec, arrays, sizes).shape,), complex_=True)[0].imag


@pytest.mark.parametrize(("spec", "shapes"), FORWARD)
def test_output_equals_numpy(spec: str, shapes: Shapes) -> None:
    arrays = draw(shapes)
    output = oracle.einsum(spec, arrays)
    expected = np.einsum(spec, *arrays)
    assert output.shape == expected.shape
    assert np.array_equal(output, expected)


def literal(spec: str, arrays: list[Array], sizes: Mapping[str, int]) -> Array:
    """One assignment after the other, in Python."""
    terms, output = oracle.resolve(spec, [array.ndim for array in arrays])
    full = dict(sizes)
    for term, array in zip(terms, arrays, strict=True):
        for index, size in zip(term, array.shape, strict=True):
            full[index] = size if full.get(index, 1) == 1 else full[index]
    total = np.zeros([full[index] for index in output], np.int64)
    for values in itertools.product(*map(range, full.values())):
        at = dict(zip(full, values, strict=True))
        product = 1
        for term, array in zip(terms, arrays, strict=True):
            position = zip(term, array.shape, strict=True)
            product *= array[tuple(at[i] if n > 1 else 0 for i, n in position)]
        total[tuple(at[index] for index in output)] += product
    return total


@pytest.mark.parametrize(("spec", "shapes", "sizes"), ALL)
def test_output_equals_the_loop(
    spec: str, shapes: Shapes, sizes: dict[str, int]
) -> None:
    arrays = draw(shapes)
    output = oracle.einsum(spec, arrays, sizes)
    expected = literal(spec, arrays, sizes)
    assert output.shape == expected.shape
    assert np.array_equal(output, expected)


@pytest.mark.parametrize(("spec", "shapes", "sizes"), ALL)
def test_gradient_at_p_is_the_product_with_a_unit_tensor_at_p(
    spec: str, shapes: Shapes, sizes: dict[str, int]
) -> None:
    arrays = draw(shapes)
    grad = cotangent(spec, arrays, sizes)
    found = oracle.gradients(spec, arrays, grad, sizes)
    for place, gradient in enumerate(found):
        assert gradient.shape == arrays[place].shape
        for p in np.ndindex(gradient.shape):
            unit = np.zeros(gradient.shape, np.int64)
            unit[p] = 1
            others = [*arrays[:place], unit, *arrays[place + 1 :]]
            output = oracle.einsum(spec, others, sizes)
            assert gradient[p] == (grad * output).sum()


@pytest.mark.parametrize(("spec", "shapes", "sizes"), ALL)
def test_jvp_sums_over_the_places(
    spec: str, shapes: Shapes, sizes: dict[str, int]
) -> None:
    arrays, tangents = draw(shapes), draw(shapes, complex_=True)
    expected = sum(
        oracle.einsum(spec, [*arrays[:k], t, *arrays[k + 1 :]], sizes)
        for k, t in enumerate(tangents)
    )
    assert np.array_equal(oracle.jvp(spec, arrays, tangents, sizes), expected)


@pytest.mark.parametrize("conjugate", [False, True])
@pytest.mark.parametrize(("spec", "shapes", "sizes"), ALL)
def test_hvp_sums_over_the_other_places(
    spec: str, shapes: Shapes, sizes: dict[str, int], conjugate: bool
) -> None:
    arrays, tangents = draw(shapes, complex_=True), draw(shapes, complex_=True)
    tangents = [tangent * (2 - 1j) + 1 for tangent in tangents]
    grad = cotangent(spec, arrays, sizes) * (1 + 3j)
    expected = [np.zeros(shape) for shape in shapes]
    for q, tangent in enumerate(tangents):
        moved = [*arrays[:q], tangent, *arrays[q + 1 :]]
        each = oracle.gradients(spec, moved, grad, sizes, conjugate=conjugate)
        for p in set(range(len(arrays))) - {q}:
            expected[p] = expected[p] + each[p]
    found = oracle.hvp(spec, arrays, grad, tangents, sizes, conjugate=conjugate)
    for product, total, array in zip(found, expected, arrays, strict=True):
        assert product.shape == array.shape
        assert np.array_equal(product, total)


@pytest.mark.parametrize(("spec", "shapes", "sizes"), ALL)
def test_hessians_are_symmetric(
    spec: str, shapes: Shapes, sizes: dict[str, int]
) -> None:
    arrays, along = draw(shapes), draw(shapes, complex_=True)
    one, other = [a.real for a in along], [a.imag for a in along]
    grad = cotangent(spec, arrays, sizes)
    there = oracle.hvp(spec, arrays, grad, one, sizes)
    back = oracle.hvp(spec, arrays, grad, other, sizes)
    pairs = zip(there, other, back, one, strict=True)
    assert sum((p * t).sum() - (q * u).sum() for p, t, q, u in pairs) == 0


@pytest.mark.parametrize("spec", [spec for spec, *_ in ALL])
def test_what_is_split_can_be_written(spec: str) -> None:
    assert oracle.written(*oracle.split(spec)) == spec


@pytest.mark.parametrize(("spec", "shapes", "sizes"), ALL)
def test_adjoint_identity_is_exact_on_gaussian_integers(
    spec: str, shapes: Shapes, sizes: dict[str, int]
) -> None:
    arrays = draw(shapes, complex_=True)
    tangents = [array.conj() * (2 - 1j) + 1 for array in arrays]
    grad = cotangent(spec, arrays, sizes) * (1 + 3j)
    found = oracle.gradients(spec, arrays, grad, sizes, conjugate=True)
    left = np.vdot(grad, oracle.jvp(spec, arrays, tangents, sizes)).real
    pairs = zip(found, tangents, strict=True)
    assert left == sum(np.vdot(gradient, t).real for gradient, t in pairs)


# The hard cases of the semantics: each gradient written out by hand.  x, y, z are the
# operands and g the cotangent.
HARD: list[tuple[str, Shapes, list[str]]] = [
    (
        "abc,cd->ad",
        ((2, 3, 4), (4, 5)),
        ["np.stack([g @ y.T] * 3, 1)", "x.sum(1).T @ g"],
    ),
    (
        "ab,cd->ad",
        ((2, 3), (4, 5)),
        [
            "np.stack([g @ y.sum(0)] * 3, 1)",
            "np.stack([x.sum(1) @ g] * 4, 0)",
        ],
    ),
    ("ij->", ((3, 4),), ["np.full((3, 4), g)"]),
    ("ii->", ((4, 4),), ["g * np.eye(4, dtype=int)"]),
    ("iij->ij", ((2, 2, 3),), ["np.stack([g[0] * [[1], [0]], g[1] * [[0], [1]]])"]),
    (
        "iij,k->i",
        ((2, 2, 3), (4,)),
        [
            "np.stack([np.diag(g) * y.sum()] * 3, 2)",
            "np.full(4, g[0] * x[0, 0].sum() + g[1] * x[1, 1].sum())",
        ],
    ),
    (
        "ij,ij->ij",
        ((3, 1), (3, 4)),
        ["(g * y).sum(1, keepdims=True)", "g * x"],
    ),
    (
        "ij,jk->ik",
        ((2, 1), (3, 4)),
        ["(g @ y.sum(0))[:, None]", "np.stack([x[:, 0] @ g] * 3)"],
    ),
    (
        "ij,i->",
        ((1, 4), (3,)),
        ["np.full((1, 4), g * y.sum())", "np.full(3, g * x.sum())"],
    ),
    (
        "...i,...i->i",
        ((2, 3), (2, 3)),
        ["g * y", "g * x"],
    ),
    ("i->ii", ((3,),), ["np.diag(g)"]),
    (
        "ij,j->iij",
        ((2, 3), (3,)),
        ["g[[0, 1], [0, 1]] * y", "(g[[0, 1], [0, 1]] * x).sum(0)"],
    ),
    (",ij->ij", ((), (2, 3)), ["np.sum(g * y)", "g * x"]),
    ("->", ((),), ["g"]),
    ("i,i->i", ((1,), (0,)), ["np.zeros(1)", "np.zeros(0)"]),
    ("ij,jk->ik", ((2, 0), (0, 3)), ["np.zeros((2, 0))", "np.zeros((0, 3))"]),
]


@pytest.mark.parametrize(("spec", "shapes", "formulas"), HARD)
def test_hard_cases(spec: str, shapes: Shapes, formulas: list[str]) -> None:
    arrays = draw(shapes)
    grad = cotangent(spec, arrays, {})
    names = dict(zip("xyz", arrays, strict=False)) | {"g": grad, "np": np}
    found = oracle.gradients(spec, arrays, grad)
    for gradient, array, formula in zip(found, arrays, formulas, strict=True):
        assert gradient.shape == array.shape
        assert np.array_equal(gradient, eval(formula, names))


def test_gradients_of_operands_with_repeated_indices() -> None:
    # ijji,kji,jj->kj
    x, y, z = draw(((2, 3, 3, 2), (4, 3, 2), (3, 3)))
    (g,) = draw(((4, 3),))
    grad_x, grad_y, grad_z = np.zeros_like(x), np.zeros_like(y), np.zeros_like(z)
    for i, j, k in itertools.product(range(2), range(3), range(4)):
        grad_x[i, j, j, i] += g[k, j] * y[k, j, i] * z[j, j]
        grad_y[k, j, i] += g[k, j] * x[i, j, j, i] * z[j, j]
        grad_z[j, j] += g[k, j] * x[i, j, j, i] * y[k, j, i]
    found = oracle.gradients("ijji,kji,jj->kj", [x, y, z], g)
    for gradient, expected in zip(found, (grad_x, grad_y, grad_z), strict=True):
        assert np.array_equal(gradient, expected)


def test_ellipsis_of_unlike_ranks() -> None:
    x, y = draw(((4, 1, 2, 3), (5, 3)))
    g = draw(((4, 5, 2),))[0]
    grad_x, grad_y = oracle.gradients("...ij,...j->...i", [x, y], g)
    # aqij,qj->aqi with q of size 1 in x
    assert np.array_equal(grad_x, np.einsum("aqi,qj->aij", g, y)[:, None])
    assert np.array_equal(grad_y, np.einsum("aqi,aij->qj", g, x[:, 0]))


def test_conjugation() -> None:
    x, y = draw(((2, 3), (3, 4)), complex_=True)
    g = draw(((2, 4),), complex_=True)[0]
    plain = oracle.gradients("ij,jk->ik", [x, y], g)
    assert np.array_equal(plain[0], g @ y.T)
    adjoint = oracle.gradients("ij,jk->ik", [x, y], g, conjugate=True)
    assert np.array_equal(adjoint[0], g @ y.conj().T)
    assert np.array_equal(adjoint[1], x.conj().T @ g)


def test_gradient_of_a_real_operand_is_the_real_part() -> None:
    x, (y,) = draw(((2, 3),))[0], draw(((3, 4),), complex_=True)
    g = draw(((2, 4),), complex_=True)[0]
    grad_x, _ = oracle.gradients("ij,jk->ik", [x, y], g, conjugate=True)
    assert grad_x.dtype == np.float64
    assert np.array_equal(grad_x, (g @ y.conj().T).real)


def test_no_limit_on_indices_or_operands() -> None:
    letters = [chr(0x4E00 + k) for k in range(201)]
    chain = ",".join(a + b for a, b in itertools.pairwise(letters))
    spec = f"{chain}->{letters[0]}{letters[-1]}"
    matrices = draw(((3, 2), (2, 2), *[(1, 1)] * 196, (2, 3), (3, 2)))
    matrices[2:198] = [np.ones((1, 1), np.int64)] * 196
    # The size 1 of the middle broadcasts: every row and column counts.
    left, right = matrices[0] @ matrices[1].sum(1), matrices[198].sum(0) @ matrices[199]
    assert np.array_equal(oracle.einsum(spec, matrices), np.outer(left, right))


def test_sizes_that_disagree_are_refused() -> None:
    with pytest.raises(ValueError, match="index 'j' has sizes 3 and 4"):
        oracle.einsum("ij,jk->ik", [np.ones((2, 3)), np.ones((4, 5))])


def test_gradients_without_operands_broadcast_over_new_indices() -> None:
    (grad,) = oracle.gradients("->ij", [np.array(2)], np.ones((2, 3)), {"i": 2, "j": 3})
    assert grad.shape == ()
    assert grad == math.prod((2, 3))


def test_nothing_of_the_generator_is_imported() -> None:
    assert "from ." not in Path(oracle.__file__).read_text("utf-8")
