"""Vendored kernels written: added to a project, and brought up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..disk import delete, read_text, write_text
from ..errors import ConfigError, OptionError, RefusedError
from ..kernel_tables import Vendored, python_file, why_bad_name
from ..manifest import MANIFEST, Entry, Manifest, write_manifest
from ..states import is_intact
from ..toml_text import with_table
from .changes import Change, change, orphan
from .configured import Project
from .edits import drop_patch
from .record import configured_path, project_manifest, recorded_patch
from .reuse import reuse_files
from .wanted import wanted_files


def update(
    project: Project,
    names: Sequence[str] = (),
    *,
    markers: bool = False,
    prune: bool = False,
    dry_run: bool = False,
    planned: Callable[[Sequence[Change]], None] = lambda changes: None,
) -> tuple[Change, ...]:
    """Bring the vendored kernels of these names up to date, by default all.

    A file that somebody edited is merged with what is new.  Nothing is written if one
    file would be lost, but for what is new, beside a file that cannot be merged.

    markers: whether a merge may leave conflicts in a file, between markers.
    prune: whether files are deleted that belong to no configured kernel any more.
    dry_run: whether to write nothing at all.
    planned: called with the changes before anything is refused or written.

    Raises OptionError for an unknown name, RefusedError for an edit in the way, and
    ConfigError for what cannot be generated, read or written.
    """
    manifest = project_manifest(project)
    changes = _changes(project, project.chosen(names), manifest, markers=markers)
    if not names:
        changes += _orphans(project, manifest, prune)
    planned(changes)
    if not dry_run:
        _put_beside(project.root, manifest, changes)
    _refuse(changes)
    if not dry_run:
        _write(project.root, manifest, changes)
    return changes


def add(
    project: Project, name: str, table: Mapping[str, Any], *, reuse: bool = False
) -> tuple[Change, ...]:
    """Vendor one kernel: write its files, the manifest and the configuration.

    table: what the configuration is to say of it.
    reuse: whether to write what REUSE asks for, as `reuse_files` returns it.

    Raises as `update` does; ConfigError also where the table cannot be put in.
    """
    root, source = project.root, project.source
    if name in project.kernels:
        raise OptionError(
            f"{name!r} is vendored already; run `eingrad vendor update {name}`, "
            f"or `eingrad vendor remove {name}` first"
        )
    for key in ("dest", "test"):
        if key in table:
            python_file(root, f"--{key}", table[key])
    if reason := why_bad_name(name):
        raise ConfigError(f"kernel {name!r}: a kernel's name {reason}")
    vendored = project.with_kernel(name, table).kernels[name]
    configuration = with_table(project.text(), (*project.keys, name), table)
    manifest = project.recorded()
    changes = _changes(project, [vendored], manifest)
    _refuse(changes)
    known = [item.path for item in changes] + [MANIFEST]
    known += [source] * (source.name == "eingrad.toml")
    licence = changes[0].entry.license
    beside = reuse_files(root, known, licence) if reuse else {}
    _write(root, manifest, changes)
    for path, text in {**beside, source: configuration}.items():
        write_text(root, path, text)
    return changes


def _changes(
    project: Project,
    kernels: Iterable[Vendored],
    manifest: Manifest,
    *,
    markers: bool = False,
) -> tuple[Change, ...]:
    root = project.root
    return tuple(
        change(root, wanted, manifest, markers=markers)
        for vendored in kernels
        for wanted in wanted_files(root, vendored, manifest)
    )


def _orphans(project: Project, manifest: Manifest, prune: bool) -> tuple[Change, ...]:
    known = {path for vendored in project.kernels.values() for path in vendored.paths}
    return tuple(
        orphan(project.root, entry, configured_path(project, entry), prune=prune)
        for path, entry in sorted(manifest.entries.items())
        if entry.vendored and path not in known
    )


def _refuse(changes: Iterable[Change]) -> None:
    """Raise RefusedError if one of the changes would destroy somebody's work."""
    refused = [f"{c.path} {c.refusal}" for c in changes if c.refusal]
    if refused:
        raise RefusedError("\n  ".join(["nothing was overwritten", *refused]))


def _put_beside(root: Path, manifest: Manifest, changes: Iterable[Change]) -> None:
    """Write new texts beside files that cannot be merged, unless a file is there."""
    for item in changes:
        if item.beside is None:
            continue
        try:
            old = read_text(root, item.beside_path)
        except FileNotFoundError:
            old = item.beside
        if old is None or not is_intact(old, manifest.entries.get(item.beside_path)):
            raise RefusedError(
                f"{item.path} {item.refusal}\n  but {item.beside_path} is in the way, "
                "and was not generated; move it"
            )
        write_text(root, item.beside_path, item.beside)


def _write(root: Path, manifest: Manifest, changes: Sequence[Change]) -> None:
    """Write the files, then the manifest.

    If this is interrupted, the next update finds the files that it would write.
    """
    for item in changes:
        if item.delete and (root / item.path).exists():
            delete(root, item.path)
        if item.text is not None:
            write_text(root, item.path, item.text)
        if item.patch is not None:
            write_text(root, recorded_patch(root, item.entry), item.patch)
        known = manifest.entries.get(item.path)
        if known is not None and known.patch != item.entry.patch:
            drop_patch(root, known)
    entries = (_settled(item.entry, manifest) for item in changes)
    gone = [item.path for item in changes if item.delete]
    write_manifest(root, manifest.merged(entries, without=gone))


def _settled(entry: Entry, manifest: Manifest) -> Entry:
    """Return what is on record, if only the generator's own source differs from it."""
    known = manifest.entries.get(entry.path)
    same = known is not None and replace(entry, inputs=known.inputs) == known
    return known if known is not None and same else entry
