"""How arrays are added up: by np.einsum, or as products with ones, in stages."""

from __future__ import annotations

import numpy as np
import pytest
from exact import integers

import eingrad
from eingrad import oracle
from eingrad.loading import load_text

WRITTEN = [
    ("ij->i", (40, 50), "output = a.dot(np.ones(n_j, a.dtype))"),
    ("ij->j", (40, 50), "output = np.ones(n_i, a.dtype).dot(a)"),
    ("ijk->ik", (10, 10, 100), "output = np.matmul(np.ones(n_j, a.dtype), a)"),
    # It stays in memory as it comes, and is only seen in the order asked for.
    ("ijk->ki", (10, 10, 100), "output = np.matmul(np.ones(n_j, a.dtype), a).T"),
    # As many ones as entries, or few entries at a time, are no gain.
    ("i->", (1_000_000,), 'output = np.asarray(np.einsum("i->", a), a.dtype)'),
    ("ijk->ik", (500, 3, 3), 'output = np.einsum("ijk->ik", a)'),
    ("ijkl->j", (5, 17, 7, 100), 'output = np.einsum("ijkl->j", a)'),
    ("ijkl->kl", (9, 9, 9, 9), "output = output.reshape(n_k, n_l)"),
    # Short runs are added up last, when there are fewer.
    ("ijkl->ik", (12, 100, 5, 3), "sum_a = sum_a.reshape(n_i, n_k, n_l)"),
]


@pytest.mark.parametrize("dtype", ["int32", "float32", "complex128"])
@pytest.mark.parametrize(("spec", "shape", "line"), WRITTEN)
def test_sums(spec: str, shape: tuple[int, ...], line: str, dtype: str) -> None:
    text = eingrad.generate(spec, shapes=[shape])
    assert f"    {line}\n" in text
    emitted = load_text(text, "emitted")
    rng = np.random.default_rng(0)
    x = integers(rng, shape, dtype)
    output, pullback = emitted.vjp(x)
    np.testing.assert_array_equal(output, oracle.einsum(spec, [x], {}))
    assert output.dtype == dtype
    grad = integers(rng, output.shape, dtype)
    (expected,) = oracle.gradients(spec, [x], grad, {})
    np.testing.assert_array_equal(pullback(grad)[0], expected)


@pytest.mark.parametrize("spec", ["i->", "ij->"])
def test_the_sum_of_all_entries_is_taken_for_one_of_many(spec: str) -> None:
    text = eingrad.generate(spec)
    assert f'output: Array = np.asarray(np.einsum("{spec}", a), a.dtype)' in text
