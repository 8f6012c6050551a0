"""``out`` and ``accumulate``: results in arrays that the caller has."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import eingrad

Array = NDArray[Any]

# Every way in which a result comes to be: products, views, sums, diagonals, scalars.
SPECS = [
    ("ij,jk->ik", "2x3,3x4"),
    ("ij,jk->ki", "2x3,3x4"),
    ("ij,kj->ik", "2x3,4x3"),
    ("bij,bjk->bik", "2x3x4,2x4x5"),
    ("bqhd,bkhd->bhqk", "2x3x4x5,2x6x4x5"),
    ("ijk,jl->ilk", "2x3x4,3x5"),
    ("i,j->ij", "3,4"),
    ("i,j->ji", "3,4"),
    ("ij->ji", "300x500"),
    ("ijkl->lkji", "2x3x4x5"),
    ("ij->ij", "3x4"),
    ("ij->i", "3x4"),
    ("ij->", "3x4"),
    ("ii->i", "3x3"),
    ("i->ii", "3"),
    ("ij,j->iij", "2x3,3"),
    ("i,i->", "4,4"),
    (",ij->ij", ",3x4"),
    ("ij,ij->ij", "3x4,3x4"),
    ("ij,ji->ij", "3x4,4x3"),
    ("ijk,ijk->k", "2x3x4,2x3x4"),
    ("abc,cd->ad", "2x3x4,4x5"),
    ("ij,jk,kl->il", "2x3,3x4,4x5"),
    ("ir,jr,kr->ijk", "3x2,4x2,5x2"),
    ("...ij,...jk->...ik", "2x2x3,2x3x4"),
]


class Kernel:
    """A module with arrays of small integers, and what it returns without ``out``."""

    def __init__(self, spec: str, shapes: str, **options: Any) -> None:
        rng = np.random.default_rng(0)
        self.module: ModuleType = eingrad.load(spec, **options)
        read = [[int(n) for n in s.split("x") if n] for s in shapes.split(",")]
        self.operands = [rng.integers(-9, 10, s).astype(np.float64) for s in read]
        self.output: Array = self.module.forward(*self.operands)
        self.grad = rng.integers(-9, 10, self.output.shape).astype(np.float64)
        self.gradients = self.module.backward(self.grad, *self.operands)


@pytest.fixture(params=SPECS, ids=lambda row: row[0])
def kernel(request: pytest.FixtureRequest) -> Kernel:
    return Kernel(*request.param)


def fresh(shape: tuple[int, ...]) -> Array:
    return np.full(shape, np.nan)


def transposed(shape: tuple[int, ...]) -> Array:
    return np.full(shape[::-1], np.nan).T


def strided(shape: tuple[int, ...]) -> Array:
    return np.full((*shape, 2), np.nan)[..., 0]


def single(shape: tuple[int, ...]) -> Array:
    return np.full(shape, np.nan, np.float32)


def imaginary(shape: tuple[int, ...]) -> Array:
    return np.full(shape, np.nan, np.complex128)


MAKES = [fresh, transposed, strided, single, imaginary]


@pytest.mark.parametrize("make", MAKES)
def test_results_are_written_into_out(
    kernel: Kernel, make: Callable[[tuple[int, ...]], Array]
) -> None:
    out = make(kernel.output.shape)
    assert kernel.module.forward(*kernel.operands, out=out) is out
    np.testing.assert_array_equal(out, kernel.output)
    given = [make(x.shape) for x in kernel.operands]
    found = kernel.module.backward(kernel.grad, *kernel.operands, out=given)
    for one, place, wanted in zip(found, given, kernel.gradients, strict=True):
        assert one is place
        np.testing.assert_array_equal(place, wanted)


@pytest.mark.parametrize("make", [fresh, transposed])
def test_gradients_accumulate(
    kernel: Kernel, make: Callable[[tuple[int, ...]], Array]
) -> None:
    given = tuple(make(x.shape) for x in kernel.operands)
    for k, place in enumerate(given):
        place[...] = k
    kernel.module.backward(kernel.grad, *kernel.operands, out=given, accumulate=True)
    for k, (place, wanted) in enumerate(zip(given, kernel.gradients, strict=True)):
        np.testing.assert_array_equal(place, wanted + k)


def test_out_may_be_the_operands(kernel: Kernel) -> None:
    """Whatever is written first, everything was read before."""
    copies = [x.copy() for x in kernel.operands]
    found = kernel.module.backward(kernel.grad, *copies, out=copies)
    for one, wanted in zip(found, kernel.gradients, strict=True):
        np.testing.assert_array_equal(one, wanted)
    for k, x in enumerate(kernel.operands):
        if x.shape == kernel.output.shape:
            copies = [x.copy() for x in kernel.operands]
            kernel.module.forward(*copies, out=copies[k])
            np.testing.assert_array_equal(copies[k], kernel.output)


def test_out_may_overlap_in_part() -> None:
    kernel = Kernel("i,i->i", "4,4")
    buffer = np.zeros(6)
    buffer[:4] = kernel.operands[0]
    kernel.module.forward(buffer[:4], kernel.operands[1], out=buffer[2:])
    np.testing.assert_array_equal(buffer[2:], kernel.output)
    buffer[:4] = kernel.grad
    given = (buffer[1:5], None)
    first, second = kernel.module.backward(buffer[:4], *kernel.operands, out=given)
    np.testing.assert_array_equal(buffer[1:5], kernel.gradients[0])
    np.testing.assert_array_equal(second, kernel.gradients[1])
    assert first is given[0]


def test_none_is_a_new_array(kernel: Kernel) -> None:
    nothing = [None] * len(kernel.operands)
    for accumulate in (False, True):
        found = kernel.module.backward(
            kernel.grad, *kernel.operands, out=nothing, accumulate=accumulate
        )
        for one, wanted in zip(found, kernel.gradients, strict=True):
            np.testing.assert_array_equal(one, wanted)


def test_memory_is_that_of_out() -> None:
    """What is large and can be computed in place is not computed elsewhere."""
    import tracemalloc

    for spec, shape in (("ij,ij->ij", (1000, 1000)), ("ij,jk->ik", (1000, 1000))):
        module = eingrad.load(spec)
        operands = [np.ones(shape) for _ in module.OPERANDS]
        out = np.empty(shape)
        module.forward(*operands, out=out)
        tracemalloc.start()
        module.forward(*operands, out=out)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < out.nbytes / 50


@pytest.mark.parametrize("bias", [None, "j"])
@pytest.mark.parametrize("activation", [None, "relu"])
def test_layers(bias: str | None, activation: str | None) -> None:
    shapes = "2x3,3x4" + (",4" if bias else "")
    kernel = Kernel("bi,ij->bj", shapes, bias=bias, activation=activation)
    out = fresh(kernel.output.shape)
    assert kernel.module.forward(*kernel.operands, out=out) is out
    np.testing.assert_array_equal(out, kernel.output)
    given = [fresh(x.shape) for x in kernel.operands]
    kernel.module.backward(kernel.grad, *kernel.operands, out=given)
    for place, wanted in zip(given, kernel.gradients, strict=True):
        np.testing.assert_array_equal(place, wanted)


def test_broadcast_operands_and_mixed_dtypes() -> None:
    module = eingrad.load("ij,jk->ik")
    x, y = np.array([[1.0], [2.0]]), np.arange(12).reshape(3, 4)
    out = fresh((2, 4))
    assert module.forward(x, y, out=out) is out
    np.testing.assert_array_equal(out, module.forward(x, y))
    given = (fresh((2, 1)), fresh((3, 4)))
    wanted = module.backward(np.ones((2, 4)), x, y)
    module.backward(np.ones((2, 4)), x, y, out=given)
    for place, gradient in zip(given, wanted, strict=True):
        np.testing.assert_array_equal(place, gradient)


X, Y, G = np.ones((2, 3)), np.ones((3, 4)), np.ones((2, 4))
ROOM = np.zeros((3, 4))
EACH = "out is a sequence of an array or None for each of ('a', 'b')"
WANTED = "must be an array of shape"

# (a call, its error)
ERRORS: list[tuple[Callable[[Any], object], str]] = [
    (
        lambda m: m.forward(X, Y, out=np.zeros((4, 2))),
        f"out for the output {WANTED} (2, 4), got ndarray of shape (4, 2)",
    ),
    (
        lambda m: m.forward(X, Y, out=[[0.0] * 4] * 2),
        f"out for the output {WANTED} (2, 4), got list of shape (2, 4)",
    ),
    (
        lambda m: m.forward(X, Y, out=np.zeros((2, 4), int)),
        "out for the output has dtype int64, which cannot hold float64",
    ),
    (
        lambda m: m.forward(X, Y, out=np.broadcast_to(0.0, (2, 4))),
        "out for the output is read-only",
    ),
    (
        lambda m: m.backward(G, X, Y, out=(None,)),
        f"{EACH}, got tuple of 1",
    ),
    (
        lambda m: m.backward(G, X, Y, out={"a": None}),
        f"{EACH}, got dict of 1",
    ),
    (
        lambda m: m.backward(G, X, Y, out=(None, X)),
        f"out for the gradient of 'b' {WANTED} (3, 4), got ndarray of shape (2, 3)",
    ),
    (
        lambda m: m.backward(G, X, Y, out=(ROOM[:2, :3], ROOM)),
        "two arrays of out share memory",
    ),
    (
        lambda m: m.backward(G, X, Y, accumulate=True),
        "accumulate adds to the arrays of out, and there are none",
    ),
]


@pytest.mark.parametrize("refused", [np.zeros((4, 3)), [[0.0] * 4] * 3, 1.0])
def test_nothing_is_written_where_an_array_is_refused(refused: Any) -> None:
    room = np.zeros((2, 3))
    module = eingrad.load("ij,jk->ik")
    with pytest.raises(ValueError, match="out for the gradient of 'b' must be an arr"):
        module.backward(G, X, Y, out=(room, refused))
    assert not room.any()


def test_nothing_is_written_into_one_array_for_two() -> None:
    room = np.zeros(3)
    with pytest.raises(ValueError, match="two arrays of out share memory"):
        eingrad.load("i,i->i").backward(*np.ones((3, 3)), out=[room, room])
    assert not room.any()


@pytest.mark.parametrize(("call", "error"), ERRORS)
def test_errors(call: Callable[[Any], object], error: str) -> None:
    with pytest.raises(ValueError) as caught:
        call(eingrad.load("ij,jk->ik"))
    assert str(caught.value) == error
