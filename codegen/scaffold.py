"""Edits of a project's own files: its configuration and its ``.gitattributes``.

What is not edited stays as it is, comments and order included.  An edit is a text, old
and new, so that it can be shown before it is made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from .config import (
    is_configured,
    load_table,
    read_toml,
    source_of,
    why_bad_out,
)
from .disk import plain_text, write_text
from .errors import ConfigError
from .kernel_tables import why_bad_name
from .options import Options
from .schema import TABLE, read_value, shown, spelled
from .toml_text import with_table

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
    source = PurePosixPath(source_of(root).name)
    if is_configured(root):
        raise ConfigError(f"{source} configures eingrad already; edit it")
    if out is None:
        out = _default_out(root)
    if reason := why_bad_out(root, out):
        raise ConfigError(f"--out {reason}, got {shown(out)}")
    edits = [_configured(root, source, out), _attributed(root, out)]
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
    table = load_table(root)
    if table is None:
        raise ConfigError(f"no configuration in {root}; run `eingrad init`")
    source = PurePosixPath(table.source.name)
    if name in table.general.get("kernels", {}):
        raise ConfigError(f"kernel {name!r} is configured already; edit {source}")
    old = plain_text(root, source) or ""
    kernel = {"spec": spec, **spelled(given)}
    return Edit(source, old, with_table(old, (*table.keys, "kernels", name), kernel))


def carry_out(root: Path, edits: tuple[Edit, ...]) -> None:
    """Write every file anew, with the line ends that it has.

    Raises ConfigError if one cannot be written.
    """
    for edit in edits:
        location = root / edit.path
        crlf = location.exists() and b"\r\n" in location.read_bytes()
        new = edit.new.replace("\n", "\r\n") if crlf else edit.new
        write_text(root, edit.path, new)


def _default_out(root: Path) -> str:
    project = read_toml(root / "pyproject.toml").get("project", {})
    name = read_value("project", project, TABLE).get("name")
    package = re.sub("[-.]", "_", name) if isinstance(name, str) else ""
    for folder in (f"src/{package}", package):
        if package and (root / folder).is_dir():
            return f"{folder}/_kernels"
    return "kernels"


def _configured(root: Path, source: PurePosixPath, out: str) -> Edit:
    old = plain_text(root, source)
    if old is None:
        return Edit(source, None, f"out = {shown(out)}\n")
    return Edit(source, old, with_table(old, ("tool", "eingrad"), {"out": out}))


def _attributed(root: Path, out: str) -> Edit:
    """Have git keep LF in generated files, and fold them in a review."""
    old = plain_text(root, ATTRIBUTES)
    folder = "/*.py" if out == "." else f"{out.rstrip('/')}/**"
    new = old or ""
    for pattern in (folder, "eingrad.lock"):
        written = json.dumps(pattern, ensure_ascii=False) if " " in pattern else pattern
        if not any(line.startswith(f"{written} ") for line in new.splitlines()):
            new += "\n" * (new != "" and not new.endswith("\n"))
            new += f"{written} text eol=lf linguist-generated=true\n"
    return Edit(ATTRIBUTES, old, new)
