"""Vendored kernels: what each command makes of a file in each state."""

from __future__ import annotations

import contextlib
import json
import os
import tomllib
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

import pytest
from projects import powerless
from vendored import ADD, DEST, FRESH, TEST, Folder

from eingrad.cli import main
from eingrad.digest import body_digest, is_ours, recorded_digest

# What makes the file of a fresh project one of each state.


def as_it_is(project: Folder) -> None:
    """Leave the file alone."""


def reformat(project: Folder) -> None:
    project.replace(DEST, 'SPEC = "bi,ij->bj"', "SPEC = (\n  'bi,ij->bj'\n)")


def configure(project: Folder) -> None:
    project.replace("eingrad.toml", 'output = "y"', 'output = "z"')


def edit(project: Folder) -> None:
    project.replace(DEST, "\nArray = ", "\nprint('loaded')\n\nArray = ")


def edit_and_configure(project: Folder) -> None:
    edit(project)
    configure(project)


def edit_what_is_configured(project: Folder) -> None:
    project.replace(DEST, "returns y: (b, j)", "returns y: one row for each of x")
    configure(project)


def delete(project: Folder) -> None:
    (project.root / DEST).unlink()


def forget(project: Folder) -> None:
    (project.root / "eingrad.toml").write_text("[vendor]\n")


def edit_and_forget(project: Folder) -> None:
    edit(project)
    forget(project)


def unlist(project: Folder) -> None:
    (project.root / DEST).write_text("mine = 1\n")
    (project.root / "eingrad.lock").unlink()


def checked_out_with_crlf(project: Folder) -> None:
    for path in (DEST, "eingrad.toml", "eingrad.lock"):
        content = (project.root / path).read_bytes().replace(b"\n", b"\r\n")
        (project.root / path).write_bytes(content)


def no_utf8(project: Folder) -> None:
    (project.root / DEST).write_bytes(b"\xff = 1\n")


def folder_in_the_way(project: Folder) -> None:
    (project.root / DEST).unlink()
    (project.root / DEST).mkdir()


@dataclass(frozen=True)
class Row:
    """What `vendor verify` and `vendor update` say of a file, and the latter does."""

    state: str
    verify: tuple[int, str]
    update: tuple[int, str]
    action: str
    holds: tuple[str, ...] = ()


HELD = 'SPEC = "bi,ij->bj"'
SEE = f"see `eingrad vendor diff linear`, and undo the edit, or keep it with {''}"
WAYS = "`eingrad vendor accept linear` or `eingrad vendor patch linear`"
WROTE = "1 file, 0 of them up to date already\n"
REFUSED = f"error: nothing was overwritten\n  {DEST} "

ROWS = {
    as_it_is: Row("ok", (0, ""), (0, FRESH), "unchanged", (HELD,)),
    checked_out_with_crlf: Row(
        "ok", (0, ""), (0, FRESH), "unchanged", (f"{HELD}\r\n",)
    ),
    reformat: Row(
        "reformatted",
        (0, ""),
        (0, f"{DEST} was reformatted; its code is as it was generated\n{FRESH}"),
        "unchanged",
        ("SPEC = (\n",),
    ),
    configure: Row(
        "stale",
        (1, "is not what the manifest or the configuration say; run `{update}`"),
        (0, f"changed {DEST}\n{WROTE}"),
        "changed",
        ("returns z: (b, j)",),
    ),
    edit: Row(
        "edited",
        (1, f"was edited; {SEE}{WAYS}"),
        (0, f"{DEST} was edited, and nothing new was generated\n{FRESH}"),
        "unchanged",
        ("print('loaded')",),
    ),
    edit_and_configure: Row(
        "conflict",
        (1, "was edited, and its configuration has changed; run `{update}`"),
        (0, f"changed {DEST}, merged with its edit\n{WROTE}"),
        "changed",
        ("print('loaded')", "returns z: (b, j)"),
    ),
    edit_what_is_configured: Row(
        "conflict",
        (1, "was edited, and its configuration has changed; run `{update}`"),
        (
            3,
            f"{REFUSED}was edited where the new version differs too; undo the edit, "
            "or run `eingrad vendor update --markers linear` and merge by hand\n",
        ),
        "refused",
        ("returns y: one row for each of x",),
    ),
    delete: Row(
        "missing",
        (1, "is missing; run `{update}`"),
        (0, f"created {DEST}\n{WROTE}"),
        "created",
        (HELD,),
    ),
    forget: Row(
        "orphan",
        (1, "belongs to no configured kernel; run `eingrad vendor update --prune`"),
        (
            0,
            f"{DEST} belongs to no configured kernel; `--prune` deletes it\n"
            "0 files, 0 of them up to date already\n",
        ),
        "unchanged",
        (HELD,),
    ),
    unlist: Row(
        "foreign",
        (1, "is not in eingrad.lock; move it, and run `{update}`"),
        (
            3,
            f"{REFUSED}is in the way, and not in eingrad.lock; move it, or vendor "
            "elsewhere\n",
        ),
        "refused",
        ("mine = 1\n",),
    ),
    no_utf8: Row(
        "edited",
        (1, f"was edited; {SEE}{WAYS}"),
        (3, f"{REFUSED}is no plain file of UTF-8 text; move it away\n"),
        "refused",
    ),
    folder_in_the_way: Row(
        "edited",
        (1, f"was edited; {SEE}{WAYS}"),
        (3, f"{REFUSED}is no plain file of UTF-8 text; move it away\n"),
        "refused",
    ),
}

EACH_STATE = pytest.mark.parametrize(
    ("prepare", "row"), ROWS.items(), ids=lambda x: getattr(x, "__name__", "")
)


@EACH_STATE
def test_verify_tells_the_state(
    project: Folder, prepare: Callable[[Folder], None], row: Row
) -> None:
    prepare(project)
    before = project.disk()
    code, reason = row.verify
    reason = reason.format(update="eingrad vendor update linear")
    why = f"{DEST} {reason}" if reason else ""
    said = f"{why}\n" if why else ""
    assert project.vendor("verify") == (code, f"{row.state:<11}  {DEST}\n", said)
    fact = {"path": DEST, "kernel": "linear", "state": row.state}
    fact |= {"reason": why} if why else {}
    code, out, err = project.vendor("verify", "--json")
    assert (code, json.loads(out), err) == (row.verify[0], [fact], said)
    assert project.disk() == before


@EACH_STATE
def test_update_does_what_the_state_asks_for(
    project: Folder, prepare: Callable[[Folder], None], row: Row
) -> None:
    prepare(project)
    before = project.disk()
    code, out, err = project.vendor("update", "--json")
    assert (code, err) == row.update
    fact = {"path": DEST, "kernel": "linear", "state": row.state, "action": row.action}
    assert json.loads(out) == [fact]
    after = project.disk()
    for text in row.holds:
        assert text in after[DEST].decode()
    if row.action in ("unchanged", "refused"):
        assert {**after, "eingrad.lock": b""} == {**before, "eingrad.lock": b""}
    # What was done is done.
    if code == 0:
        code, out, err = project.vendor("update", "--json")
        assert code == 0
        assert all(f["action"] == "unchanged" for f in json.loads(out))
        assert project.disk() == after


@EACH_STATE
def test_a_dry_run_writes_nothing(
    project: Folder, prepare: Callable[[Folder], None], row: Row
) -> None:
    prepare(project)
    before = project.disk()
    assert project.vendor("update", "-n")[0] == row.update[0]
    assert project.disk() == before


PRUNED = {
    as_it_is: (0, "unchanged"),
    forget: (0, "deleted"),
    edit_and_forget: (3, "refused"),
}


@pytest.mark.parametrize(
    ("prepare", "code", "action"),
    [(prepare, *row) for prepare, row in PRUNED.items()],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_prune_deletes_what_is_as_it_was_generated(
    project: Folder, prepare: Callable[[Folder], None], code: int, action: str
) -> None:
    prepare(project)
    before = project.disk()
    left, out, _ = project.vendor("update", "--prune", "--json")
    assert (left, json.loads(out)[0]["action"]) == (code, action)
    gone = {DEST} if action == "deleted" else set()
    assert before.keys() - project.disk().keys() == gone


def test_a_moved_file_leaves_an_orphan(project: Folder) -> None:
    project.replace("eingrad.toml", DEST, "linear.py")
    project.done("update")
    assert (
        project.vendor("verify")[1] == f"ok           linear.py\norphan       {DEST}\n"
    )
    project.done("update", "--prune")
    assert sorted(project.disk()) == ["eingrad.lock", "eingrad.toml", "linear.py"]
    assert project.vendor("verify")[0] == 0


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (
            ["--dest", "../out.py"],
            "--dest must stay inside the project's root, without '..', "
            'got "../out.py"',
        ),
        (
            ["--dest", "a.py", "--test", "a.txt"],
            "--test must be the path of a Python file, such as 'src/mypkg/name.py', "
            'got "a.txt"',
        ),
        (
            ["--dest", "src\\mypkg\\linear.py"],
            "--dest must be a path with '/' between folders, "
            'got "src\\\\mypkg\\\\linear.py"',
        ),
        (
            ["--dest", "a.py", "--name", "A"],
            "kernel 'A': a kernel's name must be lower-case ASCII letters, digits and "
            "'_', a letter first",
        ),
    ],
)
def test_a_bad_option_is_named(empty: Folder, options: list[str], error: str) -> None:
    assert empty.vendor("add", "i->", *options) == (2, "", f"error: {error}\n")
    assert empty.disk() == {}


@pytest.mark.parametrize("command", ["verify", "update", "diff", "remove", "eject"])
def test_a_misspelt_kernel_is_an_error(project: Folder, command: str) -> None:
    before = project.disk()
    error = "error: no vendored kernel is called 'liner'; did you mean 'linear'?\n"
    assert project.vendor(command, "liner") == (2, "", error)
    assert project.disk() == before


def test_an_orphan_is_verified_by_its_name(project: Folder) -> None:
    forget(project)
    assert project.vendor("verify", "linear")[:2] == (1, f"orphan       {DEST}\n")


def test_a_reformatted_file_fails_a_strict_verification(project: Folder) -> None:
    assert project.vendor("verify", "--strict")[0] == 0
    reformat(project)
    assert project.vendor("verify", "--strict")[0] == 1


BAD_TABLES = {
    "out of the project": (
        'dest = "../linear.py"',
        "dest must stay inside the project's root, without '..', got \"../linear.py\"",
    ),
    "an absolute path": (
        'dest = "/tmp/linear.py"',
        'dest must be relative to the project\'s root, got "/tmp/linear.py"',
    ),
    "through a link": (
        'dest = "link/linear.py"',
        "dest must stay inside the project's root, but the symbolic link link leads "
        'out of it, got "link/linear.py"',
    ),
    "a keyword": (
        'dest = "src/class.py"',
        "dest must name a module that can be imported; its name must not be a Python "
        'keyword: its module could not be imported, got "src/class.py"',
    ),
    "no Python file": (
        'dest = "src/linear.txt"',
        "dest must be the path of a Python file, such as 'src/mypkg/name.py', "
        'got "src/linear.txt"',
    ),
    "no dest": (
        "",
        'dest is missing: the file, such as "src/mypkg/_vendor/linear.py"',
    ),
}


@pytest.mark.parametrize(("line", "reason"), BAD_TABLES.values(), ids=list(BAD_TABLES))
@pytest.mark.parametrize("command", ["update", "verify"])
def test_bad_places_are_refused(
    empty: Folder,
    tmp_path_factory: pytest.TempPathFactory,
    command: str,
    line: str,
    reason: str,
) -> None:
    (empty.root / "link").symlink_to(tmp_path_factory.mktemp("elsewhere"))
    table = f'[vendor.linear]\nspec = "bi,ij->bj"\n{line}\n'
    (empty.root / "eingrad.toml").write_text(table)
    before = empty.disk()
    dot = "" if reason.startswith(" ") else "."
    message = f"error: eingrad.toml: vendor.linear{dot}{reason}\n"
    assert empty.vendor(command) == (2, "", message)
    assert empty.disk() == before


TWO = """
[vendor.one]
spec = "ij->i"
dest = "{}"
[vendor.two]
spec = "ij->j"
dest = "{}"
"""


@pytest.mark.parametrize(
    ("one", "two"), [("src/a.py", "src/a.py"), ("src/a.py", "SRC/a.py")]
)
def test_two_kernels_in_one_file_are_refused(empty: Folder, one: str, two: str) -> None:
    (empty.root / "eingrad.toml").write_text(TWO.format(one, two))
    assert empty.vendor("update") == (
        2,
        "",
        "error: eingrad.toml: vendor.one.dest and eingrad.toml: vendor.two.dest "
        "are the same file, or would be on systems that do not tell lower from upper "
        "case\n",
    )


def test_a_folder_of_the_build_is_refused(empty: Folder) -> None:
    (empty.root / "eingrad.toml").write_text('out = "src"\n')
    code, _, err = empty.vendor("add", "ij->i", "--dest", "src/deep/rows.py")
    assert code == 2
    assert "vendor.rows.dest must not be inside 'src'" in err


def test_a_link_inside_the_project_may_lead_to_the_file(empty: Folder) -> None:
    (empty.root / "real").mkdir()
    (empty.root / "link").symlink_to("real")
    assert empty.vendor("add", "ij->i", "--dest", "link/rows.py")[0] == 0
    assert is_ours((empty.root / "real" / "rows.py").read_text())
    assert empty.vendor("verify")[0] == 0
    # Without the link it is the same file.
    empty.replace("eingrad.toml", "link/rows.py", "real/rows.py")
    assert empty.vendor("update", "--prune")[0] == 0
    (empty.root / "link").unlink()
    assert empty.vendor("verify")[0] == 0
    assert empty.vendor("remove", "rows")[0] == 0
    assert empty.disk() == {}


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_configuration_behind_a_link_is_not_edited(empty: Folder) -> None:
    (empty.root / "real.toml").write_text("[project]\n")
    (empty.root / "pyproject.toml").symlink_to("real.toml")
    before = empty.disk()
    error = "error: pyproject.toml is no plain file of UTF-8 text\n"
    assert empty.vendor(*ADD) == (2, "", error)
    assert empty.disk() == before
    assert (empty.root / "pyproject.toml").is_symlink()


def test_a_read_only_tree_is_verified_and_not_changed(project: Folder) -> None:
    configure(project)
    before = project.disk()
    folders = [
        project.root,
        *(path for path in project.root.rglob("*") if path.is_dir()),
    ]
    for folder in folders:
        folder.chmod(0o555)
    with powerless():
        verified, updated = project.vendor("verify"), project.vendor("update")
        removed = project.vendor("remove", "linear")
    for folder in folders:
        folder.chmod(0o755)
    assert verified[0] == 1
    assert updated == (2, "", f"error: cannot write {DEST}: Permission denied\n")
    assert removed == (2, "", f"error: cannot delete {DEST}: Permission denied\n")
    assert project.disk() == before


def test_an_interrupted_update_is_completed(project: Folder) -> None:
    """Leave the new file with the old manifest, as a kill between the two does."""
    old = (project.root / "eingrad.lock").read_bytes()
    configure(project)
    assert project.vendor("update")[0] == 0
    done = project.disk()
    (project.root / "eingrad.lock").write_bytes(old)
    assert project.vendor("verify")[1] == f"stale        {DEST}\n"
    assert project.vendor("update")[0] == 0
    assert project.disk() == done


def test_an_interrupted_addition_is_no_stranger(empty: Folder) -> None:
    """Leave the file alone, as a kill before the manifest and configuration does."""
    empty.done("add", "bi,ij->bj", "--dest", DEST)
    for path in ("eingrad.lock", "eingrad.toml"):
        (empty.root / path).unlink()
    assert empty.vendor(*ADD)[2] == f"changed {DEST}\n{WROTE}"
    assert empty.vendor("verify")[0] == 0
    # Nor is it where the configuration alone is there.
    (empty.root / "eingrad.lock").unlink()
    assert empty.vendor("verify")[:2] == (1, f"stale        {DEST}\n")
    configure(empty)
    assert empty.vendor("update")[2] == f"changed {DEST}\n{WROTE}"
    edit(empty)
    (empty.root / "eingrad.lock").unlink()
    assert empty.vendor("verify")[:2] == (1, f"foreign      {DEST}\n")
    assert empty.vendor("update")[0] == 3


def test_a_plan_on_record_that_does_not_fit_gives_way(project: Folder) -> None:
    before = project.disk()
    project.replace("eingrad.lock", "plan = [[0, 1]]", "plan = [[0, 7]]")
    project.done("update")
    assert project.disk() == before


def test_an_unchanged_file_keeps_its_time(project: Folder) -> None:
    paths = [
        project.root / DEST,
        project.root / "eingrad.lock",
        project.root / "eingrad.toml",
    ]
    before = [path.stat().st_mtime_ns for path in paths]
    assert project.vendor("update")[0] == 0
    assert [path.stat().st_mtime_ns for path in paths] == before


def test_files_are_sealed(project: Folder) -> None:
    assert project.vendor("add", "ij->i", "--dest", "rows.py", "--with-test")[0] == 0
    for path in (DEST, "rows.py", "tests/test_rows.py"):
        text = (project.root / path).read_text()
        assert recorded_digest(text) == body_digest(text)
        assert "# SPDX-License-Identifier: 0BSD\n" in text
        name = "linear" if path == DEST else "rows"
        assert f"# Regenerate: eingrad vendor update {name}\n" in text


def test_a_build_leaves_vendored_kernels_alone(empty: Folder) -> None:
    (empty.root / "pyproject.toml").write_text(
        '[tool.eingrad]\nout = "gen"\n[tool.eingrad.kernels.rows]\nspec = "ij->i"\n'
    )
    main(["build"])
    empty.done(*ADD, "--with-test")
    kept = {path: empty.read(path) for path in (DEST, TEST)}
    for command in (["build", "--check"], ["build", "--prune"], ["clean"], ["build"]):
        with contextlib.suppress(SystemExit):
            main(command)
        empty.capsys.readouterr()
        assert {path: empty.read(path) for path in (DEST, TEST)} == kept
        assert empty.vendor("verify")[0] == 0


def test_a_build_of_vendored_kernels_alone_has_nothing_to_do(project: Folder) -> None:
    before = project.disk()
    for command in (["build", "--check"], ["build"], ["build", "--prune"]):
        with pytest.raises(SystemExit) if "--check" in command else nullcontext():
            main(command)
    assert project.disk() == before


def test_another_generator_with_the_same_text_changes_nothing(project: Folder) -> None:
    """Let the manifest be one that other source of eingrad's own has written."""
    inputs = tomllib.loads(project.read("eingrad.lock"))["file"][0]["inputs"]
    project.replace("eingrad.lock", inputs, "sha256:0")
    before = project.disk()
    project.done("update")
    assert project.disk() == before
