"""Train the same network in PyTorch, and compare the losses and the time of a step.

    python examples/digits/beside_torch.py [--threads 2]

Both begin with the same weights, see the same batches and take steps of Adam.  The
times are medians over rounds of steps that take turns, so that whatever else the
machine does falls on all alike.  Needs `pip install torch` beside the `examples` extra.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from itertools import cycle, islice
from typing import Any

import numpy as np
import torch
from numpy.typing import DTypeLike
from threadpoolctl import threadpool_limits
from torch.nn import functional

from adam import Adam
from digits import Digits, load, split
from kernels import linear_leaky_relu
from network import Array, Network
from training import Schedule

STEPS = 50
RATE = 1e-3
SLOPE = float(linear_leaky_relu.ACTIVATION.partition(":")[2])

# Takes one step on a batch, and returns its loss.
Step = Callable[[Array, Array], float]


def with_kernels(network: Network) -> Step:
    """Return a step with the generated kernels."""
    adam = Adam(network.vector)

    def step(x: Array, labels: Array) -> float:
        loss, gradient = network.loss_and_gradient(x, labels)
        adam.step(gradient, RATE)
        return loss

    return step


def with_torch(
    network: Network, *, fused: bool = False, compiled: bool = False
) -> Step:
    """Return a step with PyTorch, from the weights that the network has now."""
    arrays = [array for layer in network.layers for array in layer]
    parameters = [torch.tensor(array, requires_grad=True) for array in arrays]
    optimizer = torch.optim.Adam(parameters, lr=RATE, fused=fused)

    def loss_of(x: Any, labels: Any) -> Any:
        w1, b1, w2, b2, w3, b3 = parameters
        y = functional.leaky_relu(torch.addmm(b1, x, w1), SLOPE)
        y = functional.gelu(torch.addmm(b2, y, w2))
        return functional.cross_entropy(torch.addmm(b3, y, w3), labels)

    run = torch.compile(loss_of) if compiled else loss_of

    def step(x: Array, labels: Array) -> float:
        optimizer.zero_grad()
        loss = run(torch.from_numpy(x), torch.from_numpy(labels))
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return step


def batches(digits: Digits, dtype: DTypeLike) -> list[tuple[Array, Array]]:
    """Cut the digits into batches, and leave out those that do not fill one."""
    size = Schedule.batch
    cuts = [slice(k, k + size) for k in range(0, len(digits) - size + 1, size)]
    return [(digits.images[c].astype(dtype), digits.labels[c]) for c in cuts]


def differences(digits: Digits, dtype: DTypeLike) -> Array:
    """Return how far the losses are apart in each of the first steps."""
    network = Network(np.random.default_rng(0), dtype)
    # PyTorch copies the weights before the kernels change them.
    theirs, ours = with_torch(network), with_kernels(network)
    first = list(islice(cycle(batches(digits, dtype)), STEPS))
    return np.array([abs(ours(*batch) - theirs(*batch)) for batch in first])


def medians(steps: Mapping[str, Step], digits: Digits, rounds: int) -> dict[str, float]:
    """Return the median time of a step in seconds; the steps take turns."""
    epoch = batches(digits, np.float32)
    times: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(rounds + 1):
        for name, step in steps.items():
            begin = time.perf_counter()
            for batch in epoch:
                step(*batch)
            # The first round is to warm up.
            if number:
                times[name].append((time.perf_counter() - begin) / len(epoch))
    return {name: statistics.median(taken) for name, taken in times.items()}


def main() -> None:
    """Compare the losses, then the times."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--compile", action="store_true", help="torch.compile, too")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    digits, _ = split(load(), np.random.default_rng(0))
    print(
        f"Python {platform.python_version()}, NumPy {np.__version__}, "
        f"torch {torch.__version__}, {arguments.threads} threads"
    )
    with threadpool_limits(arguments.threads):
        for dtype in (np.float32, np.float64):
            most = differences(digits, dtype).max()
            name = np.dtype(dtype).name
            print(f"{name}: losses of {STEPS} steps differ by at most {most:.0e}")
        network = Network(np.random.default_rng(0))
        steps = {
            "PyTorch": with_torch(network),
            "PyTorch, fused Adam": with_torch(network, fused=True),
        }
        if arguments.compile:
            compiled = with_torch(network, fused=True, compiled=True)
            steps["PyTorch, compiled, fused Adam"] = compiled
        steps = {"generated kernels": with_kernels(network), **steps}
        found = medians(steps, digits, arguments.rounds)
    ours = found["generated kernels"]
    for name, seconds in found.items():
        print(f"{name:<30} {seconds * 1e3:6.3f} ms a step {seconds / ours:6.2f} x")


if __name__ == "__main__":
    main()
