"""What the manifest says of a vendored file, beyond what a build knows.

vendored = true
from = "../other/eingrad.lock#linear"        where it was copied from
code = "sha256:..."                          of the code and comments, without layout
accepted = "sha256:..."                      of the text with an edit that is wanted
reason = "log the shapes"                    of that edit
patch = "patches/linear.patch"               that edit, to be applied after updates
"""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from ..digest import body_hash, hashed, is_ours, lf
from ..disk import located, read_text, why_bad_path
from ..errors import ConfigError
from ..kernel_tables import Vendored
from ..manifest import MANIFEST, Entry, Manifest
from ..states import comments
from .configured import Project

# What an entry says of a pytest file; it has no plan.
PROOF: Mapping[str, Any] = {
    "target": "pytest",
    "plan": (),
    "requires": ("numpy>=1.26", "pytest>=8"),
}


_EDIT = ("accepted", "reason")


def project_manifest(project: Project) -> Manifest:
    """Return the manifest of a project, empty if there is none, moves followed.

    Raises ConfigError for a manifest that cannot be read.
    """
    return followed(project, project.recorded())


def followed(project: Project, manifest: Manifest) -> Manifest:
    """Return the manifest with each file that was moved where it is configured now.

    So a file that is moved together with its ``dest`` or ``test`` keeps its record,
    whatever its kernel is called now.
    """
    for entry in manifest.entries.values():
        path = configured_path(project, entry) or _renamed_path(
            project, manifest, entry
        )
        if path is None or path in manifest.entries:
            continue
        if _is_moved(project.root, entry.path, path):
            moved = replace(entry, path=path)
            manifest = manifest.merged([moved], without=[entry.path])
    return manifest


def _is_moved(root: Path, old: PurePosixPath, new: PurePosixPath) -> bool:
    """Tell whether a generated file is at ``new``, and no other at ``old`` any more."""
    if located(root, old) == located(root, new):
        return True
    if (root / old).exists() or not (root / new).exists():
        return False
    return is_ours(read_text(root, new) or "")


def configured_path(project: Project, entry: Entry) -> PurePosixPath | None:
    """Return where the configuration has the file of ``entry``; None if nowhere."""
    vendored = project.kernels.get(entry.kernel) if entry.vendored else None
    return None if vendored is None else _path_of(entry, vendored)


def _renamed_path(
    project: Project, manifest: Manifest, entry: Entry
) -> PurePosixPath | None:
    """Return where a vendored file is under another kernel's name, by its text."""
    for vendored in project.kernels.values() if entry.vendored else ():
        path = _path_of(entry, vendored)
        if path is None or path in manifest.entries:
            continue
        if _has_text(project.root, path, accepted_body(entry)):
            return path
    return None


def _path_of(entry: Entry, vendored: Vendored) -> PurePosixPath | None:
    return vendored.test if entry.target == PROOF["target"] else vendored.dest


def _has_text(root: Path, path: PurePosixPath, body: str) -> bool:
    try:
        return body_hash(read_text(root, path) or "") == body
    except FileNotFoundError:
        return False


def patch_path(root: Path, name: str) -> PurePosixPath:
    """Return the path of the patch of the kernel ``name``.

    Raises ConfigError if a symbolic link leads out of the project.
    """
    path = PurePosixPath("patches") / f"{name}.patch"
    if reason := why_bad_path(root, str(path)):
        raise ConfigError(f"{path} {reason}")
    return path


def recorded_patch(root: Path, entry: Entry) -> PurePosixPath:
    """Return the path of the patch that ``entry`` names.

    Raises ConfigError for any other file: a manifest can be edited.
    """
    path = patch_path(root, entry.kernel)
    if entry.patch != str(path):
        raise ConfigError(
            f'{MANIFEST}: the patch of {entry.kernel!r} must be "{path}", '
            f'got "{entry.patch}"'
        )
    return path


def accepted_body(entry: Entry) -> str:
    """Return the hash that the file's text has to have: as generated, or accepted."""
    return str(entry.others.get("accepted", entry.body))


def is_edited(text: str | None, entry: Entry) -> bool:
    """Tell whether a file is not as it was generated; None is what is no text."""
    return text is None or body_hash(text) != entry.body


def reason_of(entry: Entry) -> str:
    """Return why the edit of the file was accepted; nothing if no reason was given."""
    return str(entry.others.get("reason", ""))


def with_edit(entry: Entry, text: str, reason: str = "", patch: str = "") -> Entry:
    """Return the entry of a file that has ``text``, edited, as it is meant to be."""
    bare = without_edit(entry)
    edit = {"accepted": body_hash(text), "code": code_hash(text)}
    others = {**bare.others, **edit, **({"reason": reason} if reason else {})}
    return replace(bare, patch=patch, others=others)


def with_edit_of(entry: Entry, recorded: Entry) -> Entry:
    """Return the entry with the edit, if any, that another one records."""
    edit = {key: recorded.others[key] for key in _EDIT if key in recorded.others}
    code = {"code": recorded.others["code"]} if "accepted" in edit else {}
    return replace(entry, patch=recorded.patch, others={**entry.others, **edit, **code})


def without_edit(entry: Entry) -> Entry:
    """Return the entry without an edit."""
    others = {key: value for key, value in entry.others.items() if key not in _EDIT}
    return replace(entry, patch="", others=others)


def code_hash(text: str) -> str:
    """Return the hash of a module's code and comments, whatever its layout.

    The second line, which holds the digest, does not count.  A text that is no Python
    has a hash of its own.
    """
    text = lf(text)
    try:
        return hashed("\n".join([_outline(ast.parse(text)), *comments(text)]))
    except (SyntaxError, ValueError, tokenize.TokenError):
        return hashed(text)


def _outline(node: object) -> str:
    """Write a syntax tree in the same way under every Python version.

    Fields that are empty are left out: versions differ in which ones there are.
    """
    if isinstance(node, list):
        return f"[{' '.join(map(_outline, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = [
        f"{name}={_outline(value)}"
        for name, value in ast.iter_fields(node)
        if value is not None and value != [] and name not in ("ctx", "kind")
    ]
    return f"{type(node).__name__}({' '.join(fields)})"
