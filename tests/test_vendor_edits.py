"""Vendored kernels: edits merged, kept and given up, and copies from other projects."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from vendored import ADD, DEST, FRESH, TEST, Folder

from eingrad.digest import HEADER, body_digest, body_hash

PRINT = "\nprint('loaded')\n"


def edit(project: Folder) -> None:
    project.replace(DEST, "\nArray = ", f"{PRINT}\nArray = ")


def configure(project: Folder) -> None:
    project.replace("eingrad.toml", 'output = "y"', 'output = "z"')


def entry(project: Folder, path: str = DEST) -> dict[str, object]:
    files = tomllib.loads(project.read("eingrad.lock"))["file"]
    return next(file for file in files if file["path"] == path)


def pretend_other_version(project: Folder) -> str:
    """Make the file what another version of eingrad would have written; return it."""
    text = project.read(DEST).replace("Compute ``", "Evaluate ``", 1)
    old = body_digest(project.read(DEST))
    text = text.replace(old, body_digest(text))
    body = str(entry(project)["body"])
    (project.root / DEST).write_text(text)
    project.replace("eingrad.lock", body, body_hash(text))
    assert project.vendor("verify")[0] == 0
    return text


def git(project: Folder, *words: str) -> None:
    name = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *name, *words], cwd=project.root, check=True)


def test_an_edit_is_shown_against_what_was_generated(project: Folder) -> None:
    assert project.done("diff") == ""
    edit(project)
    shown = project.done("diff", "linear").splitlines()
    assert shown[:2] == [f"--- a/{DEST}", f"+++ b/{DEST}"]
    assert [line for line in shown[2:] if line[0] in "+-"] == ["+", "+print('loaded')"]


def test_the_merge_runs_and_keeps_both_changes(project: Folder) -> None:
    edit(project)
    configure(project)
    project.done("update")
    merged = project.read(DEST)
    shown = project.done("diff").splitlines()
    assert [line for line in shown[2:] if line[0] in "+-"] == ["+", "+print('loaded')"]
    assert "returns z: (b, j)" in merged
    done = subprocess.run([sys.executable, DEST], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "loaded\n")


def test_markers_are_written_when_asked_for_alone(project: Folder) -> None:
    project.replace(DEST, "returns y: (b, j)", "returns y: rows")
    configure(project)
    edited = project.read(DEST)
    assert project.vendor("update")[0] == 3
    assert project.read(DEST) == edited
    project.done("update", "--markers")
    marked = project.read(DEST)
    for line in (
        "<<<<<<< edited\n",
        "    returns y: rows\n",
        "||||||| base\n",
        "    returns y: (b, j)\n",
        "=======\n",
        "    returns z: (b, j)\n",
        ">>>>>>> generated\n",
    ):
        assert line in marked
    assert project.vendor("verify")[0] == 1


def test_what_another_version_wrote_is_found_in_the_history(project: Folder) -> None:
    git(project, "init", "-q")
    pretend_other_version(project)
    git(project, "add", ".")
    git(project, "commit", "-qm", "one")
    edit(project)
    git(project, "commit", "-qam", "two")
    project.done("update")
    assert PRINT in project.read(DEST)
    assert "Compute ``" in project.read(DEST)


def test_without_its_base_an_edit_is_left_and_the_new_text_put_beside(
    project: Folder,
) -> None:
    new = project.read(DEST)
    pretend_other_version(project)
    edit(project)
    edited = project.read(DEST)
    beside = DEST.replace(".py", ".new.py")
    assert project.vendor("update") == (
        3,
        "",
        f"error: nothing was overwritten\n  {DEST} was edited, and what it was made "
        f"from is lost; the new text is in {beside}\n",
    )
    assert project.read(DEST) == edited
    assert project.read(beside) == new
    # It is replaced while it is as it was written, and not when somebody works in it.
    assert project.vendor("update")[0] == 3
    (project.root / beside).write_text("mine = 1\n")
    code, _, err = project.vendor("update")
    assert code == 3
    assert f"but {beside} is in the way, and was not generated; move it" in err
    assert project.read(beside) == "mine = 1\n"
    assert project.vendor("diff")[0] == 2


def test_an_accepted_edit_is_right_and_survives_updates(project: Folder) -> None:
    edit(project)
    project.done("accept", "linear", "--reason", "tell when")
    assert project.done("verify") == f"ok           {DEST}  (tell when)\n"
    assert project.vendor("update") == (0, "", FRESH)
    configure(project)
    project.done("update")
    assert PRINT in project.read(DEST)
    assert project.done("verify") == f"ok           {DEST}  (tell when)\n"
    # An edit on top of it is an edit.
    project.replace(DEST, "print('loaded')", "print('here')")
    assert project.vendor("verify")[0] == 1
    # To undo the edit and accept withdraws it.
    (project.root / DEST).unlink()
    project.done("update")
    assert PRINT not in project.read(DEST)
    project.done("accept", "linear")
    assert "accepted" not in entry(project)
    assert project.done("verify") == f"ok           {DEST}\n"


def test_a_patch_is_applied_again(project: Folder) -> None:
    edit(project)
    project.done("patch", "linear", "--reason", "tell when")
    path = "patches/linear.patch"
    assert entry(project)["patch"] == path
    assert project.done("verify") == f"ok           {DEST}  (tell when)\n"
    assert project.vendor("update") == (0, "", FRESH)
    patched = project.read(DEST)
    (project.root / DEST).unlink()
    project.done("update")
    assert project.read(DEST) == patched
    configure(project)
    project.done("update")
    assert PRINT in project.read(DEST)
    assert "returns z: (b, j)" in project.read(DEST)
    assert project.vendor("verify")[0] == 0
    # The patch is one to the new text, as git reads it.
    again = project.read(DEST)
    subprocess.run(["git", "apply", "-R", path], check=True)
    assert project.done("diff") == ""
    assert project.vendor("update")[0] == 0
    assert project.read(DEST) == again


def test_an_edit_whose_base_is_lost_makes_no_patch(project: Folder) -> None:
    pretend_other_version(project)
    edit(project)
    code, _, err = project.vendor("patch", "linear")
    assert (code, "was before its edit is lost" in err) == (2, True), err
    assert "patches/linear.patch" not in project.disk()


def test_a_patched_file_is_updated_from_another_version(project: Folder) -> None:
    git(project, "init", "-q")
    pretend_other_version(project)
    git(project, "add", ".")
    git(project, "commit", "-qm", "one")
    edit(project)
    project.done("patch", "linear")
    # From here on the patch itself leads back to what was generated.
    for path in sorted((project.root / ".git").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    project.done("update")
    assert PRINT in project.read(DEST)
    assert "Compute ``" in project.read(DEST)
    assert project.vendor("verify")[0] == 0


def test_an_edit_beyond_the_patch_is_not_lost(project: Folder) -> None:
    edit(project)
    project.done("patch", "linear")
    project.replace(DEST, "print('loaded')", "print('here')")
    configure(project)
    edited = project.read(DEST)
    code, _, err = project.vendor("update")
    assert code == 3
    assert "was edited beyond its patch; run `eingrad vendor patch linear` first" in err
    assert project.read(DEST) == edited
    code, _, err = project.vendor("accept", "linear")
    assert (code, "patches/linear.patch" in err) == (2, True)
    project.done("patch", "linear")
    project.done("update")
    assert "print('here')" in project.read(DEST)


def test_a_patch_whose_edit_was_undone_is_deleted(project: Folder) -> None:
    edit(project)
    project.done("patch", "linear")
    project.replace(DEST, PRINT, "")
    project.done("patch", "linear")
    assert not (project.root / "patches" / "linear.patch").exists()
    assert entry(project)["patch"] == ""
    assert project.vendor("verify")[0] == 0


def test_a_moved_file_keeps_its_edit(project: Folder) -> None:
    edit(project)
    project.done("accept", "linear", "--reason", "tell when")
    moved = "mypkg/linear.py"
    (project.root / "mypkg").mkdir()
    (project.root / DEST).rename(project.root / moved)
    assert project.vendor("verify")[1] == f"missing      {DEST}\n"
    project.replace("eingrad.toml", DEST, moved)
    # The manifest still has the old path, so an update is due.
    assert project.vendor("verify")[:2] == (1, f"stale        {moved}  (tell when)\n")
    before = project.read(moved)
    project.done("update")
    assert project.read(moved) == before
    assert project.done("verify") == f"ok           {moved}  (tell when)\n"
    assert DEST not in project.read("eingrad.lock")


def test_what_is_no_generated_file_was_not_moved(project: Folder) -> None:
    (project.root / DEST).unlink()
    (project.root / "linear.py").write_text("mine = 1\n")
    project.replace("eingrad.toml", DEST, "linear.py")
    code, _, err = project.vendor("update")
    assert (code, "linear.py is in the way" in err) == (3, True), err
    assert project.read("linear.py") == "mine = 1\n"


def test_a_test_of_a_moved_file_is_brought_up_to_date(empty: Folder) -> None:
    empty.done(*ADD, "--with-test")
    (empty.root / DEST).rename(empty.root / "linear.py")
    empty.replace("eingrad.toml", DEST, "linear.py")
    assert f"stale        {TEST}\n" in empty.vendor("verify")[1]
    empty.done("update")
    assert empty.vendor("verify")[0] == 0
    assert 'parents[1] / "linear.py"' in empty.read(TEST)


def test_an_edit_left_behind_is_not_pruned(project: Folder) -> None:
    edit(project)
    project.replace("eingrad.toml", DEST, "linear.py")
    project.done("update")
    code, _, err = project.vendor("update", "--prune")
    assert (code, err) == (
        3,
        f"error: nothing was overwritten\n  {DEST} was edited, and belongs to no "
        "configured kernel; move it to linear.py to keep the edit, or delete it\n",
    )


def rename(project: Folder) -> None:
    project.replace("eingrad.toml", "[vendor.linear]", "[vendor.dense]")


def test_a_renamed_kernel_is_stale(project: Folder) -> None:
    rename(project)
    assert project.vendor("verify")[:2] == (1, f"stale        {DEST}\n")
    project.done("update")
    assert "# Regenerate: eingrad vendor update dense\n" in project.read(DEST)
    assert project.vendor("verify")[0] == 0


def test_the_patch_of_a_renamed_kernel_is_renamed(project: Folder) -> None:
    edit(project)
    project.done("patch", "linear", "--reason", "tell when")
    rename(project)
    (project.root / "patches" / "dense.patch").write_text("mine\n")
    before = project.disk()
    code, _, err = project.vendor("update")
    assert (code, "patches/dense.patch is in the way" in err) == (3, True), err
    assert project.disk() == before
    (project.root / "patches" / "dense.patch").unlink()
    project.done("update")
    assert entry(project)["patch"] == "patches/dense.patch"
    assert "patches/linear.patch" not in project.disk()
    assert project.done("verify") == f"ok           {DEST}  (tell when)\n"
    patched = project.read(DEST)
    (project.root / DEST).unlink()
    project.done("update")
    assert project.read(DEST) == patched
    assert PRINT in patched


def test_a_kernel_is_renamed_and_moved_at_once(empty: Folder) -> None:
    moved = "mypkg/dense.py"
    empty.done(*ADD, "--with-test")
    edit(empty)
    empty.done("patch", "linear", "--reason", "tell when")
    (empty.root / "mypkg").mkdir()
    (empty.root / DEST).rename(empty.root / moved)
    (empty.root / TEST).rename(empty.root / "tests/test_dense.py")
    rename(empty)
    empty.replace("eingrad.toml", DEST, moved)
    empty.replace("eingrad.toml", TEST, "tests/test_dense.py")
    states = f"stale        {moved}  (tell when)\nstale        tests/test_dense.py\n"
    assert empty.vendor("verify")[1] == states
    empty.done("update")
    assert PRINT in empty.read(moved)
    assert "# Regenerate: eingrad vendor update dense\n" in empty.read(moved)
    assert empty.vendor("verify")[1] == states.replace("stale", "ok   ")
    assert "linear" not in empty.read("eingrad.lock")
    assert list((empty.root / "patches").iterdir()) == [
        empty.root / "patches" / "dense.patch"
    ]


def test_a_stranger_in_the_place_of_the_patch_is_kept(project: Folder) -> None:
    edit(project)
    (project.root / "patches").mkdir()
    (project.root / "patches" / "linear.patch").write_text("mine\n")
    assert project.vendor("patch", "linear")[0] == 3
    assert project.read("patches/linear.patch") == "mine\n"


@pytest.mark.parametrize("patch", ["../mine.txt", "src/mypkg/mine.txt"])
def test_a_manifest_cannot_make_a_patch_of_any_file(
    project: Folder, patch: str
) -> None:
    mine = project.root / patch
    mine.write_text("mine\n")
    edit(project)
    project.done("patch", "linear")
    project.replace("eingrad.lock", "patches/linear.patch", patch)
    configure(project)
    before = project.disk()
    for command in (["update"], ["remove", "--force", "linear"], ["eject", "linear"]):
        code, _, err = project.vendor(*command)
        assert code == 2
        assert 'must be "patches/linear.patch"' in err
    assert mine.read_text() == "mine\n"
    assert project.disk() == before


def test_remove_leaves_no_trace(empty: Folder) -> None:
    empty.done(*ADD, "--with-test")
    edit(empty)
    empty.done("patch", "linear")
    before = empty.disk()
    code, _, err = empty.vendor("remove", "linear")
    assert code == 3
    assert f"  {DEST} was edited\n" in err
    assert empty.disk() == before
    empty.done("remove", "--force", "linear")
    assert empty.disk() == {}


def test_remove_leaves_the_rest_of_the_configuration(empty: Folder) -> None:
    before = '[project]\nname = "x"\n\n# mine\n[tool.ruff]\nline-length = 88\n'
    (empty.root / "pyproject.toml").write_text(before)
    empty.done(*ADD)
    empty.done("add", "ij->i", "--dest", "rows.py")
    assert empty.read("pyproject.toml").startswith(before)
    empty.done("remove", "linear")
    empty.done("verify")
    empty.done("remove", "rows")
    assert empty.read("pyproject.toml").rstrip("\n") == before.rstrip("\n")


def test_what_becomes_of_a_kernel_as_json(project: Folder) -> None:
    """The rows are those of `build` and `vendor update`, but for states."""

    def told(*args: str) -> object:
        return json.loads(project.done(*args, "linear", "--json"))

    def row(action: str) -> list[dict[str, str]]:
        return [{"path": DEST, "kernel": "linear", "action": action}]

    assert told("accept") == row("unchanged")
    assert told("patch") == {"kernel": "linear", "patch": None}
    edit(project)
    assert told("accept") == row("accepted")
    assert told("patch") == {"kernel": "linear", "patch": "patches/linear.patch"}
    assert told("eject") == row("ejected")
    (project.root / DEST).unlink()
    project.done(*ADD)
    assert told("remove") == row("deleted")


def test_an_ejected_kernel_is_the_projects_own(empty: Folder) -> None:
    empty.done(*ADD, "--with-test")
    edit(empty)
    code = empty.read(DEST).partition('"""')[2]
    empty.done("eject", "linear")
    assert sorted(empty.disk()) == [DEST, TEST]
    assert empty.read(DEST) == f'# SPDX-License-Identifier: 0BSD\n"""{code}'
    assert HEADER not in empty.read(TEST)
    assert empty.vendor(*ADD)[0] == 3


@pytest.fixture
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a project with one kernel, beside."""
    from eingrad.build import build

    root = tmp_path_factory.mktemp("other")
    (root / "pyproject.toml").write_text(
        '[tool.eingrad]\nout = "gen"\n[tool.eingrad.kernels.linear]\n'
        'spec = "bi,ij->bj"\noperands = ["x", "weight"]\noutput = "y"\n'
    )
    build(root)
    return root


def test_a_copy_of_another_project_is_kept_up_with_it(
    empty: Folder, other: Path
) -> None:
    origin = f"../{other.name}/eingrad.lock#linear"
    empty.done("add", "--from", origin, "--dest", "mine.py", "--with-test")
    ours, theirs = empty.read("mine.py"), (other / "gen" / "linear.py").read_text()
    assert ours.splitlines()[4:] == theirs.splitlines()[4:]
    assert ours.splitlines()[3] == "# Regenerate: eingrad vendor update mine"
    empty.done("verify")
    # Its edits are merged with what is new over there.
    empty.replace("mine.py", "\nArray = ", f"{PRINT}\nArray = ")
    from eingrad.build import build

    table = (other / "pyproject.toml").read_text()
    (other / "pyproject.toml").write_text(table.replace('"y"', '"z"'))
    build(other)
    empty.done("update")
    assert PRINT in empty.read("mine.py")
    assert "returns z: (b, j)" in empty.read("mine.py")


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        (
            "../{}/eingrad.lock#liner",
            "eingrad.lock lists no kernel 'liner'; did you mean 'linear'?",
        ),
        ("../{}/eingrad.lock", "from must be a manifest and a kernel"),
        ("../{}/pyproject.toml#linear", "from must be a manifest and a kernel"),
        ("../nowhere/eingrad.lock#linear", "there is no ../nowhere/eingrad.lock"),
    ],
)
def test_bad_references_are_named(
    empty: Folder, other: Path, reference: str, reason: str
) -> None:
    origin = reference.format(other.name)
    code, _, err = empty.vendor("add", "--from", origin, "--dest", "linear.py")
    assert (code, reason in err) == (2, True), err
    assert err.startswith("error: kernel 'linear': ")
    assert empty.disk() == {}


def test_an_edited_file_of_another_project_is_not_copied(
    empty: Folder, other: Path
) -> None:
    (other / "gen" / "linear.py").write_text("import os\n")
    origin = f"../{other.name}/eingrad.lock#linear"
    code, _, err = empty.vendor("add", "--from", origin, "--dest", "linear.py")
    assert (code, "bring it up to date there" in err) == (2, True), err
    assert empty.disk() == {}


def test_what_is_vendored_already_is_not_added_again(project: Folder) -> None:
    before = project.disk()
    code, _, err = project.vendor(*ADD)
    assert code == 2
    assert "'linear' is vendored already; run `eingrad vendor update linear`" in err
    assert project.disk() == before


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="of GNU coreutils")
def test_sums_need_no_eingrad(project: Folder) -> None:
    sums = project.done("verify", "--sums")
    done = subprocess.run(["sha256sum", "-c"], input=sums, text=True)
    assert done.returncode == 0
    edit(project)
    code, out, _ = project.vendor("verify", "--sums")
    assert (code, out) == (1, "")


def test_reuse_knows_each_file_once(empty: Folder) -> None:
    (empty.root / "REUSE.toml").write_text("version = 1\n# mine\n")
    empty.done("add", "ij->i", "--dest", "rows.py", "--reuse")
    assert "Permission to use, copy, modify" in empty.read("LICENSES/0BSD.txt")
    empty.done("add", "ij->j", "--dest", "cols.py", "--with-test", "--reuse")
    assert empty.read("REUSE.toml").startswith("version = 1\n# mine\n")
    annotations = tomllib.loads(empty.read("REUSE.toml"))["annotations"]
    assert [table.pop("path") for table in annotations] == [
        ["rows.py", "eingrad.lock", "eingrad.toml"],
        ["cols.py", "tests/test_cols.py"],
    ]
    for table in annotations:
        assert table == {
            "precedence": "aggregate",
            "SPDX-FileCopyrightText": "NONE",
            "SPDX-License-Identifier": "0BSD",
        }


@pytest.mark.parametrize(
    ("reuse", "options", "reason"),
    [
        ("", ["--license", "MIT"], "--reuse knows the text of 0BSD alone"),
        ("annotations = 1\n", [], "REUSE.toml cannot be changed as it stands"),
        ("# é\n", [], "REUSE.toml is no plain file of UTF-8 text"),
        ("no TOML", [], "REUSE.toml cannot be changed as it stands"),
    ],
)
def test_what_reuse_cannot_be_told_is_not_vendored(
    empty: Folder, reuse: str, options: list[str], reason: str
) -> None:
    (empty.root / "REUSE.toml").write_text(reuse, "latin-1")
    before = empty.disk()
    add = ["add", "ij->j", "--dest", "cols.py", "--reuse", *options]
    code, _, err = empty.vendor(*add)
    assert (code, reason in err) == (2, True), err
    assert empty.disk() == before


def test_without_merge3_an_edit_is_left_alone(
    project: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(project)
    configure(project)
    before = project.read(DEST)
    monkeypatch.setitem(sys.modules, "merge3", None)
    code, out, err = project.vendor("update")
    assert (code, out) == (2, "")
    assert "pip install merge3" in err
    assert project.read(DEST) == before
