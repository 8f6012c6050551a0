"""Products with one long side, in blocks that OpenBLAS reads in place."""

from __future__ import annotations

import math
import os
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from exact import integers

import eingrad
from eingrad import cost

# The shapes, and how many products are computed at once, and then of the rest.
SHAPES = [
    ((4000, 50), (50, 50), (10, 0)),
    ((4096, 64), (64, 64), (17, 1)),
    ((5, 700, 30), (5, 30, 64), (10, 0)),
    ((2, 3, 501, 20), (3, 20, 128), (12, 6)),
    ((2, 1, 500, 40), (3, 40, 128), (18, 6)),
    ((1000, 3), (3, 2000), (6, 1)),
    ((50, 4000), (4000, 50), (10, 0)),
    ((64, 4096), (4096, 64), (17, 1)),
    ((3, 24, 5001), (3, 5001, 20), (9, 0)),
    ((24, 5000), (3, 5000, 20), (9, 3)),
]
WHOLE = [
    ((100, 64), (64, 64)),
    ((2000, 128), (128, 128)),
    ((64, 64), (64, 4096)),
    ((0, 64), (64, 64)),
    ((5000, 0), (0, 64)),
]


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Load a kernel of which every product has a long side, as if on one thread."""
    loaded = eingrad.load("ij,jk->ik", sizes={"i": 4096, "j": 64, "k": 64})
    monkeypatch.setattr(loaded, "_ONE_THREAD", True)
    return loaded


@pytest.fixture
def volumes(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Note the multiply-adds of every product of two matrices."""
    noted = []
    matmul = np.matmul

    def spy(a: Any, b: Any, **options: Any) -> Any:
        found = matmul(a, b, **options)
        each = math.prod(a.shape[-2:]) * b.shape[-1]
        noted.append([each] * math.prod(found.shape[:-2]))
        return found

    monkeypatch.setattr(np, "matmul", spy)
    return noted


def drawn(*shapes: tuple[int, ...], dtype: str = "float64") -> list[Any]:
    rng = np.random.default_rng(0)
    return [integers(rng, shape, dtype) for shape in shapes]


@pytest.mark.parametrize("layout", ["C", "transposed", "reversed"])
@pytest.mark.parametrize(("left", "right", "products"), SHAPES)
def test_products_in_blocks_are_exact(
    module: ModuleType,
    volumes: list[list[int]],
    left: tuple[int, ...],
    right: tuple[int, ...],
    products: tuple[int, int],
    layout: str,
) -> None:
    a, b = drawn(left, right)
    expected = a @ b
    if layout == "transposed":
        a = a.swapaxes(-1, -2).copy().swapaxes(-1, -2)
    if layout == "reversed":
        a = a[..., ::-1].copy()[..., ::-1]
    found = module._in_blocks(a, b)
    np.testing.assert_array_equal(found, expected)
    assert found.flags.c_contiguous
    assert found.flags.owndata
    at_once, rest = (*volumes, [])[:2]
    assert (len(at_once), len(rest)) == products
    assert max(at_once + rest) <= cost.IN_PLACE
    room = np.empty(expected.shape[::-1]).T
    assert module._in_blocks(a, b, out=room) is room
    np.testing.assert_array_equal(room, expected)


@pytest.mark.parametrize(("left", "right"), WHOLE)
def test_others_are_left_whole(
    module: ModuleType,
    volumes: list[list[int]],
    left: tuple[int, ...],
    right: tuple[int, ...],
) -> None:
    a, b = drawn(left, right)
    expected = a @ b
    np.testing.assert_array_equal(module._in_blocks(a, b), expected)
    assert volumes == [[math.prod(left) * right[-1]]]


@pytest.mark.parametrize("dtype", ["int64", "complex128"])
def test_without_kernels_of_blas_in_place_they_are_left_whole(
    module: ModuleType, volumes: list[list[int]], dtype: str
) -> None:
    a, b = drawn((4096, 16), (16, 32), dtype=dtype)
    np.testing.assert_array_equal(module._in_blocks(a, b), a @ b)
    assert volumes == [[4096 * 16 * 32]]


def test_several_threads_share_a_product_that_is_whole(
    module: ModuleType, volumes: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ONE_THREAD", False)
    a, b = drawn((4096, 64), (64, 64))
    np.testing.assert_array_equal(module._in_blocks(a, b), a @ b)
    assert volumes == [[4096 * 64 * 64]]


@pytest.mark.parametrize(
    ("environment", "cores", "one"),
    [
        ({}, 1, True),
        ({}, 2, False),
        ({"OPENBLAS_NUM_THREADS": "1"}, 8, True),
        ({"OMP_NUM_THREADS": "1"}, 8, True),
        ({"OMP_NUM_THREADS": "4"}, 8, False),
        ({"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "4"}, 8, True),
        ({"OPENBLAS_NUM_THREADS": "4", "OMP_NUM_THREADS": "1"}, 8, False),
    ],
)
@pytest.mark.parametrize("has_affinity", [True, False])
def test_the_number_of_threads_is_what_openblas_makes_it(
    module: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    cores: int,
    one: bool,
    has_affinity: bool,
) -> None:
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    if has_affinity:
        cpus = set(range(cores))
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: cpus, raising=False)
        monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert module._has_one_thread() is one


@pytest.mark.parametrize(
    ("sizes", "line"),
    [
        ({"i": 4096, "j": 64, "k": 64}, "_in_blocks(a, b, out=into)"),
        ({"i": 64, "j": 4096, "k": 64}, "_in_blocks(a, b, out=into)"),
        ({"i": 50, "j": 50, "k": 50}, "a.dot(b, out=into)"),
        ({"i": 512, "j": 512, "k": 512}, "np.matmul(a, b, out=into)"),
        ({}, "a.dot(b, out=into)"),
    ],
)
def test_products_with_a_long_side_are_written_in_blocks(
    sizes: dict[str, int], line: str
) -> None:
    assert f"    output: Array = {line}\n" in eingrad.generate("ij,jk->ik", sizes=sizes)


def test_unknown_sizes_are_not_taken_for_long() -> None:
    assert "_in_blocks" not in eingrad.generate("bhwc,co->bhwo")
