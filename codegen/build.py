"""The build: kernels of the configuration to files, and what stands in their way.

A plan says what each file is and what becomes of it; only then is anything written, and
nothing is if one file of the plan would be lost.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from enum import Enum
from io import StringIO
from pathlib import Path, PurePosixPath

from .config import Config, KernelConfig
from .digest import body_digest, is_ours, lf, recorded_digest
from .errors import (
    ConfigError,
    EingradError,
    InternalError,
    OptionError,
    RefusedError,
    suggestion,
)

Render = Callable[[KernelConfig], str]


class State(Enum):
    """What a file on disk is to the kernel that it belongs to."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    FOREIGN = "foreign"
    EDITED = "edited"
    ORPHAN = "orphan"


_REASONS = {
    State.CREATED: "is missing; run `eingrad build`",
    State.CHANGED: "is stale; run `eingrad build`",
    State.FOREIGN: "is not a file that eingrad wrote; move it, or rename the kernel",
    State.EDITED: "was edited by hand; keep the edit under another name, or undo it, "
    "and delete the file: the next build writes it again",
    State.ORPHAN: "belongs to no configured kernel; delete it, or configure the kernel",
}


@dataclass(frozen=True)
class PlannedFile:
    """One file of a build: ``path`` is relative to ``root``.

    kernel, new: the kernel's name and its text; None for an orphan.
    old: the text on disk with LF; None if there is none that can be read.
    """

    root: Path
    path: PurePosixPath
    kernel: str | None
    new: str | None
    old: str | None
    state: State

    @property
    def why_stale(self) -> str | None:
        """Say what is wrong with the file and the way out; None if it is fresh."""
        return f"{self.path}{self.reason}" if self.reason else None

    @property
    def reason(self) -> str:
        """Say what is wrong with the file, after its name; nothing if it is fresh."""
        reason = _REASONS.get(self.state)
        return f" {reason}" if reason else ""


def render_kernel(kernel: KernelConfig) -> str:
    """Return the module text of ``kernel``: configuration meets pipeline only here."""
    from .pipeline import generate

    own = {"name": kernel.name, "regenerate": f"eingrad build {kernel.name}"}
    return generate(kernel.spec, **vars(kernel.options) | own)


def plan_build(
    config: Config,
    names: Sequence[str] | None = None,
    *,
    render: Render = render_kernel,
) -> tuple[PlannedFile, ...]:
    """Return what a build would do, sorted by path; write nothing.

    names: the kernels to build; none named is all of them, and then files of ours that
    belong to no kernel are in the plan too.

    Raises OptionError for an unknown name, ConfigError for a kernel that cannot be
    generated or a file that cannot be read.
    """
    planned = [_plan(config, kernel, render) for kernel in _chosen(config, names)]
    orphans = [] if names else _orphans(config)
    return tuple(sorted([*planned, *orphans], key=lambda file: file.path))


def build(
    config: Config,
    names: Sequence[str] | None = None,
    *,
    render: Render = render_kernel,
) -> tuple[PlannedFile, ...]:
    """Write what `plan_build` says is missing or stale, and return that plan.

    A file is replaced as a whole or not at all; one that is fresh is not touched.

    Raises RefusedError, before anything is written, if a file in the way is not ours or
    was edited; else as `plan_build`, and ConfigError for a file that cannot be written.
    """
    planned = plan_build(config, names, render=render)
    refused = [f for f in planned if f.state in (State.FOREIGN, State.EDITED)]
    if refused:
        reasons = [f"{file.why_stale}" for file in refused]
        raise RefusedError("\n  ".join(["nothing was written", *reasons]))
    for file in planned:
        if file.new is not None and file.state in (State.CREATED, State.CHANGED):
            _write(file.root, file.path, file.new)
    return planned


def write_module(path: Path, text: str) -> State:
    """Write the text of one module where nothing of somebody else's is lost.

    Raises RefusedError if the file in the way is not ours or was edited.
    """
    root, name = path.parent, PurePosixPath(path.name)
    old, state = _compare(root, name, text)
    file = PlannedFile(root, name, None, text, old, state)
    if state in (State.FOREIGN, State.EDITED):
        raise RefusedError(f"nothing was written\n  {path}{file.reason}")
    if state is not State.UNCHANGED:
        _write(root, name, text)
    return state


def diff(planned: Iterable[PlannedFile]) -> str:
    """Return as a unified diff what a build would change, and what an edit changed.

    A file that is not ours, or belongs to no kernel, has no text to become.
    """
    shown = (State.CREATED, State.CHANGED, State.EDITED)
    return "".join(_diff(file) for file in planned if file.state in shown)


def _chosen(config: Config, names: Sequence[str] | None) -> tuple[KernelConfig, ...]:
    known = [kernel.name for kernel in config.kernels]
    for name in names or ():
        if name not in known:
            close = suggestion(name, known)
            listed = close or f"; the kernels are {', '.join(known) or 'none'}"
            raise OptionError(f"unknown kernel {name!r}{listed}")
    return tuple(k for k in config.kernels if not names or k.name in names)


def _plan(config: Config, kernel: KernelConfig, render: Render) -> PlannedFile:
    path = config.out / f"{kernel.name}.py"
    new = _render(kernel, render)
    old, state = _compare(config.root, path, new)
    return PlannedFile(config.root, path, kernel.name, new, old, state)


def _render(kernel: KernelConfig, render: Render) -> str:
    """Return the kernel's text, which must be such that the next build knows it."""
    try:
        text = render(kernel)
    except InternalError:
        raise
    except EingradError as error:
        raise ConfigError(f"kernel {kernel.name!r}: {error}") from error
    if not is_ours(text) or recorded_digest(text) != body_digest(text):
        raise InternalError(f"the module of kernel {kernel.name!r} lacks its digest")
    return text


def _compare(root: Path, path: PurePosixPath, new: str) -> tuple[str | None, State]:
    """Return the text at ``path``, if any, and what it is to ``new``."""
    try:
        old = _text(root, path)
    except FileNotFoundError:
        return None, State.CREATED
    if old is None or not is_ours(old):
        return old, State.FOREIGN
    if old == new:
        return old, State.UNCHANGED
    intact = recorded_digest(old) == body_digest(old)
    return old, State.CHANGED if intact else State.EDITED


def _text(root: Path, path: PurePosixPath) -> str | None:
    """Return the text at ``path`` with LF, None if it is no plain file or not UTF-8."""
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


def _orphans(config: Config) -> list[PlannedFile]:
    """Return the files of ours in ``out`` that belong to no kernel."""
    kernels = {f"{kernel.name}.py" for kernel in config.kernels}
    names = {file.name for file in (config.root / config.out).glob("*.py")}
    orphans = []
    for path in (config.out / name for name in names - kernels):
        old = _text(config.root, path)
        if old is not None and is_ours(old):
            orphans.append(
                PlannedFile(config.root, path, None, None, old, State.ORPHAN)
            )
    return orphans


def _write(root: Path, path: PurePosixPath, text: str) -> None:
    location = root / path
    try:
        location.parent.mkdir(parents=True, exist_ok=True)
        _replace(location, text.encode())
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from error


def _replace(location: Path, content: bytes) -> None:
    """Replace the file as a whole, by way of a temporary one beside it."""
    temporary = location.with_name(f".{location.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb", opener=_open) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, location)
    finally:
        temporary.unlink(missing_ok=True)


def _open(path: str, flags: int) -> int:
    return os.open(path, flags, 0o644)


def _diff(file: PlannedFile) -> str:
    before = "/dev/null" if file.old is None else f"a/{file.path}"
    lines = unified_diff(
        _lines(file.old), _lines(file.new), before, f"b/{file.path}", lineterm="\n"
    )
    # Only a text's last line can lack its newline; patch wants to be told.
    whole = (
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in lines
    )
    return "".join(whole)


def _lines(text: str | None) -> list[str]:
    return list(StringIO(text or "", newline="\n"))
