"""The digits: 1,797 handwritten ones that ship with scikit-learn, 8 x 8 pixels each.

E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine
Learning Repository, 1998.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from kernels import resample

Array = NDArray[Any]

SIDE = 8


@dataclass(frozen=True)
class Digits:
    """Images and what they show.

    images: (n, 64), float32 from 0 (paper) to 1 (ink)
    labels: (n,), integers from 0 to 9
    """

    images: Array
    labels: Array

    def __len__(self) -> int:
        return len(self.labels)

    def pick(self, places: Array) -> Digits:
        """Return the digits at these places."""
        return Digits(self.images[places], self.labels[places])


def load() -> Digits:
    """Return all the digits."""
    images, labels = load_digits(return_X_y=True)
    return Digits((images / 16).astype(np.float32), labels)


def split(digits: Digits, rng: np.random.Generator) -> tuple[Digits, Digits]:
    """Put four fifths aside to train with, and one fifth to test with."""
    places = rng.permutation(len(digits))
    count = len(digits) // 5
    return digits.pick(places[count:]), digits.pick(places[:count])


def moved(images: Array, rng: np.random.Generator) -> Array:
    """Move each image by up to half a pixel each way, so that no two epochs are alike.

    Linear interpolation is an einsum: moved[b,r,c] = sum rows[b,r,y] images[b,y,x]
    columns[b,c,x], where rows and columns hold the weights of the pixels nearby.
    """
    rows, columns = _nearby(len(images), rng), _nearby(len(images), rng)
    squares = images.reshape(-1, SIDE, SIDE)
    return resample.forward(rows, squares, columns).reshape(images.shape)


def _nearby(count: int, rng: np.random.Generator) -> Array:
    """Return the weights of (image, pixel to write, pixel to read)."""
    pixels = np.arange(SIDE, dtype=np.float32)
    offsets = rng.uniform(-0.5, 0.5, (count, 1, 1)).astype(np.float32)
    weights: Array = 1 - np.abs(pixels[:, None] + offsets - pixels)
    return weights.clip(min=0)
