"""Edits of a project's own files: its configuration and its ``.gitattributes``.

What is not edited stays as it is, comments and order included.  An edit is a text, old
and new, so that it can be shown before it is made.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from .config import why_bad_name, why_bad_out
from .disk import read_text, write_text
from .errors import ConfigError
from .options import Options
from .schema import shown

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import Table

PROJECT = PurePosixPath("pyproject.toml")
STANDALONE = PurePosixPath("eingrad.toml")
ATTRIBUTES = PurePosixPath(".gitattributes")

RECIPES = """\
For a Makefile (GNU make 4.3 or later):

EINGRAD ?= eingrad
KERNELS := $(shell $(EINGRAD) list --outputs)
kernels: $(KERNELS)
$(KERNELS) &: {source}
\t$(EINGRAD) build
\t@touch $(KERNELS)
check-kernels: ; $(EINGRAD) build --check
.PHONY: kernels check-kernels

For .pre-commit-config.yaml, below the formatters:

- repo: local
  hooks:
    - id: eingrad-check
      name: eingrad generated kernels are fresh
      entry: eingrad build --check
      language: system
      files: (pyproject\\.toml|eingrad\\.(toml|lock)|\\.py)$
      pass_filenames: false

Next: eingrad add matmul "ij,jk->ik" && eingrad build"""


@dataclass(frozen=True)
class Edit:
    """One file, before and after; ``old`` is None for a file that is to be made."""

    path: PurePosixPath
    old: str | None
    new: str


def init(root: Path, out: str | None = None) -> tuple[tuple[Edit, ...], str]:
    """Return the edits that let a project have kernels in ``out``, and its recipes.

    out: by default ``_kernels`` in the project's package, or ``kernels``.

    Raises ConfigError for a project that is configured already.
    """
    source, document = _document(root)
    if "eingrad" in document.get("tool", {}) or source == STANDALONE:
        raise ConfigError(f"{source} configures eingrad already; edit it")
    if _text(root, PROJECT) is None:
        source = STANDALONE
    if out is None:
        name = document.get("project", {}).get("name")
        out = _default_out(root, name if isinstance(name, str) else "")
    if reason := why_bad_out(root, out):
        raise ConfigError(f"--out {reason}, got {shown(out)}")
    edits = [_configured(root, source, document, out), _attributed(root, out)]
    recipes = RECIPES.replace("{source}", str(source))
    return tuple(edit for edit in edits if edit.old != edit.new), recipes


def add(root: Path, name: str, spec: str, given: Mapping[str, Any]) -> Edit:
    """Return the edit that configures the kernel ``name``.

    given: the options to write, under their Python names.

    Raises ConfigError if there is no configuration, or such a kernel is in it;
    SpecError or OptionError if no kernel can be made of this.
    """
    from .request import read_request

    if reason := why_bad_name(name):
        raise ConfigError(f"kernel {name!r}: a kernel's name {reason}")
    read_request(spec, Options(**given))
    source, document = _document(root)
    ours: Any = document
    if source == PROJECT:
        ours = document.get("tool", {}).get("eingrad")
        if ours is None:
            raise ConfigError(f"no configuration in {root}; run `eingrad init`")
    if name in ours.get("kernels", {}):
        raise ConfigError(f"kernel {name!r} is configured already; edit {source}")
    import tomlkit

    if "kernels" not in ours:
        ours["kernels"] = tomlkit.table(is_super_table=True)
    ours["kernels"][name] = _kernel(spec, given)
    return _edit(root, source, document)


def carry_out(root: Path, edits: tuple[Edit, ...]) -> None:
    """Write every file anew, with the line ends that it has.

    Raises ConfigError if one cannot be written.
    """
    for edit in edits:
        location = root / edit.path
        crlf = location.exists() and b"\r\n" in location.read_bytes()
        new = edit.new.replace("\n", "\r\n") if crlf else edit.new
        write_text(root, edit.path, new)


def _text(root: Path, path: PurePosixPath) -> str | None:
    """Return the text at ``path``; None if there is none."""
    try:
        text = read_text(root, path)
    except FileNotFoundError:
        return None
    if text is None:
        raise ConfigError(f"{path} is no plain file of UTF-8 text")
    return text


def _document(root: Path) -> tuple[PurePosixPath, TOMLDocument]:
    """Return the file that holds, or is to hold, the configuration, as tomlkit has it.

    That is eingrad.toml where there is one.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    source = PROJECT if _text(root, STANDALONE) is None else STANDALONE
    try:
        return source, tomlkit.parse(_text(root, source) or "")
    except TOMLKitError as error:
        raise ConfigError(f"{source} is not TOML: {error}") from error


def _default_out(root: Path, name: str) -> str:
    package = name.replace("-", "_").replace(".", "_")
    for folder in (f"src/{package}", package):
        if package and (root / folder).is_dir():
            return f"{folder}/_kernels"
    return "kernels"


def _configured(
    root: Path, source: PurePosixPath, document: TOMLDocument, out: str
) -> Edit:
    import tomlkit

    if source == STANDALONE:
        document = tomlkit.document()
        document["out"] = out
        return _edit(root, source, document)
    table = tomlkit.table()
    table["out"] = out
    if "tool" not in document:
        document["tool"] = tomlkit.table(is_super_table=True)
    tool: Any = document["tool"]
    tool["eingrad"] = table
    return _edit(root, source, document)


def _attributed(root: Path, out: str) -> Edit:
    """Have git keep LF in generated files, and fold them in a review."""
    old = _text(root, ATTRIBUTES)
    folder = "/*.py" if out == "." else f"{out.rstrip('/')}/**"
    new = old or ""
    for pattern in (folder, "eingrad.lock"):
        written = json.dumps(pattern, ensure_ascii=False) if " " in pattern else pattern
        if not any(line.startswith(f"{written} ") for line in new.splitlines()):
            new += "\n" * (new != "" and not new.endswith("\n"))
            new += f"{written} text eol=lf linguist-generated=true\n"
    return Edit(ATTRIBUTES, old, new)


def _kernel(spec: str, given: Mapping[str, Any]) -> Table:
    import tomlkit

    table = tomlkit.table()
    table["spec"] = spec
    for option, value in given.items():
        if isinstance(value, Mapping):
            inline = tomlkit.inline_table()
            inline.update(value)
            value = inline
        table[option.replace("_", "-")] = value
    return table


def _edit(root: Path, source: PurePosixPath, document: TOMLDocument) -> Edit:
    """Return the edit, held against what the document says to another reader."""
    import tomlkit

    new = tomlkit.dumps(document)
    try:
        same = tomllib.loads(new) == document.unwrap()
    except tomllib.TOMLDecodeError:
        same = False
    if not same:
        raise ConfigError(f"{source} is written in a way that cannot be edited safely")
    return Edit(source, _text(root, source), new)
