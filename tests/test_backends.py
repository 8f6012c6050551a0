"""Projects of every build backend: the walk-throughs of docs/backends.md, and more."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from documents import ROOT
from environments import empty_environment, lend_numpy
from walkthroughs import sections, walked, write_files

PAGE = sections(ROOT / "docs" / "backends.md")

# What a section cannot be walked through without: modules, and programs.
NEEDS = {
    "hatchling": ["hatchling", "editables"],
    "setuptools": ["setuptools"],
    "meson-python": ["mesonpy", "meson", "ninja", "git"],
    "CMake and scikit-build-core": ["scikit_build_core", "cmake", "ninja"],
    "Make": ["make"],
    "pre-commit": ["pre_commit", "git"],
    "pytest": ["pytest"],
}
HOOKED = ["hatchling", "setuptools"]
BUILT = [*HOOKED, "meson-python", "CMake and scikit-build-core", "Make"]

# Their sdists keep the times of files, whatever SOURCE_DATE_EPOCH is.
DATED = ["setuptools", "Make"]

# Variables that would have a say in what is built here, or in what is printed.
FOREIGN = ("EINGRAD_", "GIT_", "HATCH_", "MAKE", "MFLAGS")


@pytest.fixture(scope="session")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the variables of a shell in an environment like ours, without network.

    pip finds what we have installed, and the one wheel that projects depend on.
    """
    home = tmp_path_factory.mktemp("workshop")
    site, scripts = empty_environment(home)
    ours = sysconfig.get_path("purelib")
    (site / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    paths = [str(scripts), str(Path(sys.executable).parent), os.environ["PATH"]]
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
    return inherited | {
        "PATH": os.pathsep.join(paths),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(lend_numpy(home / "wheels")),
        "PIP_NO_COMPILE": "1",
        "SOURCE_DATE_EPOCH": "1700000000",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_NAME": "me" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_EMAIL": "me@example.org" for who in ("AUTHOR", "COMMITTER")},
    }


def _require(title: str, env: dict[str, str]) -> None:
    for need in NEEDS[title]:
        if not (find_spec(need) or shutil.which(need, path=env["PATH"])):
            pytest.skip(f"{need} is missing")


@dataclass(frozen=True)
class Walk:
    """A section that was walked through: where, and what it should say."""

    folder: Path
    text: str

    @property
    def wheel(self) -> Path:
        return _built(self.folder, "*.whl")

    @property
    def sdist(self) -> Path:
        return _built(self.folder, "*.tar.gz")


@pytest.fixture(scope="session")
def walk(
    env: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Walk]:
    """Return what walks through a section, once."""

    @cache
    def walk(title: str) -> Walk:
        _require(title, env)
        folder = tmp_path_factory.mktemp(re.sub(r"\W+", "_", title))
        return Walk(folder, walked(PAGE[title], folder, env))

    return walk


def _built(folder: Path, pattern: str) -> Path:
    (path,) = (folder / "dist").glob(pattern)
    return path


def _build(
    folder: Path, env: dict[str, str], *what: str
) -> subprocess.CompletedProcess[str]:
    """Have the backend build what is named, as a frontend does but faster."""
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    lines = [f"import {project['build-system']['build-backend']} as backend"]
    lines += [f"backend.build_{name}('dist')" for name in what]
    (folder / "dist").mkdir(exist_ok=True)
    return subprocess.run(
        ["sh", "-c", 'exec python -c "$0"', "; ".join(lines)],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


def _contents(archive: Path) -> dict[str, bytes]:
    """Return the files of a wheel or an sdist."""
    if archive.suffix == ".whl":
        wheel = zipfile.ZipFile(archive)
        return {name: wheel.read(name) for name in wheel.namelist()}
    with tarfile.open(archive) as sdist:
        files = ((member.name, sdist.extractfile(member)) for member in sdist)
        return {name: file.read() for name, file in files if file}


def test_every_section_is_walked_through() -> None:
    assert set(PAGE) == set(NEEDS)


@pytest.mark.parametrize("title", [title for title in NEEDS if title != "pre-commit"])
def test_walkthrough(title: str, walk: Callable[[str], Walk]) -> None:
    assert walk(title).text == PAGE[title]


@pytest.mark.parametrize("title", BUILT)
def test_wheel_takes_numpy_alone(title: str, walk: Callable[[str], Walk]) -> None:
    """The walk-through computes a gradient there."""
    (site,) = walk(title).folder.glob("elsewhere/lib/python*/site-packages")
    installed = {path.name.partition("-")[0] for path in site.glob("*.dist-info")}
    assert installed == {walk(title).wheel.name.partition("-")[0], "numpy"}
    assert not [name for name in _contents(walk(title).wheel) if "eingrad" in name]


@pytest.mark.parametrize("title", BUILT)
def test_builds_are_identical(
    title: str, walk: Callable[[str], Walk], env: dict[str, str], tmp_path: Path
) -> None:
    """A wheel made from the tree is the walk-through's, made from an sdist."""
    before = walk(title)
    write_files(PAGE[title], tmp_path)
    if title == "meson-python":
        shutil.copytree(before.folder / ".git", tmp_path / ".git")
    done = _build(tmp_path, env | {"EINGRAD_BUILD": "generate"}, "sdist", "wheel")
    assert done.returncode == 0, done.stdout
    again = Walk(tmp_path, "")
    assert again.wheel.read_bytes() == before.wheel.read_bytes()
    if title in DATED:
        assert _contents(again.sdist) == _contents(before.sdist)
    else:
        assert again.sdist.read_bytes() == before.sdist.read_bytes()


@pytest.mark.parametrize("title", HOOKED)
def test_check_fails_the_build(title: str, env: dict[str, str], tmp_path: Path) -> None:
    _require(title, env)
    write_files(PAGE[title], tmp_path)
    done = _build(tmp_path, env | {"EINGRAD_BUILD": "check"}, "wheel")
    assert done.returncode != 0
    (kernel,) = re.findall(r'out = "(.*)"', PAGE[title])
    assert (
        "kernels are not fresh\n"
        f"  {kernel}/linear.py is missing; run `eingrad build`\n"
        "  or build with EINGRAD_BUILD=generate to write them, "
        "with EINGRAD_BUILD=off to take them as they are\n"
    ) in done.stdout
    assert "Traceback" not in done.stdout
    assert not list(tmp_path.rglob("linear.py"))


@pytest.mark.parametrize("title", HOOKED)
def test_off_builds_an_sdist_as_it_was_released(
    title: str, walk: Callable[[str], Walk], env: dict[str, str], tmp_path: Path
) -> None:
    """Its kernels are in the wheel although they are stale, and ignored by git."""
    with tarfile.open(walk(title).sdist) as sdist:
        sdist.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    project = folder / "pyproject.toml"
    project.write_text(project.read_text("utf-8").replace("bi,oi", "bi,io"), "utf-8")
    done = _build(folder, env | {"EINGRAD_BUILD": "off"}, "wheel")
    assert done.returncode == 0, done.stdout
    assert _contents(_built(folder, "*.whl")) == _contents(walk(title).wheel)


def test_hatchling_without_hooks(env: dict[str, str], tmp_path: Path) -> None:
    _require("hatchling", env)
    write_files(PAGE["hatchling"], tmp_path)
    done = _build(tmp_path, env | {"HATCH_BUILD_NO_HOOKS": "true"}, "wheel")
    assert done.returncode == 0, done.stdout
    names = _contents(_built(tmp_path, "*.whl"))
    assert [name for name in names if name.endswith(".py")] == [
        "hatch_demo/__init__.py"
    ]


def test_hooks_of_pre_commit(env: dict[str, str], tmp_path: Path) -> None:
    """They run with the eingrad that we have: making another takes the network."""
    _require("pre-commit", env)
    home, project = tmp_path / "checkout", tmp_path / "project"
    home.mkdir()
    project.mkdir()
    hooks = (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8")
    ours = hooks.replace("language: python", "language: system")
    (home / ".pre-commit-hooks.yaml").write_text(ours, "utf-8")
    script = (
        "git init --quiet; git add .; git commit --quiet -m hooks; git rev-parse HEAD"
    )
    made = ["sh", "-euc", script]
    commit = subprocess.check_output(made, cwd=home, env=env, encoding="utf-8").strip()
    env = env | {"PRE_COMMIT_HOME": str(tmp_path / "cache")}
    section = PAGE["pre-commit"].replace("/path/to/the/checkout", str(home))
    section = section.replace("0123abc", commit)
    assert walked(section, project, env) == section
    # The other hook, on a kernel that has become stale.
    settings = project / ".pre-commit-config.yaml"
    text = settings.read_text("utf-8").replace("eingrad-build", "eingrad-check")
    settings.write_text(text, "utf-8")
    config = project / "pyproject.toml"
    for spec, code in (("bi,oi->bo", 0), ("bi,io->bo", 1)):
        config.write_text(config.read_text("utf-8").replace("bi,oi->bo", spec), "utf-8")
        run = ["sh", "-c", "git add . && pre-commit run"]
        done = subprocess.run(run, cwd=project, env=env, capture_output=True, text=True)
        assert done.returncode == code, done.stdout
    assert "src/hook_demo/_kernels/linear.py is stale" in done.stdout
    # And the one for vendored kernels.
    settings.write_text(text.replace("eingrad-check", "eingrad-verify"), "utf-8")
    script = 'eingrad vendor add "ij->i" --dest rows.py; git add .; pre-commit run'
    added = subprocess.run(["sh", "-euc", script], cwd=project, env=env)
    assert added.returncode == 0
    run = ["sh", "-c", "echo '# mine' >> rows.py; git add .; pre-commit run"]
    done = subprocess.run(run, cwd=project, env=env, capture_output=True, text=True)
    assert (done.returncode, "rows.py was edited" in done.stdout) == (1, True)
