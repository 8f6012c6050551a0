"""``eingrad build``: the kernels of a project."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from .terminal import say


@click.command(short_help="Write the kernels of pyproject.toml.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--check", "check_only", is_flag=True, help="Write nothing; exit 1 if stale."
)
@click.option(
    "--diff", "show_diff", is_flag=True, help="Write nothing; print the diff."
)
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help="Folder of the configuration.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def build(
    names: tuple[str, ...],
    check_only: bool,
    show_diff: bool,
    root: Path,
    as_json: bool,
) -> None:
    """Write the kernels that pyproject.toml configures, if they are missing or stale.

    \b
    [tool.eingrad]
    out = "src/mypkg/_kernels"
    [tool.eingrad.kernels.linear]
    spec = "bi,ij->bj"
    operands = ["x", "weight"]
    """
    from .. import build as building
    from ..config import load_config

    config = load_config(root)
    if not (check_only or show_diff):
        planned = building.build(config, names)
    else:
        planned = building.plan_build(config, names)
    stale = [file.why_stale for file in planned if file.why_stale]
    if as_json:
        facts = [{"path": str(f.path), "state": f.state.value} for f in planned]
        click.echo(json.dumps(facts))
    elif check_only or show_diff:
        click.echo(building.diff(planned), nl=False)
    if check_only or show_diff:
        for reason in stale:
            say(reason)
        sys.exit(int(check_only and bool(stale)))
    for file in planned:
        if file.state is not building.State.UNCHANGED:
            say(f"{file.state.value} {file.path}")
    fresh = sum(file.state is building.State.UNCHANGED for file in planned)
    say(f"{len(planned)} files, {fresh} of them fresh already")
