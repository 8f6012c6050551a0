"""Pictures of a training: how the loss fell, and which digits the network misreads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from digits import SIDE, Digits
from network import Network, log_softmax

# How many digits to draw side by side, and how many in all.
FEWEST, COLUMNS, MOST = 4, 6, 24


def draw_losses(
    path: Path, losses: Sequence[float], tested: Sequence[float], title: str
) -> None:
    """Draw, epoch by epoch, the losses of the training steps and that of the test."""
    figure = Figure(figsize=(8, 4.5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    epochs = np.arange(1, len(tested) + 1)
    by_epoch = np.reshape(losses, (len(tested), -1))
    lowest, highest = by_epoch.min(axis=1), by_epoch.max(axis=1)
    color = "#2171b5"
    axes.fill_between(epochs, lowest, highest, color=color, alpha=0.2, linewidth=0)
    axes.plot(epochs, by_epoch.mean(axis=1), color=color)
    axes.plot(epochs, tested, color="#d94801")
    axes.legend(
        ["training: all batches of an epoch", "training: their mean", "test"],
        frameon=False,
    )
    axes.set(xlabel="epoch", ylabel="cross-entropy", yscale="log", title=title)
    axes.set_xlim(1, max(2, len(tested)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.grid(alpha=0.3)
    figure.savefig(path)


def draw_misread(path: Path, network: Network, digits: Digits, title: str) -> None:
    """Draw the digits that the network misreads, the surest mistakes first.

    Each has the label above it, and what the network reads with its probability.
    """
    chances = np.exp(log_softmax(network.logits(digits.images)))
    found = chances.argmax(axis=1)
    (wrong,) = np.nonzero(found != digits.labels)
    wrong = wrong[np.argsort(-chances[wrong, found[wrong]])]
    shown = wrong[:MOST]
    columns = min(max(len(shown), FEWEST), COLUMNS)
    rows = max(1, -(-len(shown) // columns))
    figure = Figure(figsize=(1.7 * columns, 2.2 * rows + 0.6), dpi=120)
    figure.set_layout_engine("constrained", h_pad=0.1)
    more = f", the surest {MOST} of them" if len(shown) < len(wrong) else ""
    figure.suptitle(f"{title}{more}")
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.axis("off")
    for axes, place in zip(figure.axes, shown, strict=False):
        square = digits.images[place].reshape(SIDE, SIDE)
        axes.imshow(square, cmap="gray_r", vmin=0, vmax=1)
        read, label = found[place], digits.labels[place]
        sure = chances[place, read]
        axes.set_title(f"a {label}, read as {read}\n({sure:.1%} sure)", fontsize=10)
        axes.axis("on")
        axes.set(xticks=[], yticks=[])
    figure.savefig(path)
