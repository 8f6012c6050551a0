"""The eight states of a file, through the commands: words, JSON, exit code and disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from projects import configured, tree

from eingrad.cli import main
from eingrad.config import Config
from eingrad.digest import HEADER

FILE = "src/gen/mm.py"
SPECS = {"mm": "ij,jk->ik", "rows": "ij->i"}
# Another text for the same kernel.
CHANGED = {"mm": "ij,kj->ik", "rows": "ij->i"}


def fresh(config: Config) -> None:
    """Leave everything as it was built."""


def reformatted(config: Config) -> None:
    path = config.root / FILE
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('SPEC = "ij,jk->ik"', "SPEC='ij,jk->ik'  "))


def stale(config: Config) -> None:
    configured(config.root, CHANGED)


def edited(config: Config) -> None:
    path = config.root / FILE
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("def forward", "def backwards"))


def commented(config: Config) -> None:
    path = config.root / FILE
    path.write_text(path.read_text(encoding="utf-8") + "# mine\n")


def headless(config: Config) -> None:
    (config.root / FILE).write_text("x = 1\n")


def binary(config: Config) -> None:
    (config.root / FILE).write_bytes(b"\xff\xfe")


def conflict(config: Config) -> None:
    edited(config)
    stale(config)


def reformatted_and_stale(config: Config) -> None:
    reformatted(config)
    stale(config)


def crlf(config: Config) -> None:
    path = config.root / FILE
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def crlf_and_stale(config: Config) -> None:
    crlf(config)
    stale(config)


def missing(config: Config) -> None:
    (config.root / FILE).unlink()


def orphan(config: Config) -> None:
    configured(config.root, {"rows": "ij->i"})


def edited_orphan(config: Config) -> None:
    edited(config)
    orphan(config)


def unlisted(content: bytes) -> Callable[[Config], None]:
    """Make mm.py a file that stood there before the kernel was configured."""

    def arrange(config: Config) -> None:
        orphan(config)
        run("build", "--prune", "--root", str(config.root))
        configured(config.root, SPECS)
        (config.root / FILE).write_bytes(content)

    return arrange


EDITED = (
    "was edited by hand; keep the edit under another name, or undo it, "
    "and delete the file: the next build writes it again"
)
CONFLICT = EDITED.replace("hand;", "hand, and a build would change it;")
FOREIGN = "is not a file that eingrad wrote; move it, or rename the kernel"
STALE = "is stale; run `eingrad build`"
ORPHAN = "belongs to no configured kernel; "
PRUNE = f"{ORPHAN}configure the kernel, or run `eingrad build --prune`"
MOVE = f"{ORPHAN}it was edited by hand: move it, or delete it"


@dataclass(frozen=True)
class Row:
    """How a file is arranged, and what the commands make of it.

    reason: what ``build --check`` says; it exits with 1 if it says anything.
    built, pruned: what ``build`` and ``build --prune`` do with the file.
    """

    arrange: Callable[[Config], None]
    state: str
    reason: str
    built: str = "unchanged"
    pruned: str = ""


ROWS = {
    "ok": Row(fresh, "ok", ""),
    "crlf": Row(crlf, "ok", ""),
    "reformatted": Row(reformatted, "reformatted", ""),
    "stale": Row(stale, "stale", STALE, "changed"),
    "crlf and stale": Row(crlf_and_stale, "stale", STALE, "changed"),
    "reformatted and stale": Row(reformatted_and_stale, "stale", STALE, "changed"),
    "edited": Row(edited, "edited", EDITED, "refused"),
    "commented": Row(commented, "edited", EDITED, "refused"),
    "headless": Row(headless, "edited", EDITED, "refused"),
    "binary": Row(binary, "edited", EDITED, "refused"),
    "conflict": Row(conflict, "conflict", CONFLICT, "refused"),
    "missing": Row(missing, "missing", "is missing; run `eingrad build`", "created"),
    "orphan": Row(orphan, "orphan", PRUNE, "unchanged", "deleted"),
    "edited orphan": Row(edited_orphan, "orphan", MOVE, "unchanged", "refused"),
    "foreign": Row(unlisted(b"mine\n"), "foreign", FOREIGN, "refused"),
    "not UTF-8": Row(unlisted(b"# \xff\n"), "foreign", FOREIGN, "refused"),
    "adopted": Row(unlisted(f"{HEADER}\n".encode()), "edited", EDITED, "refused"),
}


def run(*args: str) -> int:
    """Run a command line in this process; return its exit code."""
    try:
        main(args)
    except SystemExit as left:
        return int(left.code or 0)
    return 0


@pytest.fixture(params=ROWS.values(), ids=ROWS)
def row(request: pytest.FixtureRequest) -> Row:
    found: Row = request.param
    return found


@pytest.fixture
def root(row: Row, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    config = configured(tmp_path, SPECS)
    run("build", "--root", str(tmp_path))
    row.arrange(config)
    capsys.readouterr()
    return tmp_path


def state_in(facts: str) -> tuple[str, str]:
    """Find the state and the action of mm.py in JSON."""
    found = {fact["path"]: fact for fact in json.loads(facts)}
    return found[FILE]["state"], found[FILE]["action"]


def test_check(row: Row, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = tree(root)
    code = run("build", "--check", "--json", "--root", str(root))
    talk = capsys.readouterr()
    assert code == int(bool(row.reason))
    assert talk.err == (f"{FILE} {row.reason}\n" if row.reason else "")
    assert state_in(talk.out) == (row.state, row.built)
    assert tree(root) == before


def test_annotations(row: Row, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("build", "--check", "--output-format", "github", "--root", str(root))
    annotation = f"::error file={FILE},title=eingrad::{FILE} {row.reason}\n"
    assert capsys.readouterr().out == (annotation if row.reason else "")


@pytest.mark.parametrize("option", [(), ("--prune",)], ids=["build", "prune"])
def test_build(
    row: Row, root: Path, option: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree(root)
    dry = run("build", "--dry-run", *option, "--root", str(root))
    assert tree(root) == before
    capsys.readouterr()
    code = run("build", *option, "--json", "--root", str(root))
    talk = capsys.readouterr()
    action = (row.pruned or row.built) if option else row.built
    assert state_in(talk.out) == (row.state, action)
    assert code == dry == (3 if action == "refused" else 0)
    after = tree(root)
    if action == "refused":
        assert talk.err == f"error: nothing was written\n  {FILE} {row.reason}\n"
        assert after == before
        return
    written = f"{action} {FILE}\n" in talk.err
    assert written == (action != "unchanged")
    assert (FILE in after) == (action != "deleted")
    assert (after.get(FILE) == before.get(FILE)) == (action == "unchanged")
    others = {path for path in after if path not in (FILE, "eingrad.lock")}
    assert {path: after[path] for path in others} == {p: before[p] for p in others}
    if action in ("created", "changed", "deleted"):
        assert run("build", "--check", "--root", str(root)) == 0
    assert run("build", *option, "--root", str(root)) == 0
    assert tree(root) == after
