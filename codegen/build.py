"""The build: what a plan says, done so that nothing of anybody's is lost.

First the whole plan, then the files, and nothing at all if one of them would be lost.
The manifest is written twice: before the files change it ceases to vouch for them, and
afterwards it says what they are.  So a build that is killed at any point leaves whole
files and a manifest that is true, and the next one completes it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Unpack

from .build_plan import Action, Plan, PlannedFile
from .config import load_config
from .disk import delete, read_text, remove_leftovers, write_text
from .errors import RefusedError
from .exclusive import exclusive
from .manifest import MANIFEST, Entry, Manifest, read_manifest, write_manifest
from .planning import ACTIONS, How, outputs, plan_build
from .states import State, is_intact, state_of


def build(
    root: Path,
    names: Sequence[str] = (),
    waiting: Callable[[], None] = lambda: None,
    planned: Callable[[Plan], None] = lambda plan: None,
    **how: Unpack[How],
) -> Plan:
    """Do what `plan_build` says of the project in ``root``, and return that plan.

    A file is replaced as a whole or not at all; one that is fresh is not touched.
    ``waiting`` is called once if another command on it has to end first, and
    ``planned`` with the plan before anything is refused or written.

    Raises RefusedError, before anything is written, if a file in the way is not ours or
    was edited, and later if one is edited at that moment; else as `load_config` and
    `plan_build`, and ConfigError for a file that cannot be written.
    """
    if how.get("out_dir") is not None:
        plan = plan_build(load_config(root), names, **how)
        planned(plan)
        refuse_to_lose(plan.files)
        _carry_out(plan.files)
        return plan
    with exclusive(root, waiting):
        config = load_config(root)
        plan = plan_build(config, names, **how)
        planned(plan)
        refuse_to_lose(plan.files)
        known = (plan.before or Manifest()).entries
        remove_leftovers(root, [MANIFEST, *outputs(config), *known])
        _replace_files(root, plan)
    return plan


def clean(
    root: Path, dry_run: bool = False, waiting: Callable[[], None] = lambda: None
) -> tuple[PlannedFile, ...]:
    """Delete the files that a build wrote, and return them; the plans stay on record.

    Raises RefusedError, before anything is deleted, if one of them was edited.
    """
    with exclusive(root, waiting):
        config = load_config(root)
        before = read_manifest(root) or Manifest()
        listed = {p: e for p, e in before.entries.items() if not e.vendored}
        known = outputs(config)
        paths = sorted({*known, *listed})
        found = [_to_clean(root, path, listed.get(path)) for path in paths]
        files = tuple(file for file in found if file is not None)
        refuse_to_lose(files)
        if not dry_run:
            pending = [_pending(e) for e in listed.values() if e.path in known]
            gone = listed.keys() - known
            write_manifest(root, before.merged(pending, gone))
            remove_leftovers(root, [MANIFEST, *paths])
            _carry_out(files)
    return files


def write_module(path: Path, text: str) -> Action:
    """Write the text of one module where nothing of somebody else's is lost.

    Raises RefusedError if the file in the way is not ours or was edited.
    """
    root, place = Path(), PurePosixPath(path)
    old, state = state_of(root, place, None, text)
    action = ACTIONS.get(state, Action.REFUSED)
    if action is Action.REFUSED:
        foreign = state is State.FOREIGN
        why = "is not a file that eingrad wrote" if foreign else "was edited by hand"
        raise RefusedError(
            f"nothing was written\n  {path} {why}; move it, or choose another name"
        )
    _carry_out([PlannedFile(root, place, path.stem, state, action, old, text)])
    return action


def refuse_to_lose(files: Sequence[PlannedFile]) -> None:
    """Raise RefusedError if something would be lost; it names every such file."""
    refused = [file for file in files if file.action is Action.REFUSED]
    if refused:
        reasons = [f"{file.why_stale}" for file in refused]
        raise RefusedError("\n  ".join(["nothing was written", *reasons]))


def _replace_files(root: Path, plan: Plan) -> None:
    """Write files and manifest in such an order that the manifest is always true."""
    kept = (Action.UNCHANGED, Action.REFUSED)
    changing = [file for file in plan.files if file.action not in kept]
    before = plan.before or Manifest()
    if changing:
        pending = [_pending(f.entry) for f in changing if f.entry is not None]
        write_manifest(root, before.merged(pending))
    _carry_out(changing)
    if changing or plan.after.entries != before.entries:
        write_manifest(root, plan.after)


def _pending(entry: Entry) -> Entry:
    return dataclasses.replace(entry, inputs="", body="")


def _carry_out(files: Sequence[PlannedFile]) -> None:
    """Write and delete what is planned, as long as each file is what it was then."""
    for file in files:
        if file.action in (Action.UNCHANGED, Action.REFUSED):
            continue
        if _present_text(file) != file.old:
            raise RefusedError(
                f"{file.path} was changed while the build ran; run it again"
            )
        if file.action is Action.DELETED:
            delete(file.root, file.path)
        elif file.new is not None:
            write_text(file.root, file.path, file.new)


def _present_text(file: PlannedFile) -> str | None:
    try:
        return read_text(file.root, file.path)
    except FileNotFoundError:
        return None


def _to_clean(
    root: Path, path: PurePosixPath, entry: Entry | None
) -> PlannedFile | None:
    """Say what becomes of one file; None if there is none, or none of ours."""
    old, state = state_of(root, path, entry, None)
    if state is not State.ORPHAN:
        return None
    intact = old is not None and is_intact(old, entry)
    action = Action.DELETED if intact else Action.REFUSED
    edited = State.OK if intact else State.EDITED
    return PlannedFile(root, path, path.stem, edited, action, old, entry=entry)
