"""What a file on disk is to the kernel that it belongs to, and to the manifest."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Callable
from enum import Enum
from pathlib import Path, PurePosixPath

from .digest import RECORD, body_digest, body_hash, is_ours, recorded_digest
from .disk import read_text
from .manifest import Entry


class State(Enum):
    """The relation of a file, what was written there, and what a build would write.

    OK            all three are the same
    REFORMATTED   the file has other white space, quotes or brackets, and no other code
    STALE         a build would write something else; the file is as it was written
    EDITED        the file is not as it was written
    CONFLICT      the file is not as it was written, nor would a build write that again
    MISSING       there is no file
    ORPHAN        the file was written by a build, and is configured no longer
    FOREIGN       the file was written by somebody else
    """

    OK = "ok"
    REFORMATTED = "reformatted"
    STALE = "stale"
    EDITED = "edited"
    CONFLICT = "conflict"
    MISSING = "missing"
    ORPHAN = "orphan"
    FOREIGN = "foreign"


def state_of(
    root: Path,
    path: PurePosixPath,
    entry: Entry | None,
    new: str | None,
    base: Callable[[Entry], str | None] = lambda entry: None,
) -> tuple[str | None, State]:
    """Return the text at ``path``, None if it has none that can be read, and its state.

    entry: what the manifest says of the file; None if it is not listed.
    new: what a build would write; None if nothing is configured for the path.
    base: returns what was written according to an entry, if that can be found out.

    Raises ConfigError for a file that cannot be read.
    """
    try:
        old = read_text(root, path)
    except FileNotFoundError:
        return None, State.MISSING
    listed = entry is not None and not entry.pending
    if not listed and (old is None or not is_ours(old)):
        return old, State.FOREIGN
    if new is None:
        return old, State.ORPHAN
    if old is None:
        return old, State.EDITED
    if old == new:
        return old, State.OK
    if is_intact(old, entry):
        return old, State.STALE
    if same_code(old, new):
        return old, State.REFORMATTED
    if _is_written(old, new, entry):
        return old, State.EDITED
    before = base(entry) if entry is not None and listed else None
    reformatted = before is not None and same_code(old, before)
    return old, State.STALE if reformatted else State.CONFLICT


def is_intact(text: str, entry: Entry | None) -> bool:
    """Return whether ``text`` is as it was written.

    The header tells, also of a file that the manifest does not list, or not yet.
    """
    if not is_ours(text):
        return False
    if recorded_digest(text) == body_digest(text):
        return True
    return entry is not None and not entry.pending and body_hash(text) == entry.body


def same_code(one: str, other: str) -> bool:
    """Return whether two modules differ in layout alone: not in code, nor in comments.

    The second line, which holds the digest, is left out of the comparison.
    """
    try:
        return _code(one) == _code(other)
    except (SyntaxError, tokenize.TokenError, ValueError):
        return False


def _is_written(old: str, new: str, entry: Entry | None) -> bool:
    """Return whether a build would write what it wrote, as far as that is known."""
    if entry is not None and not entry.pending:
        return body_hash(new) == entry.body
    return recorded_digest(old) in (None, body_digest(new))


def comments(text: str) -> list[str]:
    """List the comments of a module, but for the line that holds the digest.

    Raises SyntaxError or tokenize.TokenError if the text is no Python.
    """
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    found = [token.string for token in tokens if token.type == tokenize.COMMENT]
    return [line for line in found if not line.startswith(RECORD)]


def _code(text: str) -> tuple[str, list[str]]:
    return ast.dump(ast.parse(text)), comments(text)
