"""A folder with vendored kernels, and the commands on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from eingrad.cli import main

DEST = "src/mypkg/_vendor/linear.py"
FRESH = "1 file, 1 of them up to date already\n"
TEST = "tests/test_linear.py"
ADD = ["add", "bi,ij->bj", "--operands", "x,weight", "--output", "y", "--dest", DEST]


@dataclass(frozen=True)
class Folder:
    """The current folder, in which commands run."""

    root: Path
    capsys: pytest.CaptureFixture[str]

    def vendor(self, *args: str) -> tuple[int, str, str]:
        """Run ``eingrad vendor``; return the exit code, stdout and stderr."""
        code: object = 0
        try:
            main(["vendor", *args])
        except SystemExit as left:
            code = left.code
        out, err = self.capsys.readouterr()
        return int(str(code)), out, err

    def done(self, *args: str) -> str:
        """Run what has to succeed; return its stdout."""
        code, out, err = self.vendor(*args)
        assert code == 0, err
        return out

    def read(self, path: str) -> str:
        return (self.root / path).read_bytes().decode()

    def replace(self, path: str, old: str, new: str) -> None:
        """Edit a file."""
        text = self.read(path)
        assert old in text
        (self.root / path).write_bytes(text.replace(old, new, 1).encode())

    def disk(self) -> dict[str, bytes]:
        """Return the content of every file."""
        files = (path for path in self.root.rglob("*") if path.is_file())
        return {p.relative_to(self.root).as_posix(): p.read_bytes() for p in files}
