"""The build: what becomes of each file, and that nothing of anybody's is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from projects import configured, render, text_of

from eingrad.build import build
from eingrad.build_plan import Plan, diff
from eingrad.config import Config
from eingrad.digest import HEADER, body_digest, is_ours, recorded_digest
from eingrad.errors import (
    ConfigError,
    InternalError,
    OptionError,
    RefusedError,
)
from eingrad.kernel_tables import KernelConfig
from eingrad.kernel_text import Rendered
from eingrad.planning import plan_build
from eingrad.states import State

ROWS = KernelConfig("rows", "ij->i")
MM = KernelConfig("mm", "ij,jk->ik")
MM_TEXT = text_of(MM)
EDITED = MM_TEXT.replace('ij,jk->ik"', 'ij,jk->ki"')
STALE = text_of(replace(MM, spec="ij,jk"))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return configured(tmp_path, {kernel.name: kernel.spec for kernel in (MM, ROWS)})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "src" / "gen"
    path.mkdir(parents=True)
    return path


def actions(plan: Plan) -> dict[str, str]:
    return {file.path.name: file.action.value for file in plan.files}


def files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


def test_build_writes_everything_and_then_nothing(config: Config) -> None:
    folder = config.root / "src/gen"
    planned = build(config.root, render=render)
    assert actions(planned) == {"mm.py": "created", "rows.py": "created"}
    assert [str(file.path) for file in planned.files] == [
        "src/gen/mm.py",
        "src/gen/rows.py",
    ]
    assert files(folder) == {
        "mm.py": MM_TEXT.encode(),
        "rows.py": text_of(ROWS).encode(),
    }
    os.utime(folder / "mm.py", ns=(1, 1))
    again = build(config.root, render=render)
    assert actions(again) == {"mm.py": "unchanged", "rows.py": "unchanged"}
    assert (folder / "mm.py").stat().st_mtime_ns == 1
    assert again.reasons == ()


def test_plan_writes_nothing(config: Config) -> None:
    planned = plan_build(config, render=render)
    assert actions(planned) == {"mm.py": "created", "rows.py": "created"}
    assert [path.name for path in config.root.iterdir()] == ["pyproject.toml"]


STATES = [
    # (what stands at mm.py and is not listed, its state, whether a build replaces it)
    (MM_TEXT.encode(), State.OK, False),
    (MM_TEXT.replace("\n", "\r\n").encode(), State.OK, False),
    (STALE.encode(), State.STALE, True),
    (STALE.replace("\n", "\r\n").encode(), State.STALE, True),
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
    planned, _ = plan_build(config, render=render).files
    assert planned.state is state
    if state in (State.EDITED, State.FOREIGN):
        with pytest.raises(RefusedError):
            build(config.root, render=render)
        assert files(folder) == {"mm.py": content}
    else:
        build(config.root, render=render)
        assert path.read_bytes() == (MM_TEXT.encode() if replaced else content)


def test_refusal_names_every_file_and_the_ways_out(
    config: Config, folder: Path
) -> None:
    (folder / "mm.py").write_text(EDITED, encoding="utf-8")
    (folder / "rows.py").write_text("mine\n", encoding="utf-8")
    with pytest.raises(RefusedError) as caught:
        build(config.root, render=render)
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
    assert actions(plan_build(config, render=render))["mm.py"] == "refused"
    with pytest.raises(RefusedError):
        build(config.root, render=render)
    assert not (folder / "rows.py").exists()
    assert (folder / "target.py").read_text(encoding="utf-8") == "mine\n"


def test_leftovers_of_versions_without_a_manifest(config: Config, folder: Path) -> None:
    old = text_of(KernelConfig("old", "ij->j"))
    contents = {
        "old.py": old.encode(),
        "crlf.py": old.replace("\n", "\r\n").encode(),
        "edited.py": old.encode() + b"x = 1\n",
        "__init__.py": b"",
        "mine.py": b"x = 1\n",
        "latin.py": b"# \xff\n",
        "notes.txt": old.encode(),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "folder.py").mkdir()
    (folder / "link.py").symlink_to("old.py")
    planned = build(config.root, render=render)
    found = {file.path.name: file.state.value for file in planned.files}
    assert found == {
        "__init__.py": "foreign",
        "crlf.py": "orphan",
        "edited.py": "foreign",
        "folder.py": "foreign",
        "latin.py": "foreign",
        "link.py": "foreign",
        "mine.py": "foreign",
        "mm.py": "missing",
        "old.py": "orphan",
        "rows.py": "missing",
    }
    assert files(folder).items() >= contents.items()
    assert planned.reasons == (
        "src/gen/crlf.py belongs to no configured kernel; "
        "configure the kernel, or run `eingrad build --prune`",
        "src/gen/mm.py is missing; run `eingrad build`",
        "src/gen/old.py belongs to no configured kernel; "
        "configure the kernel, or run `eingrad build --prune`",
        "src/gen/rows.py is missing; run `eingrad build`",
    )
    build(config.root, prune=True, render=render)
    kept = contents.keys() - {"old.py", "crlf.py"}
    assert files(folder).keys() == kept | {"mm.py", "rows.py"}
    assert (folder / "link.py").is_symlink()


def test_prune_knows_a_kernel_under_two_names(config: Config) -> None:
    real, link = config.root / "real", config.root / "src"
    real.mkdir()
    link.symlink_to("real")
    build(config.root, render=render)
    made = files(real / "gen")
    kernels = {kernel.name: kernel.spec for kernel in (MM, ROWS)}
    configured(config.root, kernels, out="real/gen")
    planned = build(config.root, prune=True, render=render)
    assert actions(planned) == {"mm.py": "unchanged", "rows.py": "unchanged"}
    assert files(real / "gen") == made
    link.unlink()
    again = build(config.root, render=render)
    assert set(actions(again).values()) == {"unchanged"}


def test_prune_does_not_touch_what_is_not_listed(config: Config, folder: Path) -> None:
    build(config.root, render=render)
    mine = text_of(KernelConfig("mine", "ij->j"))
    (folder / "mine.py").write_text(mine, encoding="utf-8")
    planned = build(config.root, prune=True, render=render)
    assert {f.path.name: f.state for f in planned.files}["mine.py"] is State.FOREIGN
    assert planned.reasons == ()
    assert files(folder)["mine.py"] == mine.encode()


def test_named_kernels(config: Config, folder: Path) -> None:
    (folder / "old.py").write_text(MM_TEXT, encoding="utf-8")
    (folder / "mm.py").write_text("foreign\n", encoding="utf-8")
    planned = build(config.root, ["rows", "rows"], render=render)
    assert actions(planned) == {"rows.py": "created"}
    assert len(plan_build(config, (), render=render).files) == 3


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
    assert str(caught.value) == "unknown kernel 'mm'; no kernel is configured"


@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_failure_leaves_the_old_file_whole(
    config: Config, folder: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    (folder / "mm.py").write_text(STALE, encoding="utf-8")

    once = [getattr(os, call)]

    def fail(*arguments: object) -> None:
        # The manifest, which is written first, has no part in this.
        if not once:
            raise OSError(28, "No space left on device")
        once.pop()(*arguments)

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(ConfigError) as caught:
        build(config.root, render=render)
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
        build(config.root, render=render)
    assert files(folder) == {"mm.py": STALE.encode()}
    monkeypatch.undo()
    build(config.root, render=render)
    assert files(folder)["mm.py"] == MM_TEXT.encode()


@pytest.mark.parametrize(
    ("mask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)]
)
def test_mode_follows_the_umask(config: Config, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        build(config.root, render=render)
    finally:
        os.umask(before)
    path = config.root / "src/gen/mm.py"
    assert path.stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("mode", [0o600, 0o664, 0o755])
def test_a_file_keeps_its_mode(config: Config, folder: Path, mode: int) -> None:
    (folder / "mm.py").write_text(STALE, encoding="utf-8")
    (folder / "mm.py").chmod(mode)
    build(config.root, render=render)
    assert (folder / "mm.py").read_text("utf-8") == MM_TEXT
    assert (folder / "mm.py").stat().st_mode & 0o777 == mode


def test_folder_that_cannot_be_made(config: Config) -> None:
    (config.root / "src").mkdir()
    (config.root / "src/gen").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        plan_build(config, render=render)
    assert str(caught.value) == "cannot read src/gen/mm.py: Not a directory"


def test_diff(config: Config, folder: Path) -> None:
    (folder / "mm.py").write_bytes(STALE.replace("\n", "\r\n").encode())
    (folder / "old.py").write_text(MM_TEXT, encoding="utf-8")
    stale, new = recorded_digest(STALE), recorded_digest(MM_TEXT)
    rows = recorded_digest(text_of(ROWS))
    assert diff(plan_build(config, render=render).files) == (
        "--- a/src/gen/mm.py\n"
        "+++ b/src/gen/mm.py\n"
        "@@ -1,4 +1,4 @@\n"
        f" {HEADER}\n"
        f"-# @generated ij,jk target=numpy body=sha256:{stale}\n"
        f"+# @generated ij,jk->ik target=numpy body=sha256:{new}\n"
        " # Regenerate: eingrad build mm\n"
        '-SPEC = "ij,jk"\n'
        '+SPEC = "ij,jk->ik"\n'
        "--- /dev/null\n"
        "+++ b/src/gen/rows.py\n"
        "@@ -0,0 +1,4 @@\n"
        f"+{HEADER}\n"
        f"+# @generated ij->i target=numpy body=sha256:{rows}\n"
        "+# Regenerate: eingrad build rows\n"
        '+SPEC = "ij->i"\n'
    )
    build(config.root, render=render)
    assert diff(plan_build(config, render=render).files) == ""


def test_diff_shows_an_edit_and_a_missing_newline(config: Config, folder: Path) -> None:
    (folder / "mm.py").write_text(EDITED.rstrip("\n") + "\f", encoding="utf-8")
    assert diff(plan_build(config, ["mm"], render=render).files) == (
        "--- a/src/gen/mm.py\n"
        "+++ b/src/gen/mm.py\n"
        "@@ -1,4 +1,4 @@\n"
        f" {HEADER}\n"
        f" # @generated ij,jk->ik target=numpy body=sha256:{recorded_digest(MM_TEXT)}\n"
        " # Regenerate: eingrad build mm\n"
        '-SPEC = "ij,jk->ki"\f\n'
        "\\ No newline at end of file\n"
        '+SPEC = "ij,jk->ik"\n'
    )


def test_diff_leaves_out_what_is_not_ours(config: Config, folder: Path) -> None:
    (folder / "mm.py").write_text("mine\n", encoding="utf-8")
    assert diff(plan_build(config, ["mm"], render=render).files) == ""


def test_error_of_a_kernel_names_it(config: Config) -> None:
    config = replace(config, kernels=(replace(MM, spec="i1->i"), ROWS))
    with pytest.raises(ConfigError) as caught:
        plan_build(config)
    assert str(caught.value).startswith(
        "kernel 'mm': unknown character '1'\n  i1->i\n   ^\n"
    )


@pytest.mark.parametrize("text", ["x = 1\n", MM_TEXT + "x = 1\n", f"{HEADER}\n"])
def test_text_that_the_next_build_would_not_know(config: Config, text: str) -> None:
    with pytest.raises(InternalError) as caught:
        plan_build(config, render=lambda kernel, plan: Rendered(text, ()))
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
        "import sys, eingrad.build, eingrad.planning\n"
        "heavy = {'numpy', 'opt_einsum', 'jinja2', 'rich', 'packaging'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_configuration_reaches_the_module(tmp_path: Path) -> None:
    config = configured(tmp_path, {"rows": "ij->i", "mm": "ij,jk->ik"})
    with open(config.source, "a") as file:
        file.write('operands = ["x", "w"]\nwrt = ["w"]\nlicense = "MIT"\n')
    build(tmp_path)
    text = (tmp_path / "src/gen/mm.py").read_text(encoding="utf-8")
    assert text.startswith(f"{HEADER}\n# @generated ij,jk->ik ")
    assert "# SPDX-License-Identifier: MIT\n# Regenerate: eingrad build mm\n" in text
    assert "grad_w" in text
    assert actions(build(tmp_path)) == {"mm.py": "unchanged", "rows.py": "unchanged"}


def test_an_edit_during_the_build_is_kept(config: Config, folder: Path) -> None:
    path = folder / "mm.py"
    path.write_text(STALE, encoding="utf-8")

    def edit(_: Plan) -> None:
        path.write_text(EDITED, encoding="utf-8")

    with pytest.raises(RefusedError) as caught:
        build(config.root, planned=edit, render=render)
    assert str(caught.value) == (
        "src/gen/mm.py was changed while the build ran; run it again"
    )
    assert path.read_text("utf-8") == EDITED
