"""What becomes of each file in a build, and the words and the diff that tell it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import unified_diff
from enum import Enum
from io import StringIO
from pathlib import Path, PurePosixPath

from .manifest import MANIFEST, Entry, Manifest
from .states import State, is_intact


class Action(Enum):
    """What becomes of a file."""

    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


_BY_HAND = (
    "keep the edit under another name, or undo it, and delete the file: "
    "the next build writes it again"
)
_REASONS = {
    State.MISSING: "is missing; run `eingrad build`",
    State.STALE: "is stale; run `eingrad build`",
    State.FOREIGN: "is not a file that eingrad wrote; move it, or rename the kernel",
    State.EDITED: f"was edited by hand; {_BY_HAND}",
    State.CONFLICT: f"was edited by hand, and a build would change it; {_BY_HAND}",
}
_ORPHAN = "belongs to no configured kernel; "
_ORPHANS = {
    True: f"{_ORPHAN}configure the kernel, or run `eingrad build --prune`",
    False: f"{_ORPHAN}it was edited by hand: move it, or delete it",
}


@dataclass(frozen=True)
class PlannedFile:
    """One file of a build: ``path`` is relative to ``root``.

    kernel: the kernel's name; None for a file that belongs to none.
    old: the text on disk with LF; None if there is none that can be read.
    new: the text that a build would write; None where there is none, and for a file
        that is known to be fresh without it.
    entry: what the manifest says of the file after the build; None if nothing.
    """

    root: Path
    path: PurePosixPath
    kernel: str | None
    state: State
    action: Action
    old: str | None = None
    new: str | None = None
    entry: Entry | None = None

    @property
    def why_stale(self) -> str | None:
        """Say what is wrong with the file and the way out; None if it is well."""
        if self.state is State.ORPHAN:
            return f"{self.path} {_ORPHANS[is_intact(self.old or '', self.entry)]}"
        if self.kernel is None or self.state not in _REASONS:
            return None
        return f"{self.path} {_REASONS[self.state]}"


@dataclass(frozen=True)
class Plan:
    """The files of a build by path, and the manifest before and after it."""

    files: tuple[PlannedFile, ...]
    before: Manifest | None
    after: Manifest

    @property
    def reasons(self) -> tuple[str, ...]:
        """Say what a check finds wrong; nothing if all is well."""
        found = [file.why_stale for file in self.files if file.why_stale]
        return (*found, *filter(None, [self.why_manifest_stale]))

    @property
    def why_manifest_stale(self) -> str | None:
        """Say what is wrong with the manifest, but for what is wrong with the files.

        What an upgrade changes without changing any text is right either way.
        """
        if self.before is None:
            lost = any(file.state is State.OK for file in self.files)
            return f"{MANIFEST} is missing; run `eingrad build`" if lost else None
        wrong = {file.path for file in self.files if file.why_stale}
        old, new = (
            {
                path: dataclasses.replace(entry, inputs="")
                for path, entry in manifest.entries.items()
                if path not in wrong
            }
            for manifest in (self.before, self.after)
        )
        return None if old == new else f"{MANIFEST} is stale; run `eingrad build`"


def diff(files: Iterable[PlannedFile]) -> str:
    """Return as a unified diff what a build would change, and what an edit changed.

    A file that is not ours has no text to become.
    """
    return "".join(
        text_diff(file.path, file.old, file.new)
        for file in files
        if file.action is Action.DELETED
        or (file.new is not None and file.why_stale and file.state is not State.FOREIGN)
    )


def text_diff(path: PurePosixPath, old: str | None, new: str | None) -> str:
    """Return what makes ``new`` of ``old`` as a unified diff; None is no file."""
    before = "/dev/null" if old is None else f"a/{path}"
    after = "/dev/null" if new is None else f"b/{path}"
    lines = unified_diff(_lines(old), _lines(new), before, after, lineterm="\n")
    # Only a text's last line can lack its newline; patch wants to be told.
    whole = (
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in lines
    )
    return "".join(whole)


def _lines(text: str | None) -> list[str]:
    return list(StringIO(text or "", newline="\n"))
