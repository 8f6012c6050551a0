"""Older texts of a file, as the project's git history has them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ..digest import body_hash, lf


def committed_text(root: Path, path: PurePosixPath, body: str) -> str | None:
    """Return the newest committed text of ``path`` whose `body_hash` is ``body``.

    None where there is none: no such commit, no repository, or no git.
    """
    for text in _texts(root, path):
        if body_hash(text) == body:
            return text
    return None


def _texts(root: Path, path: PurePosixPath) -> Iterator[str]:
    """Yield the texts that a file had, newest first, with LF."""
    commits = _git(root, "log", "--format=%H", "--", str(path))
    for commit in (commits or b"").decode().split():
        # ``./`` makes the path relative to root, wherever the repository begins.
        content = _git(root, "show", f"{commit}:./{path}")
        try:
            yield lf((content or b"").decode())
        except UnicodeDecodeError:
            continue


def _git(root: Path, *words: str) -> bytes | None:
    """Return what git prints, None if it fails or is not there."""
    command = ["git", "-C", str(root), *words]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError:
        return None
    return None if done.returncode else done.stdout
