"""What becomes of each file of a vendored kernel, decided before anything is written.

ok, reformatted    stays
stale, missing     is written; a patch that is on record is applied again
edited             stays: nothing new was generated; ok if the edit is accepted
conflict           the edit and what is new are merged, or it is refused
foreign            is refused
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from ..build_plan import Action, text_diff
from ..digest import body_hash
from ..disk import read_text
from ..manifest import Entry, Manifest
from ..states import State, state_of
from .history import committed_text
from .merge import merge, patched
from .record import (
    accepted_body,
    is_edited,
    patch_path,
    reason_of,
    recorded_patch,
    with_edit,
    with_edit_of,
)
from .wanted import Wanted, written_text


@dataclass(frozen=True)
class Change:
    """What becomes of one file: ``path`` is relative to the root.

    text: what to write there; None leaves the file alone.
    entry: what the manifest is to say of it.
    patch: the text of ``entry.patch``; None leaves that file alone.
    refusal: why nothing may be written, after the path; empty if it may.
    beside: the new text, for a file beside it: nobody knows what the edit was made to.
    delete: whether the file is deleted, and forgotten.
    """

    path: PurePosixPath
    state: State
    entry: Entry
    text: str | None = None
    patch: str | None = None
    refusal: str = ""
    beside: str | None = None
    delete: bool = False

    @property
    def name(self) -> str:
        """The name of the kernel."""
        return self.entry.kernel

    @property
    def action(self) -> Action:
        """What becomes of the file, in one word."""
        if self.refusal:
            return Action.REFUSED
        if self.delete:
            return Action.DELETED
        if self.text is None:
            return Action.UNCHANGED
        return Action.CREATED if self.state is State.MISSING else Action.CHANGED

    @property
    def beside_path(self) -> PurePosixPath:
        """The path of ``beside``."""
        return self.path.with_name(f"{self.path.stem}.new.py")


def change(
    root: Path, wanted: Wanted, manifest: Manifest, *, markers: bool = False
) -> Change:
    """Decide what becomes of the file of ``wanted``.

    markers: whether a merge may leave conflicts in the file, between markers.
    """
    entry, path = wanted.entry, wanted.entry.path
    recorded = manifest.entries.get(path)
    old, state = state_of(
        root,
        path,
        recorded,
        wanted.text,
        lambda known: base_text(root, manifest, known),
    )
    fresh = Change(path, state, entry)
    if recorded is None:
        return _unlisted(fresh, wanted)
    if not recorded.vendored:
        refusal = "belongs to `eingrad build`; vendor elsewhere"
        return replace(fresh, state=State.FOREIGN, refusal=refusal)
    listed = _Listed(root, manifest, wanted, recorded, fresh)
    if state is State.REFORMATTED:
        return fresh
    if state in (State.OK, State.MISSING, State.STALE):
        return listed.rewritten()
    if old is None:
        return replace(fresh, refusal="is no plain file of UTF-8 text; move it away")
    if state is State.EDITED:
        meant = body_hash(old) == accepted_body(recorded)
        kept = replace(fresh, entry=with_edit_of(entry, recorded))
        return replace(kept, state=State.OK) if meant else kept
    return listed.merged(old, markers=markers)


def orphan(
    root: Path, entry: Entry, successor: PurePosixPath | None, *, prune: bool
) -> Change:
    """Decide what becomes of a file that belongs to no configured kernel.

    successor: where its kernel is now, if that is configured elsewhere.
    prune: whether it is deleted, if it is as it was generated.
    """
    left = Change(entry.path, State.ORPHAN, entry, delete=prune)
    try:
        old = read_text(root, entry.path)
    except FileNotFoundError:
        return left
    if prune and is_edited(old, entry):
        way_out = f"`eingrad vendor eject {entry.kernel}` keeps it"
        if successor is not None:
            way_out = f"move it to {successor} to keep the edit, or delete it"
        refusal = f"was edited, and belongs to no configured kernel; {way_out}"
        return replace(left, refusal=refusal)
    return left


def base_text(root: Path, manifest: Manifest, entry: Entry) -> str | None:
    """Return what was generated according to ``entry``, before anybody edited it.

    It is had by undoing the patch, or made again, or found in the git history.
    """
    try:
        old = read_text(root, entry.path)
    except FileNotFoundError:
        old = None
    if entry.patch and old is not None and body_hash(old) == accepted_body(entry):
        before = patched(old, _patch_on_record(root, entry), reverse=True)
        if before is not None and body_hash(before) == entry.body:
            return before
    made = written_text(entry, manifest)
    return committed_text(root, entry.path, entry.body) if made is None else made


def _unlisted(fresh: Change, wanted: Wanted) -> Change:
    """Write a file that the manifest does not list, unless one is in the way.

    One that is as it was generated, by a command that was killed, say, is not.
    """
    if fresh.state in (State.MISSING, State.STALE):
        return replace(fresh, text=wanted.text)
    if fresh.state is State.OK:
        return fresh
    refusal = "is in the way, and not in eingrad.lock; move it, or vendor elsewhere"
    return replace(fresh, state=State.FOREIGN, refusal=refusal)


@dataclass(frozen=True)
class _Listed:
    """A vendored file that the manifest lists; ``fresh`` is the change without a text.

    recorded: what the manifest says of it so far.
    """

    root: Path
    manifest: Manifest
    wanted: Wanted
    recorded: Entry
    fresh: Change

    def rewritten(self) -> Change:
        """Write what was generated, and apply the patch to it if there is one."""
        new, recorded = self.wanted.text, self.recorded
        if not recorded.patch:
            return replace(
                self.fresh, text=None if self.fresh.state is State.OK else new
            )
        patch = _patch_on_record(self.root, recorded)
        base = base_text(self.root, self.manifest, recorded)
        edited = None if base is None else patched(base, patch)
        if base is None or edited is None:
            # Without its base, a patch has to fit as it is.
            base, edited = new, patched(new, patch)
        if edited is None:
            way_out = f"mend or delete {recorded.patch}, which does not fit"
            return self._refused(f"cannot be patched; {way_out}")
        return self._merge(base, edited, accepted=True, markers=False)

    def merged(self, old: str, *, markers: bool) -> Change:
        """Merge the edit in ``old`` with what is new."""
        fresh = self.fresh
        accepted = body_hash(old) == accepted_body(self.recorded)
        if self.recorded.patch and not accepted:
            command = f"eingrad vendor patch {fresh.name}"
            return self._refused(f"was edited beyond its patch; run `{command}` first")
        base = base_text(self.root, self.manifest, self.recorded)
        if base is None:
            lost = "was edited, and what it was made from is lost"
            refused = self._refused(f"{lost}; the new text is in {fresh.beside_path}")
            return replace(refused, beside=self.wanted.text)
        return self._merge(base, old, accepted=accepted, markers=markers)

    def _merge(
        self, base: str, edited: str, *, accepted: bool, markers: bool
    ) -> Change:
        """Write the merge of what was edited and what was generated since ``base``.

        accepted: whether the edit is accepted, as the merge will be then.
        """
        fresh, recorded = self.fresh, self.recorded
        merged = merge(base, edited, self.wanted.text)
        if merged.conflicts and not markers:
            return self._refused(
                "was edited where the new version differs too; undo the edit, or run "
                f"`eingrad vendor update --markers {fresh.name}` and merge by hand"
            )
        if merged.text == self.wanted.text or merged.conflicts or not accepted:
            return replace(fresh, text=merged.text)
        reason = reason_of(recorded)
        if not recorded.patch:
            entry = with_edit(fresh.entry, merged.text, reason)
            return replace(fresh, text=merged.text, entry=entry)
        place = patch_path(self.root, fresh.name)
        if str(place) != recorded.patch and (self.root / place).exists():
            return self._refused(f"cannot keep its patch; {place} is in the way")
        entry = with_edit(fresh.entry, merged.text, reason, str(place))
        patch = text_diff(fresh.path, self.wanted.text, merged.text)
        return replace(fresh, text=merged.text, entry=entry, patch=patch)

    def _refused(self, reason: str) -> Change:
        return replace(self.fresh, refusal=reason)


def _patch_on_record(root: Path, entry: Entry) -> str:
    """Return the text of the patch; nothing, which fits nowhere, if it is gone."""
    try:
        return read_text(root, recorded_patch(root, entry)) or ""
    except FileNotFoundError:
        return ""
