"""What the commands on a project share: where it is, and how they report."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from .terminal import PATIENCE, is_watched, say

root_option = click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help="Folder of the configuration, if it is not this one.",
)

dry_run_option = click.option(
    "-n", "--dry-run", is_flag=True, help="Write nothing; say what would be done."
)

names_argument = click.argument("names", nargs=-1, metavar="[NAME]...")


def waiting() -> None:
    """Say that another process is at work here."""
    say("waiting for another command on this project")


def progress_bar() -> Callable[[int, int], None]:
    """Return what shows progress on a terminal's stderr, after a second of it."""
    start = time.monotonic()
    bars: list[Any] = []

    def show(done: int, total: int) -> None:
        if not bars and (time.monotonic() - start < PATIENCE or done == total):
            return
        if not is_watched():
            return
        if not bars:
            bars.append(click.progressbar(length=total, file=sys.stderr))
            bars[0].update(done - 1)
        bars[0].update(1)
        if done == total:
            bars[0].render_finish()

    return show
