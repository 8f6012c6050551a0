"""What build hooks do in each mode, and what they tell their backend."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest
from pathspec import GitIgnoreSpec
from setuptools import Distribution

from eingrad.errors import ConfigError, RefusedError, StaleError
from eingrad.hooks.hatch import _pattern
from eingrad.hooks.kernels import prepare
from eingrad.hooks.setuptools import BuildEingrad, finalize_distribution_options

CONFIG = """\
[tool.eingrad]
out = "src/demo/_kernels"
{build}

[tool.eingrad.kernels.rows]
spec = "ij->i"
"""

ROWS = "src/demo/_kernels/rows.py"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project without kernels, the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EINGRAD_BUILD", raising=False)
    (tmp_path / "src/demo").mkdir(parents=True)
    (tmp_path / "src/demo/__init__.py").touch()
    (tmp_path / "pyproject.toml").write_text(CONFIG.format(build=""), "utf-8")
    return tmp_path


# The variable, the hook's setting, ``build`` of the configuration: what was written.
MODES = [
    (None, None, None, "check"),
    (None, None, "check", "check"),
    (None, None, "generate", "generate"),
    (None, None, "off", "off"),
    (None, "generate", "off", "generate"),
    (None, "off", None, "off"),
    ("generate", "off", "check", "generate"),
    ("check", "generate", "generate", "check"),
    ("off", None, "generate", "off"),
    ("", None, "generate", "generate"),
]


@pytest.mark.parametrize(("variable", "setting", "key", "mode"), MODES)
def test_which_mode(
    variable: str | None,
    setting: str | None,
    key: str | None,
    mode: str,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if variable is not None:
        monkeypatch.setenv("EINGRAD_BUILD", variable)
    text = CONFIG.format(build=f'build = "{key}"' if key else "")
    (project / "pyproject.toml").write_text(text, "utf-8")
    said: list[str] = []
    if mode == "check":
        with pytest.raises(StaleError) as caught:
            prepare(project, setting=setting, say=said.append)
        assert str(caught.value) == (
            "kernels are not fresh\n"
            f"  {ROWS} is missing; run `eingrad build`\n"
            "  or build with EINGRAD_BUILD=generate to write them, "
            "with EINGRAD_BUILD=off to take them as they are"
        )
    else:
        prepared = prepare(project, setting=setting, say=said.append)
        written = [ROWS] if mode == "generate" else []
        assert [str(path) for path in prepared.kernels] == written
    assert said == ([f"eingrad: created {ROWS}"] if mode == "generate" else [])
    assert (project / ROWS).exists() == (mode == "generate")


def test_fresh_kernels_pass_and_are_left_alone(project: Path) -> None:
    prepare(project, setting="generate", say=print)
    os.utime(project / ROWS, ns=(1, 1))
    for mode in ("check", "generate", "off"):
        prepared = prepare(project, setting=mode, say=pytest.fail)
        assert prepared.kernels == (PurePosixPath(ROWS),)
        assert [str(p) for p in prepared.inputs] == ["pyproject.toml", "eingrad.lock"]
    assert (project / ROWS).stat().st_mtime_ns == 1


def test_an_edit_is_not_lost(project: Path) -> None:
    prepare(project, setting="generate", say=print)
    with (project / ROWS).open("a") as file:
        file.write("mine = 1\n")
    with pytest.raises(RefusedError, match="was edited by hand"):
        prepare(project, setting="generate", say=pytest.fail)
    prepare(project, setting="off", say=pytest.fail)
    assert (project / ROWS).read_text("utf-8").endswith("mine = 1\n")


def test_a_mode_that_is_none(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError) as caught:
        prepare(project, setting=1, say=print)
    modes = 'must be "generate", "check" or "off"'
    assert str(caught.value) == f"mode of the build hook {modes}, got 1"
    monkeypatch.setenv("EINGRAD_BUILD", "chek")
    with pytest.raises(ConfigError) as caught:
        prepare(project, setting=1, say=print)
    assert str(caught.value) == f'EINGRAD_BUILD {modes}, got "chek"'


def test_a_build_that_writes_can_fail(project: Path) -> None:
    """What a hook of pre-commit takes: new files are no change to git."""
    command = [sys.executable, "-m", "eingrad", "build", "--fail-if-stale"]
    codes = [subprocess.run(command, capture_output=True).returncode for _ in "12"]
    assert codes == [1, 0]
    assert (project / ROWS).exists()


@pytest.mark.parametrize(
    "path", ["gen/rows.py", "g[en]/rows.py", "g*n/rows.py", "g?n/rows.py", "#!/rows.py"]
)
def test_pattern_of_hatchling_is_one_file(path: str) -> None:
    spec = GitIgnoreSpec.from_lines([_pattern(PurePosixPath(path))])
    assert spec.match_file(path)
    for other in (f"src/{path}", "gen/rows_py", "ge/rows.py", "gan/rows.py"):
        assert not spec.match_file(other)


def command(**metadata: object) -> BuildEingrad:
    """Return the command of a distribution, ready to run."""
    found = Distribution(metadata).get_command_obj("build_eingrad")
    found.set_undefined_options("build", ("build_lib", "build_lib"))
    found.ensure_finalized()
    assert isinstance(found, BuildEingrad)
    return found


# Packages and their folders: the place of the kernel in the wheel.
PLACES = [
    ({"packages": ["demo"], "package_dir": {"": "src"}}, "demo/_kernels/rows.py"),
    ({"packages": ["src.demo"]}, "src/demo/_kernels/rows.py"),
    ({"packages": ["a.b"], "package_dir": {"a.b": "src/demo"}}, "a/b/_kernels/rows.py"),
    (
        {
            "packages": ["demo", "demo.fast"],
            "package_dir": {"demo": "src/demo", "demo.fast": "src/demo/_kernels"},
        },
        "demo/fast/rows.py",
    ),
]


@pytest.mark.parametrize(("metadata", "place"), PLACES)
def test_setuptools_copies_a_kernel_to_its_package(
    metadata: dict[str, object], place: str, project: Path
) -> None:
    prepare(project, setting="generate", say=print)
    ready = command(**metadata)
    built = os.path.join("build", "lib", place)
    assert ready.get_source_files() == ["pyproject.toml", "eingrad.lock", ROWS]
    assert ready.get_outputs() == [built]
    assert ready.get_output_mapping() == {built: ROWS}
    ready.run()
    assert Path(built).read_bytes() == Path(ROWS).read_bytes()


def test_setuptools_ships_no_file_that_is_in_no_package(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    prepare(project, setting="generate", say=print)
    ready = command(packages=["other"])
    ready.run()
    assert ready.get_outputs() == []
    assert f"in no package, so not shipped: {ROWS}" in caplog.text
    assert not Path("build").exists()


def test_setuptools_builds_in_place_for_an_editable_install(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EINGRAD_BUILD", "generate")
    ready = command(packages=["demo"], package_dir={"": "src"})
    ready.editable_mode = True
    ready.run()
    assert Path(ROWS).exists()
    assert not Path("build").exists()


COST = """\
import sys
import setuptools
from importlib.metadata import entry_points

(hook,) = entry_points(
    group="setuptools.finalize_distribution_options", name="eingrad"
)
before = set(sys.modules)
hook.load()(None)
print(*sorted(set(sys.modules) - before))
"""


@pytest.mark.parametrize("text", [None, b"[project]\nname = 'x'\n", b"\xff"])
def test_setuptools_hook_costs_others_nothing(
    text: bytes | None, tmp_path: Path
) -> None:
    """It imports nothing but itself, and does not touch the distribution."""
    if text is not None:
        (tmp_path / "pyproject.toml").write_bytes(text)
    done = subprocess.run(
        [sys.executable, "-c", COST], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout == "eingrad eingrad.hooks eingrad.hooks.setuptools\n", done


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("pyproject.toml", "[tool.eingrad]\n", True),
        ("pyproject.toml", "[build-system]\nrequires = ['eingrad']\n", False),
        ("eingrad.toml", "", True),
    ],
)
def test_setuptools_hook_adds_the_command_where_it_is_wanted(
    name: str,
    text: str,
    expected: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(text, "utf-8")
    distribution = Distribution()
    for _ in range(2):
        finalize_distribution_options(distribution)
        added = distribution.get_command_obj("build").get_sub_commands()
        assert added.count("build_eingrad") == expected
    (tmp_path / name).unlink()
    others = Distribution().get_command_obj("build").get_sub_commands()
    assert "build_eingrad" not in others
