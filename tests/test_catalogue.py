"""generated/: fresh, proven, and as clean as code that somebody wrote by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import eingrad
from eingrad.config import load_config
from eingrad.planning import plan_build

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "generated"
FILES = sorted(FOLDER.glob("*.py"))

# Imported where eingrad is not: every kernel, called once.
SMOKE = """
import importlib, math, sys, numpy as np
sys.path.insert(0, sys.argv[1])
for name in sys.argv[2:]:
    kernel = importlib.import_module(name)
    terms = kernel.SPEC.split("->")[0].split(",")
    bias = [kernel.BIAS] if hasattr(kernel, "BIAS") else []
    arrays = {
        operand: np.ones([2] * len(term.replace("...", "")))
        for operand, term in zip(kernel.OPERANDS, terms + bias)
    }
    output, pullback = kernel.vjp(*arrays.values())
    assert (kernel.forward(*arrays.values()) == output).all(), name
    again = kernel.backward(np.ones_like(output), *arrays.values())
    for one, other in zip(pullback(np.ones_like(output)), again):
        assert (one == other).all(), name
    primals = list(arrays.values())
    _, tangent = kernel.jvp(primals, primals)
    # An einsum is a polynomial of as many factors as the spec has operands.
    if not bias and not hasattr(kernel, "ACTIVATION"):
        assert (tangent == len(terms) * output).all(), name
assert not {"eingrad", "opt_einsum", "jinja2"} & set(sys.modules)
print(np.__version__)
"""


def test_is_fresh() -> None:
    assert not plan_build(load_config(ROOT)).reasons, "run `make generate`"


def test_holds_what_is_configured_and_nothing_else() -> None:
    names = sorted(path.name for path in FOLDER.iterdir() if path.name[0] not in "._")
    assert names == [f"{kernel.name}.py" for kernel in load_config(ROOT).kernels]
    assert len(names) >= 24


def test_no_name_depends_on_letter_case() -> None:
    names = [path.name for path in FILES]
    assert names == [name.lower() for name in names]


def test_no_name_hides_a_module_of_the_standard_library() -> None:
    assert not {path.stem for path in FILES} & set(sys.stdlib_module_names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_is_proved(path: Path) -> None:
    report = eingrad.check(path)
    assert report.ok, str(report)


@pytest.mark.parametrize(
    "tool",
    [
        "ruff format --check --isolated",
        "ruff check --isolated --select B,D,E,F,I,N,RUF,UP,W --ignore D203,D213",
        "mypy --strict --config-file= --cache-dir={cache}",
    ],
    ids=lambda tool: "-".join(tool.split()[:2]),
)
def test_is_clean(tool: str, tmp_path: Path) -> None:
    # From another folder, so that no configuration of this project has a say.
    options = tool.format(cache=tmp_path / "cache").split()
    command = [sys.executable, "-m", *options, *map(str, FILES)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_runs_without_eingrad(tmp_path: Path) -> None:
    _smoke(sys.executable, tmp_path)


@pytest.mark.skipif(
    "EINGRAD_NUMPY126_PYTHON" not in os.environ,
    reason="EINGRAD_NUMPY126_PYTHON names no Python with NumPy 1.26",
)
def test_runs_on_numpy_1_26(tmp_path: Path) -> None:
    version = _smoke(os.environ["EINGRAD_NUMPY126_PYTHON"], tmp_path)
    assert version.startswith("1.26.")


def _smoke(python: str, folder: Path) -> str:
    """Call every kernel in a process of its own; return the version of NumPy."""
    names = [path.stem for path in FILES]
    command = [python, "-W", "error", "-B", "-c", SMOKE, str(FOLDER), *names]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
