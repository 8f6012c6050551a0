"""What the commands share: the specs on stdin, JSON, and the talk on stderr."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import click

from ..errors import EingradError, OptionError

# Seconds; to speak of what is over in a moment would only flicker.
PATIENCE = 1.0

# The type of -o, and what it calls stdout.
FILE = click.Path(dir_okay=False, allow_dash=True, path_type=Path)
STDOUT = Path("-")

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class InOrder(click.Group):
    """A group that lists its commands in the order in which they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


def print_json(facts: object) -> None:
    """Print facts on stdout for a program, on one line."""
    click.echo(json.dumps(facts, ensure_ascii=False))


def say(text: str) -> None:
    """Talk to the user, on stderr."""
    click.echo(text, err=True)


def is_watched() -> bool:
    """Tell whether stderr is a terminal; it is None where it was closed."""
    return sys.stderr is not None and sys.stderr.isatty()


@contextlib.contextmanager
def at_work() -> Iterator[None]:
    """Say on a terminal that this takes a while, if it does."""
    if not is_watched():
        yield
        return
    timer = threading.Timer(PATIENCE, say, ["at work; Ctrl-C stops it"])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextlib.contextmanager
def stdout_errors() -> Iterator[None]:
    """Leave with 0 where nobody reads stdout any more, which click takes for a 1.

    Raises EingradError where stdout cannot be written for another reason.
    """
    try:
        yield
    except OSError as error:
        if error.filename is not None:
            raise
        # What was not written yet would fail again at exit.
        sys.stdout = None
        if isinstance(error, BrokenPipeError):
            sys.exit(0)
        raise EingradError(f"cannot write to stdout: {error.strerror}") from error


def spec_of_word(text: str) -> str | None:
    """Return the full spec of what may be meant as a name; None of what may not.

    That is three ASCII letters or more alone, a spec whose output is left out.
    """
    if len(text) < 3 or not (text.isascii() and text.isalpha()):
        return None
    from ..spec import parse

    return str(parse(text))


def specs(spec: str) -> Iterator[str]:
    """Yield the spec, or those on stdin; EingradError where that cannot be read."""
    if spec.strip() != "-":
        yield spec.strip() if spec.startswith(" ->") else spec
        return
    if sys.stdin is None:
        raise EingradError("cannot read stdin: it is closed")
    try:
        for line in sys.stdin:
            # Some shells put a byte order mark before what they pipe.
            text = line.removeprefix("\N{BYTE ORDER MARK}").rstrip("\n")
            if text.strip():
                yield text
    except OSError as error:
        raise EingradError(f"cannot read stdin: {error.strerror}") from error


def specs_for(out: Path | None, spec: str) -> list[str]:
    """List the specs; OptionError unless it is one where it goes to a file."""
    found = list(specs(spec))
    if out is not None and len(found) != 1:
        raise OptionError(f"one file takes one spec, and {len(found)} are given")
    return found
