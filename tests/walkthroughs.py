"""Pages of walk-throughs: each section starts in an empty folder, and is run as it is.

A block whose first line is a path in a comment, ``# src/x.py``, is that file; ``sh`` is
run and has to succeed; ``console`` has after each ``$ command`` what a terminal shows.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from documents import shown

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# ([\w.-]+(?:/[\w.-]+)*)\n")


def sections(page: Path) -> dict[str, str]:
    """Return the sections of a page that have blocks, by their titles."""
    parts = re.split(r"^## (.*)\n", page.read_text("utf-8"), flags=re.MULTILINE)[1:]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return {title: text for title, text in pairs if BLOCK.search(text)}


def write_files(section: str, folder: Path) -> None:
    """Write the files of a section."""
    for _, body in BLOCK.findall(section):
        if named := FILE.match(body):
            path = folder / named[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(body, encoding="utf-8")


def walked(section: str, folder: Path, env: Mapping[str, str]) -> str:
    """Walk through a section; return it as it should be."""
    write_files(section, folder)

    def block(match: re.Match[str]) -> str:
        kind, body = match.groups()
        if kind == "sh":
            _succeed(body, folder, env)
        elif kind == "console":
            commands = [line for line in body.splitlines() if line.startswith("$ ")]
            body = "".join(
                f"{line}\n{shown(line[2:], folder, env)}" for line in commands
            )
        return f"```{kind}\n{body}```"

    return BLOCK.sub(block, section)


def _succeed(script: str, folder: Path, env: Mapping[str, str]) -> None:
    done = subprocess.run(
        ["sh", "-euc", script],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout
