"""Adam: D. P. Kingma and J. Ba, Adam: A Method for Stochastic Optimization, 2015."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Adam:
    """Changes a vector of parameters in place, with algorithm 1 of the paper."""

    betas = (0.9, 0.999)
    epsilon = 1e-8

    def __init__(self, vector: Array) -> None:
        self.vector = vector
        self.steps = 0
        self.mean = np.zeros_like(vector)
        self.square = np.zeros_like(vector)

    def step(self, gradient: Array, rate: float) -> None:
        """Take one step against the gradient of the loss, which is written over."""
        self.steps += 1
        beta_1, beta_2 = self.betas
        # mean = beta_1 mean + (1 - beta_1) gradient, and square alike of gradient².
        self.mean *= beta_1
        self.mean += (1 - beta_1) * gradient
        gradient *= gradient
        gradient *= 1 - beta_2
        self.square *= beta_2
        self.square += gradient
        # Both began at 0: 1 - beta^t is how much of them is not that 0.
        root = np.sqrt(self.square, out=gradient)
        root /= sqrt(1 - beta_2**self.steps)
        root += self.epsilon
        change = np.divide(self.mean, root, out=root)
        change *= rate / (1 - beta_1**self.steps)
        self.vector -= change
