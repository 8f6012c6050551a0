"""Wheel and sdist: what is in them, and that what they install works by itself."""

from __future__ import annotations

import dataclasses
import inspect
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from environments import empty_environment

import eingrad
from eingrad.options import Options

ROOT = Path(__file__).resolve().parents[1]

NEEDED = ("eingrad/py.typed", "eingrad/cli/__init__.py", "eingrad/targets/numpy.py")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build an sdist of the working tree, and a wheel from that sdist alone."""
    folder = tmp_path_factory.mktemp("dist")
    # The backend leaves its own files where it builds: not in our tree.
    source = folder / "source"
    copied = ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")
    copied += ("codegen", "templates", "tests")
    source.mkdir()
    for name in copied:
        _copy(ROOT / name, source / name)
    build = [sys.executable, "-m", "build", "--no-isolation", "-o", str(folder)]
    _run([*build, str(source)], folder)
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel in an environment that borrows our dependencies."""
    home = tmp_path_factory.mktemp("environment")
    site, scripts = empty_environment(home)
    _run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index",
          "--target", str(site), *map(str, built.glob("*.whl"))], built)  # fmt: skip
    # After the wheel, so that our editable install does not come first.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    return scripts / "python"


def _copy(source: Path, target: Path) -> None:
    if source.is_file():
        target.write_bytes(source.read_bytes())
        return
    for path in source.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_configuration_lists_every_folder_of_the_package() -> None:
    # What is data of another package is left out by setuptools one day, as it warns.
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"][
        "setuptools"
    ]
    folders = {
        ".".join((package, *path.relative_to(ROOT / folder).parent.parts))
        for package, folder in setuptools["package-dir"].items()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert sorted(setuptools["packages"]) == sorted(folders)


def test_wheel_has_all_modules_and_templates(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {
        f"eingrad/{path.relative_to(ROOT / 'codegen').as_posix()}"
        for path in (ROOT / "codegen").rglob("*.py")
    }
    templates = {
        f"eingrad/templates/{path.relative_to(ROOT / 'templates').as_posix()}"
        for path in (ROOT / "templates").rglob("*")
        if path.suffix in (".jinja", ".py")
    }
    assert any(name.endswith(".jinja") for name in templates)
    assert {*NEEDED, *modules, *templates} <= names
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"eingrad"}


def test_sdist_has_the_licence_and_the_sources(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    names = {name.partition("/")[2] for name in tarfile.open(sdist).getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml", "codegen/py.typed"} <= names
    assert any(name.startswith("templates/") and ".jinja" in name for name in names)
    # Half of the tests, without what they need, are worse than none.
    assert not any(name.startswith("tests/") for name in names)


def test_installed_wheel_runs(installed: Path, tmp_path: Path) -> None:
    where = "import eingrad; print(eingrad.__file__)"
    assert Path(_run([str(installed), "-c", where], tmp_path)).is_relative_to(
        installed.parents[1]
    )
    eingrad = [str(installed), "-m", "eingrad"]
    shown = _run([*eingrad, "gradients", "ij,jk->ik"], tmp_path)
    assert shown == "ik,jk->ij\nij,ik->jk\n"
    _run([*eingrad, "ij,jk->ik", "-o", "matmul.py"], tmp_path)
    assert _run([*eingrad, "check", "matmul.py"], tmp_path).startswith("proved")


def test_installed_wheel_and_our_tree_write_the_same(
    installed: Path, tmp_path: Path
) -> None:
    command = ["-m", "eingrad", "ij,jk->ik", "--activation", "gelu"]
    ours = _run([sys.executable, *command], tmp_path)
    assert _run([str(installed), *command], tmp_path) == ours


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert eingrad.__version__ == project["version"]
    assert "__version__" in dir(eingrad)


@pytest.mark.parametrize("name", ["generate", "load", "explain"])
def test_signatures_list_the_options(name: str) -> None:
    spec, *options = inspect.signature(getattr(eingrad, name)).parameters.values()
    assert spec.name == "spec"
    assert {option.name: option.default for option in options} == {
        field.name: field.default for field in dataclasses.fields(Options)
    }
