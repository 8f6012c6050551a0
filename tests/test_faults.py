"""Builds that are killed, and builds at the same time: the tree is always true.

EINGRAD_KILLS is how many builds are killed, 50 for the whole test.
"""

from __future__ import annotations

import errno
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from hashlib import sha256
from pathlib import Path

import pytest
from projects import configured, render, text_of, tree

from eingrad.build import build
from eingrad.errors import EingradError
from eingrad.exclusive import exclusive
from eingrad.kernel_tables import KernelConfig
from eingrad.planning import plan_build

KILLS = int(os.environ.get("EINGRAD_KILLS", "6"))
COUNT = 200
SPECS = ("ij,jk->ik", "ij,kj->ik")

SCRIPT = """
import sys
from pathlib import Path
from projects import render
from eingrad.build import build
print("ready", flush=True)
build(Path(sys.argv[1]), prune=True, render=render)
print("built", flush=True)
"""


def start(root: Path, *more: str) -> subprocess.Popen[str]:
    """Start a build in a process of its own."""
    command = [sys.executable, "-c", SCRIPT, str(root), *more]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    process = subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def names(turn: int) -> dict[str, str]:
    """Configure 200 kernels; from turn to turn some leave, some come, some change."""
    first = turn % 3 * 10
    numbers = range(first, first + COUNT)
    return {f"k{n:03}": SPECS[(n + turn) % 2] for n in numbers}


def body(text: str) -> str:
    """Hash a text as the manifest does, without our code."""
    first, _, *rest = text.splitlines(keepends=True)
    return f"sha256:{sha256(''.join([first, *rest]).encode()).hexdigest()}"


def assert_true(root: Path) -> None:
    """Hold every file against what kernels can be, and the manifest against files."""
    known = {
        text_of(KernelConfig(f"k{n:03}", spec)) for n in range(230) for spec in SPECS
    }
    files = tree(root)
    manifest = tomllib.loads(files.pop("eingrad.lock", b"").decode())
    assert files.pop("pyproject.toml")
    modules = {
        path: text.decode() for path, text in files.items() if path[-3:] == ".py"
    }
    assert set(modules.values()) <= known
    for entry in manifest.get("file", []):
        assert body(modules[entry["path"]]) == entry["body"]
    both = [*manifest.get("file", []), *manifest.get("pending", [])]
    assert set(modules) <= {entry["path"] for entry in both}
    temporary = re.compile(r"(src/gen/\.k\d+\.py|\.eingrad\.lock)\.[0-9a-f]{8}\.tmp")
    assert all(temporary.fullmatch(path) for path in files.keys() - modules.keys())


def test_killed_builds_leave_a_true_tree(tmp_path: Path) -> None:
    dice = random.Random(8)
    configured(tmp_path, names(0))
    with start(tmp_path) as whole:
        begin = time.perf_counter()
        assert whole.stdout is not None and whole.stdout.readline() == "built\n"
        seconds = time.perf_counter() - begin
    interrupted = 0
    for turn in range(1, KILLS + 1):
        config = configured(tmp_path, names(turn))
        with start(tmp_path) as process:
            time.sleep(dice.uniform(0, seconds))
            process.kill()
        interrupted += process.returncode == -signal.SIGKILL
        assert_true(tmp_path)
        if turn % 5 == 0:
            finish(tmp_path, turn)
    finish(tmp_path, turn)
    assert plan_build(config, render=render).reasons == ()
    assert interrupted > KILLS // 3


def finish(root: Path, turn: int) -> None:
    """Complete what was begun, with nothing left over."""
    configured(root, names(turn))
    build(root, prune=True, render=render)
    assert_true(root)
    made = {name for name in tree(root) if name.startswith("src/gen/")}
    assert made == {f"src/gen/{name}.py" for name in names(turn)}


POINTS = ["open", "fsync", "replace", "unlink"]


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_killed_at_each_call_of_the_system(
    tmp_path: Path, point: str, count: int
) -> None:
    """Two files change, one goes: the points between which a build can be killed."""
    configured(tmp_path, {"k000": SPECS[0], "k001": SPECS[0]})
    build(tmp_path, render=render)
    config = configured(tmp_path, {"k000": SPECS[1], "k002": SPECS[0]})
    kill(tmp_path, point, count)
    assert_true(tmp_path)
    build(config.root, prune=True, render=render)
    assert plan_build(config, render=render).reasons == ()
    files = ["eingrad.lock", "pyproject.toml", "src/gen/k000.py", "src/gen/k002.py"]
    assert sorted(tree(tmp_path)) == files


def kill(root: Path, point: str, count: int) -> None:
    """Run a build that is killed at some call of a function of ``os``."""
    script = (
        "import os, signal\n"
        f"real, left = os.{point}, [{count}]\n"
        "def count(*args, **keywords):\n"
        "    left[0] -= 1\n"
        "    if not left[0]:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return real(*args, **keywords)\n"
        f"os.{point} = count\n"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, "-c", script + SCRIPT, str(root)]
    subprocess.run(command, env=env, check=False, capture_output=True)


def test_a_kernel_that_leaves_after_a_kill_leaves_nothing(tmp_path: Path) -> None:
    configured(tmp_path, {"k000": SPECS[0]})
    # The first file is the manifest.
    kill(tmp_path, "fsync", 2)
    assert any(name.startswith("src/gen/.k000.py.") for name in tree(tmp_path))
    configured(tmp_path, {"k001": SPECS[0]})
    build(tmp_path, prune=True, render=render)
    files = ["eingrad.lock", "pyproject.toml", "src/gen/k001.py"]
    assert sorted(tree(tmp_path)) == files


def test_builds_at_the_same_time(tmp_path: Path) -> None:
    config = configured(tmp_path, names(0))
    builds = [start(tmp_path) for _ in range(4)]
    for process in builds:
        out, err = process.communicate()
        assert (process.returncode, out, err) == (0, "built\n", "")
    assert_true(tmp_path)
    assert plan_build(config, render=render).reasons == ()


def test_a_build_waits_for_another(tmp_path: Path) -> None:
    configured(tmp_path, {"k000": SPECS[0]})
    with exclusive(tmp_path):
        process = start(tmp_path)
        with pytest.raises(subprocess.TimeoutExpired):
            process.communicate(timeout=0.3)
        assert list(tree(tmp_path)) == ["pyproject.toml"]
        # What is configured in the meantime is built.
        configured(tmp_path, {"k001": SPECS[0]})
    out, err = process.communicate()
    assert (process.returncode, out, err) == (0, "built\n", "")
    files = ["eingrad.lock", "pyproject.toml", "src/gen/k001.py"]
    assert list(tree(tmp_path)) == files


def test_who_waited_locks_the_configuration_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(tmp_path, {"k000": SPECS[0]})
    new = shutil.copy(tmp_path / "pyproject.toml", tmp_path / "new.toml")

    def replaced(file: int, how: int) -> None:
        monkeypatch.undo()
        os.replace(new, tmp_path / "pyproject.toml")

    monkeypatch.setattr("fcntl.flock", replaced)
    with exclusive(tmp_path):
        process = start(tmp_path)
        with pytest.raises(subprocess.TimeoutExpired):
            process.communicate(timeout=0.3)
    assert process.communicate() == ("built\n", "")


@pytest.mark.parametrize(
    "command", ["init", "add k ij->i", "vendor add ij->i --dest k.py"]
)
def test_a_command_that_edits_waits_for_another(tmp_path: Path, command: str) -> None:
    if command.startswith("add"):
        configured(tmp_path, {})
    before = tree(tmp_path)
    with exclusive(tmp_path):
        process = subprocess.Popen(
            [sys.executable, "-m", "eingrad", *command.split()],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        said = process.stderr.readline()
        assert said == "waiting for another command on this project\n"
        assert tree(tmp_path) == before
    process.communicate()
    assert process.returncode == 0
    assert tree(tmp_path) != before


def test_workers_end_with_their_build(tmp_path: Path) -> None:
    configured(tmp_path, {f"k{n:03}": SPECS[0] for n in range(100)})
    command = [sys.executable, "-m", "eingrad", "build", "-j2"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE)
    time.sleep(0.6)
    process.kill()
    assert process.stderr is not None
    # The workers have this pipe too: it is closed when the last of them is gone.
    assert b"Traceback" not in process.stderr.read()
    process.communicate()
    configured(tmp_path, {"k000": SPECS[0]})
    build(tmp_path)


def test_without_processes_for_workers_the_way_out_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*args: object, **how: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    config = configured(tmp_path, {"a": SPECS[0], "b": SPECS[1]})
    monkeypatch.setattr(subprocess, "Popen", refused)
    with pytest.raises(EingradError) as caught:
        plan_build(config, jobs=2)
    assert str(caught.value) == (
        "cannot start a process that renders: Resource temporarily unavailable; "
        "`eingrad build --jobs 1` needs none"
    )
