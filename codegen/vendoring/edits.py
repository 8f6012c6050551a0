"""Edits of vendored files: shown, accepted, kept as patches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..build_plan import text_diff
from ..disk import delete, read_text, write_text
from ..errors import ConfigError, OptionError, RefusedError
from ..manifest import Entry, Manifest, write_manifest
from .changes import base_text
from .configured import Project
from .merge import patched
from .record import (
    PROOF,
    is_edited,
    patch_path,
    project_manifest,
    reason_of,
    recorded_patch,
    with_edit,
    without_edit,
)


@dataclass(frozen=True)
class Edited:
    """A vendored file, the text it has, and whether that is not what was generated."""

    entry: Entry
    text: str
    edited: bool


def diff(project: Project, names: Sequence[str] = ()) -> str:
    """Return as a unified diff what was edited in the vendored files of these names.

    Raises OptionError for an unknown name, and ConfigError for a file that cannot be
    read, or whose text before the edit cannot be had.
    """
    manifest = project_manifest(project)
    return "".join(
        text_diff(f.entry.path, _base(project, manifest, f), f.text)
        for f in _files(project, manifest, names)
        if f.edited
    )


def accept(project: Project, name: str, reason: str = "") -> tuple[Edited, ...]:
    """Record that the files of a kernel are as they should be, edits included.

    Verification then agrees with them, and updates merge the edits with what is new.
    The acceptance of an edit that was undone is withdrawn.

    Raises as `diff` does, and OptionError if a patch holds the edit.
    """
    manifest = project_manifest(project)
    files = tuple(_files(project, manifest, [name]))
    for file in files:
        if file.entry.patch:
            raise OptionError(
                f"the edit of {name!r} is kept in {file.entry.patch}; "
                f"run `eingrad vendor patch {name}`"
            )
    entries = [
        with_edit(f.entry, f.text, reason or reason_of(f.entry))
        if f.edited
        else without_edit(f.entry)
        for f in files
    ]
    write_manifest(project.root, manifest.merged(entries))
    return files


def patch(project: Project, name: str, reason: str = "") -> PurePosixPath | None:
    """Keep the edit of a kernel as ``patches/NAME.patch``, and return its path.

    Updates apply it again, even to a file that is gone.  None, and no patch, if the
    file is as it was generated.

    Raises as `diff` does, and RefusedError if another file is in the patch's place.
    """
    manifest = project_manifest(project)
    files = _files(project, manifest, [name])
    file = next(f for f in files if f.entry.target != PROOF["target"])
    path = patch_path(project.root, name)
    if not file.edited:
        drop_patch(project.root, file.entry)
        write_manifest(project.root, manifest.merged([without_edit(file.entry)]))
        return None
    if (project.root / path).exists() and file.entry.patch != str(path):
        raise RefusedError(f"{path} is in the way; move it")
    base = _base(project, manifest, file)
    text = text_diff(file.entry.path, base, file.text)
    if (patched(base, text), patched(file.text, text, reverse=True)) != (
        file.text,
        base,
    ):
        raise ConfigError(f"{file.entry.path} cannot be patched; end it with a newline")
    reason = reason or reason_of(file.entry)
    entry = with_edit(file.entry, file.text, reason, str(path))
    write_text(project.root, path, text)
    write_manifest(project.root, manifest.merged([entry]))
    return path


def drop_patch(root: Path, entry: Entry) -> None:
    """Delete the patch that ``entry`` names, and its folder if that was all in it."""
    if not entry.patch:
        return
    path = recorded_patch(root, entry)
    if (root / path).exists():
        delete(root, path)
        if not any((root / path.parent).iterdir()):
            (root / path.parent).rmdir()


def _files(
    project: Project, manifest: Manifest, names: Sequence[str]
) -> Iterator[Edited]:
    """Yield the files of these kernels, by default of all."""
    for vendored in project.chosen(names):
        for path in vendored.paths:
            entry = manifest.entries.get(path)
            if entry is None:
                raise ConfigError(
                    f"{path} is not in eingrad.lock; "
                    f"run `eingrad vendor update {vendored.name}`"
                )
            yield _edited(project, entry)


def _edited(project: Project, entry: Entry) -> Edited:
    try:
        text = read_text(project.root, entry.path)
    except FileNotFoundError:
        raise ConfigError(
            f"{entry.path} is missing; run `eingrad vendor update {entry.kernel}`"
        ) from None
    if text is None:
        raise ConfigError(f"{entry.path} is no plain file of UTF-8 text")
    return Edited(entry, text, is_edited(text, entry))


def _base(project: Project, manifest: Manifest, file: Edited) -> str:
    """Return the text before the edit; ConfigError if it cannot be had."""
    base = base_text(project.root, manifest, file.entry)
    if base is None:
        raise ConfigError(
            f"what {file.entry.path} was before its edit is lost: this version of "
            "eingrad writes it otherwise, and the git history does not have it"
        )
    return base
