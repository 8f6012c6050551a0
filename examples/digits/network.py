"""The network: pixels -> linear + leaky ReLU -> linear + GELU -> linear -> logits.

Each layer is one generated kernel.  ``vjp`` runs it and returns its pullback, which
takes the gradient of the loss from the layer's output to its input and parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from kernels import linear, linear_gelu, linear_leaky_relu

Array = NDArray[Any]

# Pixels, two hidden layers, and a logit for each digit.  The wider layer has the
# activation that costs less.
WIDTHS = (64, 256, 128, 10)


class Network:
    """Three layers, whose parameters lie one after the other in one vector.

    vector: (p,), what an optimizer changes
    layers: for each layer its weight (i, j) and its bias (j,), as views of the vector
    """

    def __init__(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> None:
        """Draw weights of variance 2 / i (He et al., ICCV 2015); biases are 0."""
        shapes = list(pairwise(WIDTHS))
        self.vector = np.zeros(sum(i * j + j for i, j in shapes), dtype)
        self.layers: list[tuple[Array, Array]] = []
        begin = 0
        for i, j in shapes:
            weight, bias = np.split(self.vector[begin : begin + i * j + j], [i * j])
            weight[:] = rng.standard_normal(i * j) * np.sqrt(2 / i)
            self.layers.append((weight.reshape(i, j), bias))
            begin += i * j + j

    def logits(self, x: Array) -> Array:
        """Return the logits (b, 10) of images (b, 64)."""
        first, second, third = self.layers
        y = linear_leaky_relu.forward(x, *first)
        y = linear_gelu.forward(y, *second)
        return linear.forward(y, *third)

    def loss_and_gradient(self, x: Array, labels: Array) -> tuple[float, Array]:
        """Return the mean loss over a batch, and its gradient, laid out as ``vector``.

        x: (b, 64); labels: (b,)
        """
        first, second, third = self.layers
        y, pull_first = linear_leaky_relu.vjp(x, *first)
        y, pull_second = linear_gelu.vjp(y, *second)
        y, pull_third = linear.vjp(y, *third)
        loss, grad = cross_entropy(y, labels)
        grad, *of_third = pull_third(grad)
        grad, *of_second = pull_second(grad)
        of_first = pull_first(grad)
        return loss, _joined([*of_first, *of_second, *of_third])


def cross_entropy(logits: Array, labels: Array) -> tuple[float, Array]:
    """Return the mean of -log softmax(logits)[label], and its gradient.

    logits: (b, j); labels: (b,)
    The gradient is (softmax(logits) - 1 at the label, 0 elsewhere) / b: (b, j).
    """
    logs = log_softmax(logits)
    at_label = np.arange(len(labels)), labels
    loss = -float(logs[at_label].mean())
    grad = np.exp(logs)
    grad[at_label] -= 1
    grad /= len(labels)
    return loss, grad


def log_softmax(logits: Array) -> Array:
    """Return the logarithms of the probabilities that logits stand for: (b, j)."""
    # Softmax stays the same if a row is shifted, and no exp(z <= 0) overflows.
    shifted: Array = logits - logits.max(axis=1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shifted


def _joined(arrays: Sequence[Array]) -> Array:
    """Lay arrays one after the other in one vector."""
    return np.concatenate([array.ravel() for array in arrays])
