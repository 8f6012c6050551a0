"""The build: what becomes of each file, and that nothing of anybody's is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from eingrad.build import PlannedFile, State, build, diff, plan_build
from eingrad.config import Config, KernelConfig
from eingrad.digest import HEADER, body_digest, is_ours, recorded_digest
from eingrad.errors import (
    ConfigError,
    InternalError,
    OptionError,
    RefusedError,
    SpecError,
)
from eingrad.options import Options


def render(kernel: KernelConfig) -> str:
    """Stand in for the pipeline: a module that is its spec."""
    body = f'# Regenerate: eingrad build {kernel.name}\nSPEC = "{kernel.spec}"\n'
    digest = body_digest(f"{HEADER}\n{body}")
    return f"{HEADER}\n# @generated {kernel.spec} body=sha256:{digest}\n{body}"


ROWS = KernelConfig("rows", "ij->i")
MM = KernelConfig("mm", "ij,jk->ik")
MM_TEXT = render(MM)
EDITED = MM_TEXT.replace("SPEC = ", "SPEC  = ")
STALE = render(replace(MM, spec="ij,jk"))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    source = tmp_path / "pyproject.toml"
    return Config(tmp_path, source, PurePosixPath("src/gen"), "check", (MM, ROWS))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "src" / "gen"
    path.mkdir(parents=True)
    return path


def states(planned: tuple[PlannedFile, ...]) -> dict[str, str]:
    return {file.path.name: file.state.value for file in planned}


def files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


def test_build_writes_everything_and_then_nothing(config: Config) -> None:
    folder = config.root / "src/gen"
    planned = build(config, render=render)
    assert states(planned) == {"mm.py": "created", "rows.py": "created"}
    assert [str(file.path) for file in planned] == ["src/gen/mm.py", "src/gen/rows.py"]
    assert files(folder) == {
        "mm.py": MM_TEXT.encode(),
        "rows.py": render(ROWS).encode(),
    }
    os.utime(folder / "mm.py", ns=(1, 1))
    again = build(config, render=render)
    assert states(again) == {"mm.py": "unchanged", "rows.py": "unchanged"}
    assert (folder / "mm.py").stat().st_mtime_ns == 1
    assert [file.why_stale for file in again] == [None, None]


def test_plan_writes_nothing(config: Config) -> None:
    planned = plan_build(config, render=render)
    assert states(planned) == {"mm.py": "created", "rows.py": "created"}
    assert list(config.root.iterdir()) == []


STATES = [
    # (what stands at mm.py, its state, whether a build replaces it)
    (MM_TEXT.encode(), State.UNCHANGED, False),
    (MM_TEXT.replace("\n", "\r\n").encode(), State.UNCHANGED, False),
    (STALE.encode(), State.CHANGED, True),
    (STALE.replace("\n", "\r\n").encode(), State.CHANGED, True),
    (EDITED.encode(), State.EDITED, False),
    (EDITED.replace("\n", "\r\n").encode(), State.EDITED, False),
    (MM_TEXT.encode() + b"# more\n", State.EDITED, False),
    (f"{HEADER}\n".encode(), State.EDITED, False),
    (f"{HEADER}\nSPEC = 1\n".encode(), State.EDITED, False),
    (b"", State.FOREIGN, False),
    (b"print('mine')\n", State.FOREIGN, False),
    (b"\n" + MM_TEXT.encode(), State.FOREIGN, False),
    (HEADER.encode() + b"\n# \xff\n", State.FOREIGN, False),
]


@pytest.mark.parametrize(("content", "state", "replaced"), STATES)
def test_states(
    config: Config, folder: Path, content: bytes, state: State, replaced: bool
) -> None:
    path = folder / "mm.py"
    path.write_bytes(content)
    (planned, _) = plan_build(config, render=render)
    assert planned.state is state
    if state in (State.EDITED, State.FOREIGN):
        with pytest.raises(RefusedError):
            build(config, render=render)
        assert files(folder) == {"mm.py": content}
    else:
        build(config, render=render)
        assert path.read_bytes() == (MM_TEXT.encode() if replaced else content)


def test_refusal_names_every_file_and_the_ways_out(
    config: Config, folder: Path
) -> None:
    (folder / "mm.py").write_text(EDITED, encoding="utf-8")
    (folder / "rows.py").write_text("mine\n", encoding="utf-8")
    with pytest.raises(RefusedError) as caught:
        build(config, render=render)
    assert str(caught.value) == (
        "nothing was written\n"
        "  src/gen/mm.py was edited by hand; keep the edit under another name, or undo "
        "it, and delete the file: the next build writes it again\n"
        "  src/gen/rows.py is not a file that eingrad wrote; "
        "move it, or rename the kernel"
    )


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(Path.mkdir, id="folder"),
        pytest.param(lambda path: path.symlink_to("target.py"), id="link"),
        pytest.param(lambda path: path.symlink_to("nothing"), id="dangling"),
        pytest.param(os.mkfifo, id="pipe"),
    ],
)
def test_only_a_plain_file_is_ours(
    config: Config, folder: Path, make: Callable[[Path], object]
) -> None:
    (folder / "target.py").write_text("mine\n", encoding="utf-8")
    make(folder / "mm.py")
    assert states(plan_build(config, render=render))["mm.py"] == "foreign"
    with pytest.raises(RefusedError):
        build(config, render=render)
    assert not (folder / "rows.py").exists()
    assert (folder / "target.py").read_text(encoding="utf-8") == "mine\n"


def test_orphans_are_reported_and_left_alone(config: Config, folder: Path) -> None:
    old = render(KernelConfig("old", "ij->j"))
    contents = {
        "old.py": old.encode(),
        "crlf.py": old.replace("\n", "\r\n").encode(),
        "__init__.py": b"",
        "mine.py": b"x = 1\n",
        "latin.py": b"# \xff\n",
        "notes.txt": old.encode(),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "folder.py").mkdir()
    (folder / "link.py").symlink_to("old.py")
    planned = build(config, render=render)
    assert states(planned) == {
        "crlf.py": "orphan",
        "mm.py": "created",
        "old.py": "orphan",
        "rows.py": "created",
    }
    assert files(folder).items() >= contents.items()
    assert (folder / "link.py").is_symlink()
    assert planned[2].why_stale == (
        "src/gen/old.py belongs to no configured kernel; "
        "delete it, or configure the kernel"
    )
    assert (planned[2].kernel, planned[2].new, planned[2].old) == (None, None, old)


def test_named_kernels(config: Config, folder: Path) -> None:
    (folder / "old.py").write_text(MM_TEXT, encoding="utf-8")
    (folder / "mm.py").write_text("foreign\n", encoding="utf-8")
    planned = build(config, ["rows", "rows"], render=render)
    assert states(planned) == {"rows.py": "created"}
    assert len(plan_build(config, (), render=render)) == 3


UNKNOWN = [
    ("row", "unknown kernel 'row'; did you mean 'rows'?"),
    ("xyz", "unknown kernel 'xyz'; the kernels are mm, rows"),
]


@pytest.mark.parametrize(("name", "error"), UNKNOWN)
def test_unknown_kernels(config: Config, name: str, error: str) -> None:
    with pytest.raises(OptionError) as caught:
        plan_build(config, ["mm", name], render=render)
    assert str(caught.value) == error


def test_unknown_kernel_where_there_is_none(config: Config) -> None:
    with pytest.raises(OptionError) as caught:
        plan_build(replace(config, kernels=()), ["mm"], render=render)
    assert str(caught.value) == "unknown kernel 'mm'; the kernels are none"


@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_failure_leaves_the_old_file_whole(
    config: Config, folder: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    (folder / "mm.py").write_text(STALE, encoding="utf-8")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(ConfigError) as caught:
        build(config, render=render)
    assert str(caught.value) == "cannot write src/gen/mm.py: No space left on device"
    assert files(folder) == {"mm.py": STALE.encode()}


def test_interrupt_leaves_the_old_file_whole(
    config: Config, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "mm.py").write_text(STALE, encoding="utf-8")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        build(config, render=render)
    assert files(folder) == {"mm.py": STALE.encode()}
    monkeypatch.undo()
    build(config, render=render)
    assert files(folder)["mm.py"] == MM_TEXT.encode()


KILLED = """\
import os, sys
from pathlib import Path
from eingrad.build import _replace
os.replace = lambda *_: os._exit(9)
_replace(Path(sys.argv[1]), b"new")
"""


def test_killed_build_leaves_the_old_file_whole(folder: Path) -> None:
    path = folder / "mm.py"
    path.write_text(STALE, encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode == 9
    assert path.read_bytes() == STALE.encode()
    assert [p.suffix for p in folder.iterdir() if p != path] == [".tmp"]


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_mode_follows_the_umask(config: Config, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        build(config, render=render)
    finally:
        os.umask(before)
    path = config.root / "src/gen/mm.py"
    assert path.stat().st_mode & 0o777 == mode


def test_folder_that_cannot_be_made(config: Config) -> None:
    (config.root / "src").mkdir()
    (config.root / "src/gen").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        build(config, render=render)
    assert str(caught.value) == "cannot read src/gen/mm.py: Not a directory"


def test_diff(config: Config, folder: Path) -> None:
    (folder / "mm.py").write_bytes(STALE.replace("\n", "\r\n").encode())
    (folder / "old.py").write_text(MM_TEXT, encoding="utf-8")
    stale, new = recorded_digest(STALE), recorded_digest(MM_TEXT)
    assert diff(plan_build(config, render=render)) == (
        "--- a/src/gen/mm.py\n"
        "+++ b/src/gen/mm.py\n"
        "@@ -1,4 +1,4 @@\n"
        f" {HEADER}\n"
        f"-# @generated ij,jk body=sha256:{stale}\n"
        f"+# @generated ij,jk->ik body=sha256:{new}\n"
        " # Regenerate: eingrad build mm\n"
        '-SPEC = "ij,jk"\n'
        '+SPEC = "ij,jk->ik"\n'
        "--- /dev/null\n"
        "+++ b/src/gen/rows.py\n"
        "@@ -0,0 +1,4 @@\n"
        f"+{HEADER}\n"
        f"+# @generated ij->i body=sha256:{recorded_digest(render(ROWS))}\n"
        "+# Regenerate: eingrad build rows\n"
        '+SPEC = "ij->i"\n'
    )
    build(config, render=render)
    assert diff(plan_build(config, render=render)) == ""


def test_diff_shows_an_edit_and_a_missing_newline(config: Config, folder: Path) -> None:
    (folder / "mm.py").write_text(MM_TEXT.rstrip("\n") + "\f", encoding="utf-8")
    assert diff(plan_build(config, ["mm"], render=render)) == (
        "--- a/src/gen/mm.py\n"
        "+++ b/src/gen/mm.py\n"
        "@@ -1,4 +1,4 @@\n"
        f" {HEADER}\n"
        f" # @generated ij,jk->ik body=sha256:{recorded_digest(MM_TEXT)}\n"
        " # Regenerate: eingrad build mm\n"
        '-SPEC = "ij,jk->ik"\f\n'
        "\\ No newline at end of file\n"
        '+SPEC = "ij,jk->ik"\n'
    )


def test_diff_leaves_out_what_is_not_ours(config: Config, folder: Path) -> None:
    (folder / "mm.py").write_text("mine\n", encoding="utf-8")
    assert diff(plan_build(config, ["mm"], render=render)) == ""


def test_error_of_a_kernel_names_it(config: Config) -> None:
    def fail(kernel: KernelConfig) -> str:
        raise SpecError("unknown character '1'", "i1->i", (1, 2), "indices are letters")

    with pytest.raises(ConfigError) as caught:
        plan_build(config, render=fail)
    assert str(caught.value) == (
        "kernel 'mm': unknown character '1'\n  i1->i\n   ^\n  indices are letters"
    )


@pytest.mark.parametrize("text", ["x = 1\n", MM_TEXT + "x = 1\n", f"{HEADER}\n"])
def test_text_that_the_next_build_would_not_know(config: Config, text: str) -> None:
    with pytest.raises(InternalError) as caught:
        plan_build(config, render=lambda kernel: text)
    assert str(caught.value) == "the module of kernel 'mm' lacks its digest"


def test_digest_is_that_of_the_text_without_its_record() -> None:
    first, record, *rest = MM_TEXT.splitlines(keepends=True)
    bare = "".join([first, *rest])
    assert body_digest(bare) == body_digest(MM_TEXT) == recorded_digest(MM_TEXT)
    assert body_digest(MM_TEXT.replace("\n", "\r\n")) == body_digest(MM_TEXT)
    assert body_digest(EDITED) != body_digest(MM_TEXT)
    assert body_digest("".join([first, record, record, *rest])) != body_digest(bare)
    assert body_digest("a\nb\n") == "911169ddaaf146af"


RECORDS = [
    (MM_TEXT, body_digest(MM_TEXT)),
    (MM_TEXT.replace("\n", "\r\n"), body_digest(MM_TEXT)),
    (f"{HEADER}\n# @generated i->i target=numpy body=sha256:{'0' * 16}", "0" * 16),
    (f"{HEADER}\n# @generated i->i body=sha256:{'0' * 15}\n", None),
    (f"{HEADER}\n# @generated i->i body=sha256:{'0' * 17}\n", None),
    (f"{HEADER}\n\n# @generated i->i body=sha256:{'0' * 16}\n", None),
    (HEADER, None),
    ("", None),
]


@pytest.mark.parametrize(("text", "digest"), RECORDS)
def test_recorded_digest(text: str, digest: str | None) -> None:
    assert recorded_digest(text) == digest


def test_is_ours() -> None:
    assert is_ours(MM_TEXT)
    assert not is_ours(f" {MM_TEXT}")


def test_build_imports_neither_numpy_nor_the_pipeline() -> None:
    code = (
        "import sys, eingrad.build\n"
        "heavy = {'numpy', 'opt_einsum', 'jinja2', 'rich', 'packaging'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_configuration_reaches_the_module(config: Config) -> None:
    kernel = replace(
        MM, options=Options(operands=("x", "w"), wrt=("w",), license="MIT")
    )
    config = replace(config, kernels=(kernel, ROWS))
    build(config)
    text = (config.root / "src/gen/mm.py").read_text(encoding="utf-8")
    assert text.startswith(f"{HEADER}\n# @generated ij,jk->ik ")
    assert "# SPDX-License-Identifier: MIT\n# Regenerate: eingrad build mm\n" in text
    assert "grad_w" in text
    assert states(build(config)) == {"mm.py": "unchanged", "rows.py": "unchanged"}
