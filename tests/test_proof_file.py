"""The pytest file of a vendored kernel: it accepts the kernel, and no wrong one."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from eingrad.options import Options
from eingrad.pipeline import generated
from eingrad.proof_file import proof_file
from eingrad.render import render_proof
from eingrad.request import read_request

KERNEL = "src/mypkg/kernel.py"
TEST = "tests/test_kernel.py"

SPECS: list[tuple[str, dict[str, Any]]] = [
    ("ij,jk->ik", {"operands": ["left", "right"], "output": "product"}),
    ("ij,jk->ik", {"complex": "transpose", "wrt": ["b"]}),
    ("ij,kj->ik", {"operands": ["x", "x"]}),
    ("...ij,...jk->...ik", {}),
    ("...,...->", {"operands": ["x", "x"]}),
    ("ijji,kji,jj->kj", {}),
    ("ii->i", {}),
    ("i->ii", {}),
    ("i->iz", {"sizes": {"z": 3}}),
    (",->", {}),
    ("αβ,βγ->αγ", {}),
    ("pqrs,pi,qj,rk,sl->ijkl", {"operands": ["integrals", *["orbitals"] * 4]}),
    ("abcdefghijklmnop,qrstuvwx->bx", {}),
    ("ij,jk->ik", {"license": ""}),
    ("bi,ij->bj", {"bias": "j", "order": 2}),
    ("bi,ij->bj", {"bias": "j", "wrt": ["a"]}),
    ("...i,ij->...j", {"bias": "...j"}),
    ("i->ii", {"bias": "i"}),
    ("ij,jk->ik", {"bias": ""}),
]

# Functions are held to brute force up to rounding, in float64.
LAYERS: list[tuple[str, dict[str, Any]]] = [
    ("bi,ij->bj", {"bias": "j", "activation": "gelu", "order": 2}),
    ("bi,ij->bj", {"activation": "leaky_relu:0.1", "wrt": ["b"]}),
    ("...i->...i", {"activation": "softplus"}),
]

NAMES = {"operands": ["left", "right"], "output": "product"}
LAYER = {**NAMES, "bias": "k", "activation": "tanh"}

# Options of a kernel of ``ij,jk->ik``, a change of it, and the test that finds it.
MUTANTS = {
    "forward": (NAMES, "    product: Array = ", "    product: Array = 2 * ", "forward"),
    "gradient": (NAMES, "return (grad_left, ", "return (-grad_left, ", "gradients"),
    "tangent": (NAMES, "return product, ", "return product, 2 * ", "jvp"),
    "conjugate": (NAMES, ".conj()", "", "gradients"),
    "function": (LAYER, "product: Array = _tanh(", "product: Array = (", "forward"),
    "slope": (
        LAYER,
        "return _blockwise(_tanh_d1",
        "return 2 * _blockwise(_tanh_d1",
        "the",
    ),
    "bias": (LAYER, ", grad_bias)", ", -grad_bias)", "gradients"),
}


def write(folder: Path, spec: str, options: dict[str, Any]) -> str:
    """Write a kernel and its test; return the text of the test."""
    request = read_request(spec, Options(**options))
    text = render_proof(proof_file(request, "kernel", KERNEL, TEST))
    for path, content in ((KERNEL, generated(request)), (TEST, text)):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, encoding="utf-8")
    return text


def proved(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the tests below a folder, where nothing of ours can be imported."""
    blocked = "import sys\nsys.modules['eingrad'] = None\n"
    (folder / "conftest.py").write_text(blocked)
    command = [sys.executable, "-m", "pytest", "-q", "--import-mode=importlib"]
    return subprocess.run(
        [*command, f"--rootdir={folder}", str(folder)], capture_output=True, text=True
    )


def test_right_kernels_pass(tmp_path: Path) -> None:
    for number, (spec, options) in enumerate([*SPECS, *LAYERS]):
        text = write(tmp_path / str(number), spec, options)
        assert "eingrad" not in ast.unparse(ast.parse(text))
    done = proved(tmp_path)
    assert f"{9 * len(SPECS) + 4 * len(LAYERS)} passed" in done.stdout, done.stdout


def test_wrong_kernels_fail(tmp_path: Path) -> None:
    for name, (options, old, new, _) in MUTANTS.items():
        write(tmp_path / name, "ij,jk->ik", options)
        kernel = tmp_path / name / KERNEL
        text = kernel.read_text()
        assert old in text, name
        kernel.write_text(text.replace(old, new))
    done = proved(tmp_path)
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    for name, (_, _, _, test) in MUTANTS.items():
        assert any(f"{name}/{TEST}::test_{test}" in line for line in failed), (
            done.stdout
        )


@pytest.mark.parametrize(
    "command",
    [
        "ruff format --isolated --no-cache --diff",
        "ruff check --isolated --no-cache --select B,D,E,F,I,N,RUF,UP,W "
        "--ignore D203,D213,RUF001,RUF003",
        "mypy --strict",
    ],
)
def test_tools_have_nothing_to_say(tmp_path: Path, command: str) -> None:
    tests = []
    for number, (spec, options) in enumerate([*SPECS, *LAYERS]):
        tests.append(tmp_path / f"test_{number}.py")
        tests[-1].write_text(write(tmp_path, spec, options), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", *command.split(), *map(str, tests)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("kernel", "test", "line"),
    [
        ("a.py", "test_a.py", 'KERNEL = Path(__file__).resolve().parents[0] / "a.py"'),
        (
            "src/p/a.py",
            "tests/unit/test_a.py",
            'KERNEL = Path(__file__).resolve().parents[2] / "src" / "p" / "a.py"',
        ),
    ],
)
def test_the_kernel_is_found_from_the_test(kernel: str, test: str, line: str) -> None:
    request = read_request("i->", Options())
    assert f"\n{line}\n" in render_proof(proof_file(request, "a", kernel, test))
