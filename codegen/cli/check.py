"""``eingrad check``: the proof of a module."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import click

from ..errors import OptionError
from .options import derivation_options, given_options
from .terminal import at_work, json_option, print_json, spec_of_word, specs


@click.command(short_help="Prove a module right.")
@click.argument("targets", metavar="SPEC|FILE...", nargs=-1, required=True)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Seed of the draws."
)
@json_option
@derivation_options
@click.pass_context
def check(
    ctx: click.Context,
    /,
    targets: tuple[str, ...],
    seed: int,
    as_json: bool,
    **options: Any,
) -> None:
    """Prove all functions of a module right: forward, the gradients, and so on.

    The module is generated from SPEC, or loaded from FILE (a name ending in .py).  Of
    several, each has its report; as JSON, they are a list, or one a line if they come
    from stdin.
    Everything is compared with a brute-force computation, to the last bit or, with an
    activation, as far as rounding explains; exits with 1 and the first counterexample
    when they differ.  FILE is executed, and takes no option but --seed and --json.

    \b
    eingrad check "bqhd,bkhd->bhqk"
    eingrad check "bi,ij->bj" --bias j --activation gelu
    eingrad check scores.py
    eingrad check generated/*.py
    """
    from ..api import check

    given = given_options(ctx, options)
    reports = []
    for text in (text for target in targets for text in specs(target)):
        _refuse_word(text)
        # What the module prints is no part of the report.
        with at_work(), contextlib.redirect_stdout(sys.stderr):
            report = check(text, seed=seed, **given)
        reports.append(report)
        if not as_json:
            click.echo(f"{text}: {report}" if len(targets) > 1 else str(report))
        elif len(targets) == 1:
            print_json(report.to_dict())
    if not reports:
        raise OptionError("there is no spec on stdin, so nothing is proved")
    if as_json and len(targets) > 1:
        found = [report.to_dict() for report in reports]
        print_json(found)
    sys.exit(int(not all(report.ok for report in reports)))


def _refuse_word(word: str) -> None:
    """Raise OptionError for a word that is the name of a file or a folder, too."""
    named = Path(word).exists() or Path(f"{word}.py").exists()
    if named and (spec := spec_of_word(word)):
        files = f"{word}/*.py" if Path(word).is_dir() else f"{word}.py"
        raise OptionError(
            f"{word!r} reads as a name, not as a spec\n"
            f"  for a file: eingrad check {files}\n"
            f"  if it is a spec, write its output: eingrad check '{spec}'"
        )
