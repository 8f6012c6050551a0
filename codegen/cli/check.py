"""``eingrad check``: the proof of a module."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

import click

from ..errors import OptionError
from .options import derivation_options, given_options
from .terminal import spec_of_word, specs


@click.command(short_help="Prove a module right.")
@click.argument("target", metavar="SPEC|FILE")
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Seed of the draws."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@derivation_options
@click.pass_context
def check(
    ctx: click.Context, /, target: str, seed: int, as_json: bool, **options: Any
) -> None:
    """Prove all functions of a module right: forward, the gradients, and so on.

    The module is generated from SPEC, or loaded from FILE (a name ending in .py).
    Everything is compared with a brute-force computation, to the last bit or, with an
    activation, as far as rounding explains; exits with 1 and the first counterexample
    when they differ.  FILE is executed, and takes no option but --seed and --json.

    \b
    eingrad check "bqhd,bkhd->bhqk"
    eingrad check "bi,ij->bj" --bias j --activation gelu
    eingrad check scores.py
    """
    from ..api import check

    given = given_options(ctx, options)
    wrong = False
    for text in specs(target):
        _refuse_word(text)
        # What the module prints is no part of the report.
        with contextlib.redirect_stdout(sys.stderr):
            report = check(text, seed=seed, **given)
        wrong = wrong or not report.ok
        if as_json:
            click.echo(json.dumps(report.to_dict(), ensure_ascii=False))
        else:
            click.echo(str(report))
    sys.exit(int(wrong))


def _refuse_word(word: str) -> None:
    """Raise OptionError for a word, which is meant as a file or a folder."""
    if spec := spec_of_word(word):
        files = f"{word}/*.py" if Path(word).is_dir() else f"{word}.py"
        raise OptionError(
            f"{word!r} reads as a name, not as a spec\n"
            f"  for a file: eingrad check {files}\n"
            f"  if it is a spec, write its output: eingrad check '{spec}'"
        )
