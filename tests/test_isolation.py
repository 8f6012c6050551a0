"""A generated module needs NumPy and nothing of what it was made with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import eingrad

ROOT = Path(__file__).parent.parent
COMMITTED = sorted((ROOT / "generated").glob("*.py"))

SPECS = [
    "ij,jk->ik",
    "...ij,j...->...i",
    "ijji,kji,jj->kj",
    "ij,j->iij",
    ",->",
    "αβ,βγ->αγ",
    "ij,jk,kl,lm->im",
]

# Runs under ``python -I``: no user site, no PYTHONPATH, not the current folder.
SCRIPT = """
import importlib.util, sys

BLOCKED = {"eingrad", "codegen", "opt_einsum", "jinja2", "click", "packaging"}


class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in BLOCKED:
            raise ImportError(f"{name} is not installed here")


sys.meta_path.insert(0, Blocker())
for name in BLOCKED:
    try:
        importlib.import_module(name)
    except ImportError:
        continue
    raise AssertionError(f"{name} can be imported")

import numpy as np

AXES = {"...": (2, 3)}


def indices(term):
    head, dots, tail = term.partition("...")
    return [*head, *([dots] if dots else []), *tail]


def shape_of(term):
    return tuple(n for i in indices(term) for n in AXES.get(i, (2,)))


for path in sys.argv[1:]:
    spec = importlib.util.spec_from_file_location("kernel", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    terms, output = module.SPEC.split("->")
    layer = hasattr(module, "BIAS") or hasattr(module, "ACTIVATION")
    places = [*terms.split(","), *([module.BIAS] if hasattr(module, "BIAS") else [])]
    shapes = dict(zip(module.OPERANDS, map(shape_of, places), strict=True))
    arrays = [np.ones(shape) for shape in shapes.values()]
    made = module.forward(*arrays)
    grad = np.ones(made.shape)
    gradients = module.backward(grad, *arrays)
    wanted = [shapes[name] for name in module.GRADIENTS]
    assert [gradient.shape for gradient in gradients] == wanted, path
    same, pullback = module.vjp(*arrays)
    assert np.array_equal(same, made), path
    for one, other in zip(pullback(grad), gradients, strict=True):
        assert np.array_equal(one, other), path
    primal, tangent = module.jvp(arrays, arrays)
    assert np.array_equal(primal, made), path
    if set(module.GRADIENTS) == set(module.OPERANDS):
        along = sum(float(g.sum()) for g in gradients)
        assert abs(along - tangent.sum()) < 1e-12 * abs(along), path
    # An einsum is homogeneous: of one degree for each operand.
    if not layer:
        assert np.array_equal(tangent, len(module.OPERANDS) * made), path
    print(path)

assert not BLOCKED & {name.split(".")[0] for name in sys.modules}
"""


def run(paths: list[Path], folder: Path) -> None:
    """Import and try the modules in a process that has only NumPy."""
    command = [sys.executable, "-I", "-W", "error", "-c", SCRIPT, *map(str, paths)]
    environment = {"PATH": os.environ.get("PATH", "")}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [str(path) for path in paths]


def test_committed_modules_stand_alone(tmp_path: Path) -> None:
    if not COMMITTED:
        pytest.skip("nothing is generated yet")
    run(COMMITTED, tmp_path)


def test_fresh_modules_stand_alone(tmp_path: Path) -> None:
    paths = []
    for number, spec in enumerate(SPECS):
        for complex in ("adjoint", "transpose"):
            path = tmp_path / f"{complex}_{number}.py"
            path.write_text(eingrad.generate(spec, complex=complex), "utf-8")
            paths.append(path)
    run(paths, tmp_path)


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_committed_modules_do_not_speak_of_us(path: Path) -> None:
    """The header names the generator; the code does not."""
    code = [line for line in path.read_text("utf-8").splitlines() if line[:1] != "#"]
    assert "eingrad" not in "\n".join(code)
    assert path.name == path.name.lower()
