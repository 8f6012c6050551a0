"""``eingrad list`` and ``eingrad clean``: the files of a build."""

from __future__ import annotations

from pathlib import Path

import click

from .project import dry_run_option, root_option, waiting
from .terminal import json_option, print_json, say


@click.command("list", short_help="Print the files of a build, one a line.")
@click.option("--outputs", "what", flag_value="outputs", default=True, help="Modules.")
@click.option("--inputs", "what", flag_value="inputs", help="What a build reads.")
@click.option(
    "--relative-to",
    type=click.Choice(["root", "out"]),
    default="root",
    show_default=True,
    help="Folder that the paths start from.",
)
@root_option
@json_option
def list_files(what: str, relative_to: str, root: Path, as_json: bool) -> None:
    """Print the paths of a build's outputs or inputs, for Make and meson.

    \b
    KERNELS := $(shell eingrad list --outputs)
    """
    import posixpath

    from ..config import load_config
    from ..planning import inputs, outputs

    config = load_config(root)
    found = map(str, inputs(config) if what == "inputs" else outputs(config))
    start = str(config.out) if relative_to == "out" else "."
    paths = [posixpath.relpath(path, start) for path in found]
    if as_json:
        print_json(paths)
    else:
        click.echo("".join(f"{path}\n" for path in paths), nl=False)


@click.command(short_help="Delete the files that a build wrote.")
@dry_run_option
@root_option
@json_option
def clean(dry_run: bool, root: Path, as_json: bool) -> None:
    """Delete the modules that `eingrad build` wrote; eingrad.lock keeps their plans.

    Nothing is deleted if one of them was edited by hand.

    \b
    eingrad clean -n
    """
    from ..build import clean

    files = clean(root, dry_run, waiting)
    if as_json:
        facts = [{"path": str(f.path), "action": f.action.value} for f in files]
        print_json(facts)
    for file in files:
        say(f"{'would be ' if dry_run else ''}{file.action.value} {file.path}")
