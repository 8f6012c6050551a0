"""The plan of a build: every kernel rendered and compared, and what is left over."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypedDict, Unpack

from .build_plan import Action, Plan, PlannedFile
from .config import Config
from .digest import body_digest, body_hash, recorded_digest, recorded_spec
from .disk import located, read_text
from .errors import ConfigError, OptionError, suggestion
from .kernel_tables import KernelConfig
from .kernel_text import (
    Rendered,
    checked,
    entry_of,
    entry_with,
    pinned_plan,
    recorded_text,
    render_kernel,
)
from .manifest import MANIFEST, Entry, Manifest, read_manifest
from .states import State, is_intact, state_of
from .workers import Job, Render, render_all


class How(TypedDict, total=False):
    """How a build is done.

    prune: whether files of ours that are configured no longer are deleted.
    replan: whether plans are made afresh that the manifest has pinned.
    jobs: the number of processes that render; None is for `render_all` to say.
    out_dir: a folder that receives the files instead, fresh ones too; the manifest
        then pins plans, and is not written.
    render: what renders a kernel.
    progress: called with the number of kernels rendered and of those to render.
    """

    prune: bool
    replan: bool
    jobs: int | None
    out_dir: Path | None
    render: Render
    progress: Callable[[int, int], None]


def plan_build(config: Config, names: Sequence[str] = (), **how: Unpack[How]) -> Plan:
    """Return what a build would do; write nothing.

    names: the kernels to build; none named is all of them, and then files that belong
    to no kernel are in the plan too.

    Raises OptionError for an unknown name, ConfigError for a kernel that cannot be
    generated or a file that cannot be read.
    """
    before = read_manifest(config.root)
    drafts = [_draft(config, k, before, how) for k in _chosen(config, names)]
    files = _compared(drafts, how)
    if how.get("out_dir") is not None:
        before = before or Manifest()
        return Plan(tuple(files), before, before)
    if not names:
        files += _without_kernel(config, before, how.get("prune", False))
    files.sort(key=lambda file: file.path)
    return Plan(tuple(files), before, _after(before, files, bool(names)))


def outputs(config: Config) -> tuple[PurePosixPath, ...]:
    """Return the paths of the kernels, relative to the root."""
    return tuple(config.out / f"{kernel.name}.py" for kernel in config.kernels)


def inputs(config: Config) -> tuple[PurePosixPath, ...]:
    """Return the paths of what a build reads, relative to the root."""
    source = PurePosixPath(config.source.name)
    listed = (config.root / MANIFEST).is_file()
    return (source, MANIFEST) if listed else (source,)


@dataclass(frozen=True)
class _Draft:
    """A kernel, where it goes, what the manifest says of it, and its pinned plan."""

    root: Path
    path: PurePosixPath
    kernel: KernelConfig
    entry: Entry | None
    plan: tuple[tuple[int, ...], ...] | None

    def is_fresh(self) -> bool:
        """Return whether the file is known to be fresh without rendering it."""
        if self.entry is None or self.plan is None:
            return False
        try:
            old = read_text(self.root, self.path) or ""
        except FileNotFoundError:
            return False
        written = body_hash(old) == self.entry.body
        whole = recorded_digest(old) == body_digest(old)
        body, requires = self.entry.body, self.entry.requires
        made = entry_with(self.path, self.kernel, self.plan, body, requires)
        return written and whole and self.entry == self.kept(made)

    def kept(self, entry: Entry) -> Entry:
        """Return ``entry`` with what others have recorded of the file."""
        if self.entry is None:
            return entry
        return dataclasses.replace(
            entry, patch=self.entry.patch, others=self.entry.others
        )


def _chosen(config: Config, names: Sequence[str]) -> tuple[KernelConfig, ...]:
    known = [kernel.name for kernel in config.kernels]
    for name in names:
        if name not in known:
            listed = f"the kernels are {', '.join(known)}"
            others = f"; {listed if known else 'no kernel is configured'}"
            close = suggestion(name, known) or others
            raise OptionError(f"unknown kernel {name!r}{close}")
    return tuple(k for k in config.kernels if not names or k.name in names)


def _draft(
    config: Config, kernel: KernelConfig, before: Manifest | None, how: How
) -> _Draft:
    path = config.out / f"{kernel.name}.py"
    entry = before.entries.get(path) if before else None
    if entry is not None and entry.vendored:
        raise ConfigError(
            f"kernel {kernel.name!r} and a vendored copy would both be {path}; "
            "rename the kernel, or move the copy"
        )
    plan = None if how.get("replan") else pinned_plan(entry, kernel)
    out_dir = how.get("out_dir")
    if out_dir is not None:
        return _Draft(out_dir, PurePosixPath(path.name), kernel, None, plan)
    return _Draft(config.root, path, kernel, entry, plan)


def _compared(drafts: Sequence[_Draft], how: How) -> list[PlannedFile]:
    """Compare every file with what a build would write."""
    fresh = [draft.is_fresh() for draft in drafts]
    texts = _rendered([d for d, f in zip(drafts, fresh, strict=True) if not f], how)
    return [
        PlannedFile(
            draft.root,
            draft.path,
            draft.kernel.name,
            State.OK,
            Action.UNCHANGED,
            entry=draft.entry,
        )
        if is_fresh
        else _compare(draft, next(texts), how.get("out_dir") is not None)
        for draft, is_fresh in zip(drafts, fresh, strict=True)
    ]


def _rendered(drafts: Sequence[_Draft], how: How) -> Iterator[Rendered]:
    jobs: list[Job] = [(draft.kernel, draft.plan) for draft in drafts]
    texts = render_all(jobs, how.get("jobs", 1), how.get("render", render_kernel))
    progress = how.get("progress", _silent)
    for done, (draft, text) in enumerate(zip(drafts, texts, strict=True), 1):
        progress(done, len(jobs))
        yield checked(draft.kernel, text)


def _silent(done: int, total: int) -> None:
    """Show no progress."""


ACTIONS = {
    State.OK: Action.UNCHANGED,
    State.REFORMATTED: Action.UNCHANGED,
    State.STALE: Action.CHANGED,
    State.MISSING: Action.CREATED,
}


def _compare(draft: _Draft, rendered: Rendered, always: bool) -> PlannedFile:
    """Compare one file; ``always`` is for a build that writes fresh files too."""
    new = rendered.text
    old, state = state_of(draft.root, draft.path, draft.entry, new, recorded_text)
    action = ACTIONS.get(state, Action.REFUSED)
    if always and action is Action.UNCHANGED:
        action = Action.CHANGED
    refused = action is Action.REFUSED
    made = draft.kept(entry_of(draft.path, draft.kernel, rendered))
    entry = draft.entry if refused else made
    return PlannedFile(
        draft.root, draft.path, draft.kernel.name, state, action, old, new, entry
    )


def _without_kernel(
    config: Config, before: Manifest | None, prune: bool
) -> list[PlannedFile]:
    """Return the files that belong to no kernel: those listed, and those in ``out``."""
    entries = before.entries if before else {}
    found = {config.out / f.name for f in (config.root / config.out).glob("*.py")}
    configured = {located(config.root, path) for path in outputs(config)}
    files = []
    for path in {*found, *entries}:
        entry = entries.get(path)
        if located(config.root, path) in configured or (entry and entry.vendored):
            continue
        old, state = state_of(config.root, path, entry, None)
        if state is State.MISSING:
            continue
        if entry is None and old is not None and state is State.ORPHAN:
            # Without a manifest, what an older version wrote is taken over.
            if before is None and is_intact(old, None):
                entry = _adopted(path, old)
            else:
                state = State.FOREIGN
        files.append(_left_over(config.root, path, state, old, entry, prune))
    return files


def _left_over(
    root: Path,
    path: PurePosixPath,
    state: State,
    old: str | None,
    entry: Entry | None,
    prune: bool,
) -> PlannedFile:
    """Say what becomes of a file that belongs to no kernel."""
    if state is not State.ORPHAN:
        return PlannedFile(root, path, None, state, Action.UNCHANGED, old)
    action = Action.UNCHANGED
    if prune:
        intact = old is not None and is_intact(old, entry)
        action = Action.DELETED if intact else Action.REFUSED
    return PlannedFile(root, path, None, state, action, old, entry=entry)


def _adopted(path: PurePosixPath, text: str) -> Entry:
    """Return what the manifest says of a file that was written before there was one."""
    spec = recorded_spec(text) or ""
    return Entry(path, path.stem, spec, body=body_hash(text))


def _after(
    before: Manifest | None, files: Sequence[PlannedFile], partial: bool
) -> Manifest:
    """Return the manifest as it is to be once every file is as planned."""
    entries = dict(before.entries) if before else {}
    if not partial:
        entries = {path: entry for path, entry in entries.items() if entry.vendored}
    kept = [file.entry for file in files if file.action is not Action.DELETED]
    return Manifest(entries).merged(entry for entry in kept if entry is not None)
