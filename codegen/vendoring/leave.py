"""Vendored kernels given up: removed from a project, or left to it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from ..disk import delete, read_text, write_text
from ..errors import RefusedError
from ..manifest import MANIFEST, Entry, Manifest, write_manifest
from ..toml_text import without_table
from .configured import Project, check_names
from .edits import drop_patch
from .header import without_header
from .record import is_edited, project_manifest


def remove(
    project: Project, name: str, *, force: bool = False
) -> tuple[PurePosixPath, ...]:
    """Delete the files of a kernel and forget it; return the paths of the files.

    Raises RefusedError if one was edited, unless ``force``; OptionError for an unknown
    name.
    """
    manifest = project_manifest(project)
    entries = _entries(project, manifest, name)
    texts = _texts(project, entries)
    edited = [p for p, text in texts.items() if is_edited(text, entries[p])]
    if edited and not force:
        raise RefusedError(
            "\n  ".join(
                [
                    "nothing was changed",
                    *(f"{path} was edited" for path in edited),
                    f"run `eingrad vendor eject {name}` to keep it, or `eingrad vendor "
                    f"remove --force {name}` to lose the edit",
                ]
            )
        )
    configuration = _without(project, name)
    for entry in entries.values():
        drop_patch(project.root, entry)
    for path in texts:
        delete(project.root, path)
    _forget(project, manifest, entries, configuration)
    return tuple(texts)


def eject(project: Project, name: str) -> tuple[PurePosixPath, ...]:
    """Leave the files of a kernel to the project, and forget it; return their paths.

    They lose the lines that make them generated files, and keep their licence.

    Raises RefusedError for a file that is no text; OptionError for an unknown name.
    """
    manifest = project_manifest(project)
    entries = _entries(project, manifest, name)
    texts = _texts(project, entries)
    for path, text in texts.items():
        if text is None:
            raise RefusedError(f"{path} is no plain file of UTF-8 text; move it away")
    configuration = _without(project, name)
    for entry in entries.values():
        drop_patch(project.root, entry)
    for path, text in texts.items():
        write_text(project.root, path, without_header(text or ""))
    _forget(project, manifest, entries, configuration)
    return tuple(texts)


def _entries(
    project: Project, manifest: Manifest, name: str
) -> Mapping[PurePosixPath, Entry]:
    """Return what the manifest says of the kernel's files."""
    vendored = {p: e for p, e in manifest.entries.items() if e.vendored}
    check_names(
        [name], sorted({e.kernel for e in vendored.values()} | {*project.kernels})
    )
    return {p: e for p, e in vendored.items() if e.kernel == name}


def _texts(
    project: Project, entries: Mapping[PurePosixPath, Entry]
) -> dict[PurePosixPath, str | None]:
    """Return the texts of those files that are there; None for one that is no text."""
    texts: dict[PurePosixPath, str | None] = {}
    for path in entries:
        try:
            texts[path] = read_text(project.root, path)
        except FileNotFoundError:
            continue
    return texts


def _without(project: Project, name: str) -> str | None:
    """Return the configuration without a kernel; None if it is not in there.

    Raises ConfigError if the kernel cannot be taken out of it safely.
    """
    if name not in project.kernels:
        return None
    return without_table(project.text(), (*project.keys, name))


def _forget(
    project: Project,
    manifest: Manifest,
    entries: Mapping[PurePosixPath, Entry],
    configuration: str | None,
) -> None:
    """Take a kernel out of the manifest, and write the configuration.

    An ``eingrad.toml`` or a manifest with nothing left in it is deleted.
    """
    root, left = project.root, manifest.merged([], without=entries)
    if left.entries:
        write_manifest(root, left)
    elif entries:
        delete(root, MANIFEST)
    # Last, so that an interrupted command can be given again.
    if configuration is None:
        return
    if project.source.name == "eingrad.toml" and not configuration.strip():
        delete(root, project.source)
    else:
        write_text(root, project.source, configuration)
