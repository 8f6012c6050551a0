"""Files on disk: read as text, replaced as a whole, never outside the project."""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Iterable
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath

from .digest import lf
from .errors import ConfigError

_TEMPORARY = re.compile(r"\.(.+)\.[0-9a-f]{8}\.tmp")


def read_text(root: Path, path: PurePosixPath) -> str | None:
    """Return the text at ``path`` with LF, None if it is no plain file or not UTF-8.

    Raises FileNotFoundError, and ConfigError for a file that cannot be read.
    """
    location = root / path
    try:
        if not stat.S_ISREG(location.lstat().st_mode):
            return None
        return lf(location.read_bytes().decode())
    except UnicodeDecodeError:
        return None
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error


def plain_text(root: Path, path: PurePosixPath) -> str | None:
    """Return the text at ``path`` with LF, None if there is no file.

    Raises ConfigError for what is no plain file of text, and so cannot be replaced.
    """
    try:
        text = read_text(root, path)
    except FileNotFoundError:
        return None
    if text is None:
        raise ConfigError(f"{path} is no plain file of UTF-8 text")
    return text


def write_text(root: Path, path: PurePosixPath, text: str) -> None:
    """Replace the file at ``path`` as a whole, with the mode it has; make its folder.

    Raises ConfigError if it cannot be written.
    """
    location = root / path
    try:
        location.parent.mkdir(parents=True, exist_ok=True)
        _replace(location, text.encode())
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from error


def delete(root: Path, path: PurePosixPath) -> None:
    """Delete the file at ``path``; ConfigError if that fails."""
    try:
        (root / path).unlink()
    except OSError as error:
        raise ConfigError(f"cannot delete {path}: {error.strerror}") from error


def remove_leftovers(root: Path, paths: Iterable[PurePosixPath]) -> None:
    """Remove what writers of ``paths`` that were killed have left beside them.

    Only for the holder of the project's lock: a temporary file may be in use.
    """
    names: dict[PurePosixPath, set[str]] = {}
    for path in paths:
        names.setdefault(path.parent, set()).add(path.name)
    for folder, known in names.items():
        for location in (root / folder).glob(".*.tmp"):
            found = _TEMPORARY.fullmatch(location.name)
            if found and found[1] in known:
                location.unlink(missing_ok=True)


def why_bad_path(root: Path, path: str) -> str | None:
    """Say why ``path`` cannot name a file or folder in ``root``; None if it can."""
    if not path or not path.isprintable() or "\\" in path:
        return "must be a path with '/' between folders"
    if PureWindowsPath(path).anchor:
        return "must be relative to the project's root"
    if ".." in PurePosixPath(path).parts:
        return "must stay inside the project's root, without '..'"
    inside = os.path.realpath(root)
    for part in (*reversed(PurePosixPath(path).parents), PurePosixPath(path)):
        if not Path(os.path.realpath(root / part)).is_relative_to(inside):
            link = f"but the symbolic link {part} leads out of it"
            return f"must stay inside the project's root, {link}"
    return None


def located(root: Path, path: PurePosixPath) -> Path:
    """Return where the file at ``path`` is, whatever links lead to its folder."""
    return Path(os.path.realpath(root / path.parent)) / path.name


def _replace(location: Path, content: bytes) -> None:
    """Replace the file as a whole, by way of a temporary one beside it."""
    temporary = location.with_name(f".{location.name}.{secrets.token_hex(4)}.tmp")
    mode = stat.S_IMODE(location.stat().st_mode) if location.exists() else None
    try:
        with open(temporary, "xb", opener=partial(os.open, mode=mode or 0o666)) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            # Beyond what the umask leaves of it.
            os.chmod(temporary, mode)
        os.replace(temporary, location)
    finally:
        temporary.unlink(missing_ok=True)
