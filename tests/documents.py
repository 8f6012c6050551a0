"""The examples of the documents: run in order, and written again with what they show.

    console    after each ``$ command``, what a terminal shows
    toml       the pyproject.toml of the commands that follow
    python     with prompts, a doctest; without, a function of the file made last

``python tests/documents.py`` writes the documents again, prompts excepted.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = (
    ROOT / "README.md",
    *(
        ROOT / "docs" / f"{name}.md"
        for name in ("guide", "explain", "activations", "build", "vendoring")
    ),
)

BLOCK = re.compile(r"^```(console|toml|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def refreshed(text: str, folder: Path) -> str:
    """Return the document as it should be; its commands run in ``folder``."""

    def block(match: re.Match[str]) -> str:
        kind, body = match.groups()
        if kind == "toml":
            (folder / "pyproject.toml").write_text(body)
        elif kind == "console":
            commands = [line for line in body.splitlines() if line.startswith("$ ")]
            body = "".join(f"{line}\n{shown(line[2:], folder)}" for line in commands)
        elif ">>> " not in body:
            body = _function(body, folder)
        return f"```{kind}\n{body}```"

    return BLOCK.sub(block, text)


def prompts(text: str) -> str:
    """Return the Python blocks that have prompts, as one doctest."""
    blocks = [body for kind, body in BLOCK.findall(text) if kind == "python"]
    return "\n".join(body for body in blocks if ">>> " in body)


def shown(command: str, folder: Path, env: Mapping[str, str] | None = None) -> str:
    """Run a command line, with ours unless told; return what a terminal would show."""
    if env is None:
        scripts = Path(sys.executable).parent
        env = os.environ | {"PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env={**env, "PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    return done.stdout


def _function(body: str, folder: Path) -> str:
    """Return the function that the block shows, as the newest file has it."""
    head = body.partition("(")[0]
    newest = max(folder.glob("*.py"), key=lambda path: path.stat().st_mtime_ns)
    lines = newest.read_text().splitlines(keepends=True)
    begin = next(i for i, line in enumerate(lines) if line.startswith(f"{head}("))
    end = next(i for i in range(begin, len(lines)) if lines[i] == "\n")
    return "".join(lines[begin:end])


def main() -> None:
    """Write the documents again."""
    for path in DOCUMENTS:
        with tempfile.TemporaryDirectory() as folder:
            old = path.read_text(encoding="utf-8")
            new = refreshed(old, Path(folder))
        if new != old:
            path.write_text(new, encoding="utf-8")
            print(f"changed {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
