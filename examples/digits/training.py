"""Training: batches in random order, Adam, and a rate that falls to zero."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, pi

import numpy as np

from adam import Adam
from digits import Digits, moved
from network import Network


@dataclass(frozen=True)
class Schedule:
    """How long to train, and how fast.

    An epoch is every image once, but for those that do not fill a batch.
    """

    epochs: int = 60
    batch: int = 64
    rate: float = 2e-3

    def steps(self, digits: Digits) -> int:
        """Count the steps of an epoch."""
        return len(digits) // self.batch


def train(
    network: Network, digits: Digits, schedule: Schedule, rng: np.random.Generator
) -> Iterator[float]:
    """Train the network, and yield the loss of each step."""
    adam = Adam(network.vector)
    per_epoch = schedule.steps(digits)
    total = schedule.epochs * per_epoch
    for _ in range(schedule.epochs):
        # Each epoch sees the images in another order, and a little moved.
        epoch = digits.pick(rng.permutation(len(digits)))
        images = moved(epoch.images, rng)
        for k in range(per_epoch):
            batch = slice(k * schedule.batch, (k + 1) * schedule.batch)
            loss, gradient = network.loss_and_gradient(
                images[batch], epoch.labels[batch]
            )
            # Half a cosine, from the full rate to none.
            falling = (1 + cos(pi * adam.steps / total)) / 2
            adam.step(gradient, schedule.rate * falling)
            yield loss


def accuracy(network: Network, digits: Digits) -> float:
    """Return the part of the digits whose largest logit is that of their label."""
    found = network.logits(digits.images).argmax(axis=1)
    return float((found == digits.labels).mean())
