"""The assertions that projects use in their own tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import eingrad
from eingrad.testing import assert_fresh, assert_gradients

CONFIG = """\
[tool.eingrad]
out = "gen"
[tool.eingrad.kernels.dot]
spec = "i,i->"
operands = ["x", "y"]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project whose kernels are built; the current folder is inside."""
    (tmp_path / "pyproject.toml").write_text(CONFIG, "utf-8")
    (tmp_path / "tests").mkdir()
    monkeypatch.chdir(tmp_path / "tests")
    command = [sys.executable, "-m", "eingrad", "build", "--root", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    return tmp_path


def test_fresh_kernels_are_fresh(project: Path) -> None:
    assert_fresh()
    assert_fresh(project)
    assert_fresh(str(project))


def test_stale_kernels_are_named(project: Path) -> None:
    config = CONFIG.replace('"y"', '"z"')
    (project / "pyproject.toml").write_text(config, "utf-8")
    with pytest.raises(AssertionError) as caught:
        assert_fresh()
    assert str(caught.value) == (
        "kernels are not fresh\n  gen/dot.py is stale; run `eingrad build`"
    )


def test_fresh_needs_a_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(eingrad.ConfigError, match="no configuration in "):
        assert_fresh()
    with pytest.raises(eingrad.ConfigError, match="no configuration in "):
        assert_fresh(tmp_path)


def test_gradients_that_are_right(project: Path) -> None:
    path = project / "gen" / "dot.py"
    assert_gradients(path)
    assert_gradients(str(path))
    assert_gradients(eingrad.load("ii->i"))
    assert_gradients("ij,jk->ik", wrt=["a"], seed=1)


def test_gradients_that_are_wrong(project: Path) -> None:
    path = project / "gen" / "dot.py"
    text = path.read_text("utf-8")
    wrong = text.replace("return (grad_x, grad_y)", "return (grad_y, grad_x)")
    assert wrong != text
    path.write_text(wrong, "utf-8")
    with pytest.raises(AssertionError) as caught:
        assert_gradients(path)
    assert str(caught.value) == str(eingrad.check(path))
    assert str(caught.value).startswith("wrong: i,i->\nbackward: gradient of operand")


def test_gradients_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(eingrad.EingradError, match="cannot read"):
        assert_gradients(tmp_path / "none.py")
    with pytest.raises(eingrad.SpecError):
        assert_gradients("ij,jk->iz")
