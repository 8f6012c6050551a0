"""Layers in PyTorch and JAX, and their derivatives there; skipped where missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

Array = NDArray[Any]
Arrays = Sequence[Array]


@dataclass(frozen=True)
class Layer:
    """An einsum, a bias of some of the output's subscripts, and an activation.

    The last of the arrays is the bias, if there is one.
    """

    spec: str
    bias: str | None
    activation: str

    def compute(
        self, numbers: Any, functions: Mapping[str, Callable[..., Any]], *arrays: Any
    ) -> Any:
        """Compute the layer with the einsum and the functions of a framework."""
        operands = arrays if self.bias is None else arrays[:-1]
        total = numbers.einsum(self.spec, *operands)
        if self.bias is not None:
            output = self.spec.split("->")[1]
            spread = f"{output},{self.bias}->{output}"
            total = total + numbers.einsum(spread, 0 * total + 1, arrays[-1])
        name, _, parameter = self.activation.partition(":")
        return functions[name](total, *map(float, parameter.split()))


class Torch:
    """PyTorch, in float64."""

    def __init__(self) -> None:
        self.torch = pytest.importorskip("torch")
        nn = self.torch.nn.functional
        self.functions = {
            "gelu": nn.gelu,
            "gelu_tanh": lambda x: nn.gelu(x, approximate="tanh"),
            "leaky_relu": nn.leaky_relu,
            "relu": nn.relu,
            "tanh": self.torch.tanh,
            "sigmoid": self.torch.sigmoid,
            "silu": nn.silu,
            # Above its threshold, by default 20, PyTorch takes x itself.
            "softplus": lambda x: nn.softplus(x, threshold=700),
        }

    def _backward(self, layer: Layer) -> Callable[..., Any]:
        def backward(grad: Any, *arrays: Any) -> Any:
            def forward(*inner: Any) -> Any:
                return layer.compute(self.torch, self.functions, *inner)

            return self.torch.func.vjp(forward, *arrays)[1](grad)

        return backward

    def forward(self, layer: Layer, arrays: Arrays) -> Array:
        """Return the output."""
        tensors = self._tensors(arrays)
        output = layer.compute(self.torch, self.functions, *tensors)
        return np.asarray(output.numpy())

    def _tensors(self, arrays: Arrays) -> tuple[Any, ...]:
        return tuple(map(self.torch.tensor, arrays))

    def backward(self, layer: Layer, grad: Array, arrays: Arrays) -> list[Array]:
        """Return the gradients."""
        found = self._backward(layer)(*self._tensors([grad, *arrays]))
        return [gradient.numpy() for gradient in found]

    def hvp(
        self, layer: Layer, arrays: Arrays, grad: Array, tangents: Arrays
    ) -> list[Array]:
        """Return the tangents of the gradients, forward over reverse."""
        moved = self._tensors([np.zeros_like(grad), *tangents])
        at = self._tensors([grad, *arrays])
        _, found = self.torch.func.jvp(self._backward(layer), at, moved)
        return [product.numpy() for product in found]

    def double_backward(
        self, layer: Layer, cotangents: Arrays, grad: Array, arrays: Arrays
    ) -> list[Array]:
        """Pull cotangents back through the gradients, reverse over reverse."""
        at = self._tensors([grad, *arrays])
        _, pullback = self.torch.func.vjp(self._backward(layer), *at)
        return [result.numpy() for result in pullback(self._tensors(cotangents))]


class Jax:
    """JAX, in float64."""

    def __init__(self) -> None:
        self.jax = pytest.importorskip("jax")
        self.jax.config.update("jax_enable_x64", True)
        nn = self.jax.nn
        self.functions = {
            "gelu": lambda x: nn.gelu(x, approximate=False),
            "gelu_tanh": lambda x: nn.gelu(x, approximate=True),
            "leaky_relu": nn.leaky_relu,
            "relu": nn.relu,
            "tanh": nn.tanh,
            "sigmoid": nn.sigmoid,
            "silu": nn.silu,
            "softplus": nn.softplus,
        }

    def _backward(self, layer: Layer) -> Callable[..., Any]:
        def backward(grad: Any, *arrays: Any) -> Any:
            def forward(*inner: Any) -> Any:
                return layer.compute(self.jax.numpy, self.functions, *inner)

            return self.jax.vjp(forward, *arrays)[1](grad)

        return backward

    def forward(self, layer: Layer, arrays: Arrays) -> Array:
        """Return the output."""
        return np.asarray(layer.compute(self.jax.numpy, self.functions, *arrays))

    def backward(self, layer: Layer, grad: Array, arrays: Arrays) -> list[Array]:
        """Return the gradients."""
        return list(map(np.asarray, self._backward(layer)(grad, *arrays)))

    def hvp(
        self, layer: Layer, arrays: Arrays, grad: Array, tangents: Arrays
    ) -> list[Array]:
        """Return the tangents of the gradients, forward over reverse."""
        moved = (np.zeros_like(grad), *tangents)
        _, found = self.jax.jvp(self._backward(layer), (grad, *arrays), moved)
        return list(map(np.asarray, found))

    def double_backward(
        self, layer: Layer, cotangents: Arrays, grad: Array, arrays: Arrays
    ) -> list[Array]:
        """Pull cotangents back through the gradients, reverse over reverse."""
        _, pullback = self.jax.vjp(self._backward(layer), grad, *arrays)
        return list(map(np.asarray, pullback(tuple(cotangents))))


FRAMEWORKS = [Torch, Jax]
ACTIVATIONS = [
    *("gelu", "gelu_tanh", "leaky_relu:0.1", "relu", "tanh", "sigmoid", "silu"),
    "softplus",
]

# What frameworks compute too: a spec, a bias, and the shapes of the arrays.
SHARED = [
    ("bi,ij->bj", "j", ((4, 3), (3, 5), (5,))),
    ("bij,bjk->bik", "k", ((2, 4, 3), (2, 3, 5), (5,))),
    ("...i,ij->...j", "j", ((2, 4, 3), (3, 5), (5,))),
    ("...ij,...jk->...ik", "...k", ((2, 4, 3), (2, 3, 5), (2, 5))),
    ("bi->bi", "i", ((4, 3), (3,))),
    ("ii,ij->j", "j", ((3, 3), (3, 5), (5,))),
]


def layers(
    activation: str, biased: bool
) -> list[tuple[Layer, Array, list[Array], list[Array]]]:
    """Return layers, each with a cotangent, arrays and tangents for it.

    The numbers are drawn so that activations bend where they are taken.
    """
    rng = np.random.default_rng(0)

    def drawn(shape: tuple[int, ...]) -> Array:
        return np.asarray(rng.standard_normal(shape))

    found = []
    for spec, bias, shapes in SHARED:
        held = shapes if biased else shapes[:-1]
        arrays, tangents = ([drawn(s) for s in held] for _ in range(2))
        grad = drawn(np.einsum(spec, *arrays[: len(shapes) - 1]).shape)
        layer = Layer(spec, bias if biased else None, activation)
        found.append((layer, grad, arrays, tangents))
    return found


def assert_close(found: Sequence[Array], expected: Sequence[Array]) -> None:
    """Assert that arrays agree as far as float64 goes."""
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)
