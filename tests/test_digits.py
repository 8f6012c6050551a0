"""examples/digits: its kernels are fresh, its gradients right, and it learns."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from eingrad.config import load_config
from eingrad.testing import assert_fresh, assert_gradients

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "digits"
KERNELS = sorted((EXAMPLE / "kernels").glob("*.py"))
MODULES = ("adam", "digits", "network", "training")


@pytest.fixture(scope="module")
def example() -> Iterator[SimpleNamespace]:
    """Import the files of the example, which find each other as a script's do."""
    pytest.importorskip("sklearn")
    # It comes with scikit-learn.
    threads = importlib.import_module("threadpoolctl")
    before = set(sys.modules)
    with pytest.MonkeyPatch.context() as patch, threads.threadpool_limits(1):
        patch.syspath_prepend(EXAMPLE)
        modules = {name: importlib.import_module(name) for name in MODULES}
        yield SimpleNamespace(**modules)
    for name in set(sys.modules) - before:
        if name.split(".")[0] in (*MODULES, "kernels", "beside_torch"):
            del sys.modules[name]


def test_kernels_are_fresh() -> None:
    assert_fresh(EXAMPLE)
    names = [kernel.name for kernel in load_config(EXAMPLE).kernels]
    assert [path.stem for path in KERNELS] == names


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: path.stem)
def test_kernel_is_right(path: Path) -> None:
    assert_gradients(path)


def test_gradient_is_that_of_the_loss(example: SimpleNamespace) -> None:
    """Against central differences, whose error is of the order of step²."""
    rng = np.random.default_rng(0)
    network = example.network.Network(rng, np.float64)
    x, labels = rng.random((20, 64)), rng.integers(0, 10, 20)
    _, gradient = network.loss_and_gradient(x, labels)
    begin, step = network.vector.copy(), 1e-6
    for part in _parts(network):
        along = np.zeros_like(begin)
        along[part] = rng.standard_normal(along[part].size)
        losses = []
        for sign in (1, -1):
            network.vector[:] = begin + sign * step * along
            losses.append(network.loss_and_gradient(x, labels)[0])
        slope = (losses[0] - losses[1]) / (2 * step)
        assert gradient @ along == pytest.approx(slope, rel=1e-6, abs=1e-8)


def _parts(network: Any) -> list[slice]:
    """Say where in the vector each weight and each bias lies."""
    sizes = [array.size for layer in network.layers for array in layer]
    ends = np.cumsum(sizes)
    return [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]


def test_cross_entropy_of_large_logits(example: SimpleNamespace) -> None:
    logits = np.array([[1e4, 0.0, 0.0], [0.0, -1e4, 0.0]])
    loss, grad = example.network.cross_entropy(logits, np.array([0, 1]))
    assert loss == pytest.approx((1e4 + np.log(2)) / 2)
    assert grad.tolist() == [[0, 0, 0], [0.25, -0.5, 0.25]]


def test_first_step_of_adam_is_the_rate_against_the_sign(
    example: SimpleNamespace,
) -> None:
    """At first mean and root of the square are the gradient and its magnitude."""
    vector = np.zeros(3)
    example.adam.Adam(vector).step(np.array([5.0, -1e-3, 0.0]), rate=0.1)
    assert vector == pytest.approx([-0.1, 0.1, 0.0], rel=1e-4)


def test_moved_digits_keep_their_ink(example: SimpleNamespace) -> None:
    """An image moves as a whole: its centre by at most half a pixel, its sum by none.

    That is so for ink that is off the border.
    """
    squares = np.zeros((50, 8, 8), np.float32)
    squares[:, 2:5, 3:6] = 1
    images = squares.reshape(50, 64)
    moved = example.digits.moved(images, np.random.default_rng(0))
    assert moved.sum(axis=1) == pytest.approx(np.full(50, 9.0), rel=1e-5)
    rows = moved.reshape(50, 8, 8).sum(axis=2) @ np.arange(8) / 9 - 3
    assert 0.2 < abs(rows).max() <= 0.5


def test_loss_falls(example: SimpleNamespace) -> None:
    rng = np.random.default_rng(0)
    training, test = example.digits.split(example.digits.load(), rng)
    assert (len(training), len(test)) == (1438, 359)
    network = example.network.Network(rng)
    schedule = example.training.Schedule(epochs=3)
    losses = list(example.training.train(network, training, schedule, rng))
    assert len(losses) == 3 * 22
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) / 4
    assert example.training.accuracy(network, test) > 0.9


def test_losses_are_those_of_pytorch(example: SimpleNamespace) -> None:
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    beside: ModuleType = importlib.import_module("beside_torch")
    digits = example.digits.load()
    assert beside.differences(digits, np.float32).max() < 1e-5
    assert beside.differences(digits, np.float64).max() < 1e-12


def test_command_trains_to_97_percent_and_draws(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    pytest.importorskip("tqdm")
    command = [sys.executable, "-W", "error", str(EXAMPLE / "train.py")]
    done = subprocess.run(
        [*command, "--pictures", str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found = re.search(r"^test accuracy ([\d.]+)%", done.stdout, re.MULTILINE)
    assert found and float(found[1]) >= 97
    for name in ("loss.png", "misread.png"):
        assert name in done.stdout
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_readme_shows_what_the_files_say() -> None:
    text = (EXAMPLE / "README.md").read_text("utf-8")
    sources = [*EXAMPLE.glob("*.py"), *EXAMPLE.glob("*.toml")]
    files = [path.read_text("utf-8") for path in sources]
    blocks = re.findall(r"^```(?:python|toml)\n(.*?)^```$", text, re.M | re.S)
    assert len(blocks) == 2
    for block in blocks:
        assert any(block in file for file in files), block
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert (EXAMPLE / link).exists(), link
