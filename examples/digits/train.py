"""Train a network on handwritten digits with NumPy and generated kernels.

    python examples/digits/train.py

It takes a few seconds, and draws how the loss fell and which digits are misread.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

try:
    import numpy as np
    from threadpoolctl import threadpool_limits
    from tqdm import tqdm

    from digits import load, split
    from network import Network, cross_entropy
    from pictures import draw_losses, draw_misread
    from training import Schedule, accuracy, train
except ModuleNotFoundError as missing:
    raise SystemExit(
        f"error: {missing}\n  pip install matplotlib scikit-learn tqdm"
    ) from missing

PICTURES = Path(__file__).with_name("pictures")


def main() -> None:
    """Train, test, and draw."""
    arguments = parsed()
    schedule = Schedule(epochs=arguments.epochs)
    # Everything random comes from here: the split, the weights, the order of images.
    rng = np.random.default_rng(arguments.seed)
    training, test = split(load(), rng)
    network = Network(rng)
    print(
        f"{len(training)} digits to train with, {len(test)} to test with, "
        f"{network.vector.size:,} parameters"
    )

    losses: list[float] = []
    tested: list[float] = []
    per_epoch = schedule.steps(training)
    begin = time.perf_counter()
    bar = tqdm(total=schedule.epochs * per_epoch, unit=" steps", disable=None)
    # Matrices as small as these are slower on two threads than on one.
    with threadpool_limits(1), bar:
        for loss in train(network, training, schedule, rng):
            losses.append(loss)
            bar.update()
            if len(losses) % per_epoch == 0:
                loss, _ = cross_entropy(network.logits(test.images), test.labels)
                tested.append(loss)
                bar.set_postfix(test=f"{accuracy(network, test):.2%}")
    seconds = time.perf_counter() - begin

    right = accuracy(network, test)
    count = round((1 - right) * len(test))
    print(f"trained for {schedule.epochs} epochs in {seconds:.1f} s")
    print(f"test accuracy {right:.2%}: {count} of {len(test)} digits misread")
    folder = arguments.pictures
    folder.mkdir(parents=True, exist_ok=True)
    title = f"Loss while training: {right:.1%} of the test digits are read right"
    draw_losses(folder / "loss.png", losses, tested, title)
    title = f"Misread: {count} of {len(test)} test digits"
    draw_misread(folder / "misread.png", network, test, title)
    print(f"pictures: {shown(folder / 'loss.png')}, {shown(folder / 'misread.png')}")


def shown(path: Path) -> str:
    """Write a path as it is from here."""
    return os.path.relpath(path)


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=Schedule.epochs)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pictures", type=Path, default=PICTURES, metavar="FOLDER")
    arguments = parser.parse_args()
    if arguments.epochs < 1:
        parser.error("--epochs must be 1 or more")
    return arguments


if __name__ == "__main__":
    main()
