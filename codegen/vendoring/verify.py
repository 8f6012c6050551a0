"""Vendored files held against the manifest and the configuration, and nothing else.

Nothing is generated, and no other project is read: a verification needs no network, and
its answer does not hang on the version of eingrad.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import PurePosixPath

from ..digest import body_hash
from ..disk import read_text
from ..errors import ConfigError
from ..kernel_tables import Vendored
from ..kernel_text import kernel_of
from ..manifest import Entry
from ..states import State, is_intact
from .configured import Project, check_names
from .record import accepted_body, code_hash, followed, reason_of

_REASONS = {
    State.STALE: "is not what the manifest or the configuration say; "
    "run `eingrad vendor update {name}`",
    State.EDITED: "was edited; see `eingrad vendor diff {name}`, and undo the edit, "
    "or keep it with `eingrad vendor accept {name}` or `eingrad vendor patch {name}`",
    State.CONFLICT: "was edited, and its configuration has changed; "
    "run `eingrad vendor update {name}`",
    State.MISSING: "is missing; run `eingrad vendor update {name}`",
    State.ORPHAN: "belongs to no configured kernel; "
    "run `eingrad vendor update --prune`",
    State.FOREIGN: "is not in eingrad.lock; move it, and run "
    "`eingrad vendor update {name}`",
}


@dataclass(frozen=True)
class Verdict:
    """What one vendored file is.

    note: why an edit was accepted, or what is wrong beside the file's own text.
    sum: SHA-256 of its text with LF, in hex; empty if it has none that can be read.
    """

    path: PurePosixPath
    name: str
    state: State
    note: str = ""
    sum: str = ""

    @property
    def ok(self) -> bool:
        return self.state in (State.OK, State.REFORMATTED)

    @property
    def why(self) -> str:
        """Say what is wrong with the file and the way out; nothing if it is fine."""
        reason = _REASONS.get(self.state, "").format(name=self.name)
        return f"{self.path} {reason}" if reason else ""

    def to_dict(self) -> dict[str, str]:
        """Return the verdict for JSON."""
        named = {"path": str(self.path), "kernel": self.name, "state": self.state.value}
        said = {"reason": self.why, "note": self.note}
        return {**named, **{key: text for key, text in said.items() if text}}


def verify(project: Project, names: Sequence[str] = ()) -> tuple[Verdict, ...]:
    """Return a verdict on each vendored file, sorted by path.

    names: of the kernels whose files are meant, by default all.

    Raises ConfigError if the manifest cannot be read, or nothing is vendored, and
    OptionError for an unknown name.
    """
    recorded = project.recorded()
    manifest = followed(project, recorded)
    moved = {e.kernel for p, e in manifest.entries.items() if p not in recorded.entries}
    entries = {p: e for p, e in manifest.entries.items() if e.vendored}
    configured = {p: v for v in project.kernels.values() for p in v.paths}
    if not entries and not configured:
        raise ConfigError(
            f"nothing is vendored in {project.root}; see `eingrad vendor add`"
        )
    verdicts = [
        _verdict(project, path, entries.get(path), configured.get(path), moved)
        for path in sorted(entries.keys() | configured.keys())
    ]
    check_names(names, sorted({verdict.name for verdict in verdicts}))
    return tuple(v for v in verdicts if not names or v.name in names)


def sums(verdicts: Iterable[Verdict]) -> str:
    """Return what ``sha256sum -c`` reads, a line for each file that is as it should be.

    The sums are those of the text with LF, as ``.gitattributes`` should check it out.
    """
    return "".join(f"{v.sum}  {v.path}\n" for v in verdicts if v.ok)


def _verdict(
    project: Project,
    path: PurePosixPath,
    entry: Entry | None,
    vendored: Vendored | None,
    moved: Container[str],
) -> Verdict:
    name = vendored.name if vendored else entry.kernel if entry else ""
    try:
        text = read_text(project.root, path)
    except FileNotFoundError:
        return Verdict(path, name, State.MISSING if vendored else State.ORPHAN)
    if entry is None:
        intact = text is not None and is_intact(text, None)
        return Verdict(path, name, State.STALE if intact else State.FOREIGN)
    if vendored is None:
        return Verdict(path, name, State.ORPHAN)
    if text is None:
        return Verdict(path, name, State.EDITED)
    configured = name not in moved and _is_configured(entry, vendored)
    state = _state(text, entry, configured)
    checksum = sha256(text.encode()).hexdigest()
    return Verdict(path, name, state, reason_of(entry), checksum)


def _state(text: str, entry: Entry, configured: bool) -> State:
    """Return the state of a file; ``configured`` as its entry says."""
    if body_hash(text) == accepted_body(entry):
        state = State.OK
    elif is_intact(text, entry):
        return State.STALE
    elif code_hash(text) == entry.others.get("code"):
        state = State.REFORMATTED
    else:
        return State.EDITED if configured else State.CONFLICT
    return state if configured else State.STALE


def _is_configured(entry: Entry, vendored: Vendored) -> bool:
    """Tell whether the entry was made from what the configuration says."""
    if entry.kernel != vendored.name:
        return False
    if vendored.kernel is None:
        return bool(entry.others.get("from", vendored.origin) == vendored.origin)
    if "from" in entry.others or entry.spec != vendored.kernel.spec:
        return False
    recorded = kernel_of(replace(entry, target="numpy")).options
    given = vendored.kernel.options
    return all(
        _plain(getattr(recorded, key)) == _plain(getattr(given, key))
        for key in {*recorded.unlike_default(), *given.unlike_default()}
        if key not in ("name", "regenerate")
    )


def _plain(value: object) -> object:
    """Return an option's value with lists for tuples, all the way down."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
