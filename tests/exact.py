"""Arrays of small integers in every layout, and comparison to the last bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eingrad import oracle

Array = NDArray[Any]
Shape = tuple[int, ...]


def integers(
    rng: np.random.Generator, shape: Shape, dtype: str = "int64", reach: int = 3
) -> Array:
    """Draw integers from -reach to reach, carried in ``dtype``; Gaussian if complex."""
    array = rng.integers(-reach, reach + 1, shape).astype(dtype)
    if array.dtype.kind == "c":
        array = array + 1j * rng.integers(-reach, reach + 1, shape)
    return np.asarray(array)


def _strided(array: Array) -> Array:
    return np.repeat(array, 2, axis=-1)[..., ::2] if array.ndim else array


def _reversed(array: Array) -> Array:
    turn = (slice(None, None, -1),) * array.ndim
    return array[turn].copy()[turn] if array.ndim else array


def _fortran(array: Array) -> Array:
    return np.asfortranarray(array) if array.ndim else array


def _broadcast(array: Array) -> Array:
    """Repeat the first entry along the first axis, with a stride of 0."""
    return np.broadcast_to(array[:1], array.shape) if array.ndim else array


def _read_only(array: Array) -> Array:
    array = array.copy()
    array.flags.writeable = False
    return array


LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "plain": np.array,
    "strided": _strided,
    "reversed": _reversed,
    "Fortran": _fortran,
    "broadcast": _broadcast,
    "read-only": _read_only,
}


@dataclass(frozen=True)
class Case:
    """An explicit spec, a name for each place, and a shape for each distinct name."""

    spec: str
    shapes: tuple[Shape, ...]
    names: tuple[str, ...]
    sizes: Mapping[str, int] = field(default_factory=dict)

    @property
    def distinct(self) -> tuple[str, ...]:
        """The names of the arrays, in the order of ``forward``."""
        return tuple(dict.fromkeys(self.names))

    @property
    def index_sizes(self) -> dict[str, int]:
        """The size of every index of the operands."""
        shapes = dict(zip(self.distinct, self.shapes, strict=True))
        terms = zip(self.spec.split("->")[0].split(","), self.names, strict=True)
        return {i: n for t, x in terms for i, n in zip(t, shapes[x], strict=True)}

    def places(self, arrays: Sequence[Array]) -> list[Array]:
        """Return the array of each place."""
        of_name = dict(zip(self.distinct, arrays, strict=True))
        return [of_name[name] for name in self.names]

    def output(self, arrays: Sequence[Array]) -> Array:
        """Compute the output by brute force."""
        return oracle.einsum(self.spec, self.places(arrays), self.sizes)

    def gradients(
        self, arrays: Sequence[Array], grad: Array, *, conjugate: bool
    ) -> list[Array]:
        """Compute the gradient of each array by brute force, summed over its places."""
        each = oracle.gradients(
            self.spec, self.places(arrays), grad, self.sizes, conjugate=conjugate
        )
        named = list(zip(self.names, each, strict=True))
        return [
            np.sum([part for other, part in named if other == name], axis=0)
            for name in self.distinct
        ]

    def tangent(self, arrays: Sequence[Array], tangents: Sequence[Array]) -> Array:
        """Compute the tangent of the output by brute force."""
        return oracle.jvp(
            self.spec, self.places(arrays), self.places(tangents), self.sizes
        )


def case(spec: str, *shapes: Shape, names: str = "", **sizes: int) -> Case:
    """Write a case down; ``names`` is ``"x,x,y"``, or the letters of the places."""
    count = spec.split("->")[0].count(",") + 1
    default = tuple(f"x{k}" for k in range(count))
    return Case(spec, shapes, tuple(names.split(",")) if names else default, sizes)


def compare(
    module: Any, case: Case, arrays: Sequence[Array], *, conjugate: bool, seed: int = 0
) -> None:
    """Assert that all functions of ``module`` equal brute force, and own their results.

    The cotangent and the tangents are drawn; each is given in every layout.
    """
    rng = np.random.default_rng(seed)
    output = case.output(arrays)
    cotangent = integers(rng, output.shape, output.dtype.name)
    tangents = [integers(rng, array.shape, array.dtype.name) for array in arrays]
    for layout in LAYOUTS.values():
        compare_at(
            module,
            case,
            arrays,
            layout(cotangent),
            [layout(tangent) for tangent in tangents],
            conjugate=conjugate,
        )


def compare_at(
    module: Any,
    case: Case,
    arrays: Sequence[Array],
    cotangent: Array,
    tangents: Sequence[Array],
    *,
    conjugate: bool,
) -> None:
    """Compare ``module`` with brute force at these arrays, cotangent and tangents."""
    inputs = [*arrays, cotangent, *tangents]
    before = [array.copy() for array in inputs]
    output = case.output(arrays)
    gradients = case.gradients(arrays, cotangent, conjugate=conjugate)

    assert_result(module.forward(*arrays), output, inputs)
    assert_gradients(module.backward(cotangent, *arrays), gradients, arrays, inputs)
    primal, pullback = module.vjp(*arrays)
    assert_result(primal, output, inputs)
    assert_gradients(pullback(cotangent), gradients, arrays, inputs)
    primal, tangent = module.jvp(arrays, tangents)
    assert_result(primal, output, inputs)
    assert_result(tangent, case.tangent(arrays, tangents), inputs)

    for array, copy in zip(inputs, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def assert_gradients(
    found: tuple[Array, ...],
    expected: Sequence[Array],
    arrays: Sequence[Array],
    inputs: Sequence[Array],
) -> None:
    """Assert a tuple of gradients, each of its operand's dtype if that floats."""
    assert type(found) is tuple
    assert len(found) == len(expected)
    for k, (gradient, array) in enumerate(zip(found, arrays, strict=True)):
        others = [other for n, other in enumerate(found) if n != k]
        assert_result(gradient, expected[k], [*inputs, *others])
        assert gradient.shape == array.shape
        if array.dtype.kind in "fc":
            assert gradient.dtype == array.dtype


def assert_result(found: Array, expected: Any, inputs: Sequence[Array] = ()) -> None:
    """Assert equality to the last bit, in a writable array with memory of its own."""
    assert type(found) is np.ndarray
    assert found.shape == np.shape(expected)
    np.testing.assert_array_equal(found, expected, strict=False)
    assert found.dtype == np.asarray(expected).dtype
    assert found.flags.writeable
    assert not any(np.may_share_memory(found, array) for array in inputs)
