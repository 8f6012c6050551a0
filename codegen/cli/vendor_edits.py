"""``eingrad vendor``: what becomes of edits, and of files that are not wanted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import click

from .project import names_argument, root_option, waiting
from .terminal import json_option, print_json, say

reason_option = click.option(
    "--reason", metavar="TEXT", default="", help="Why the edit is wanted."
)


@click.command(short_help="Print what was edited.")
@names_argument
@root_option
def diff(names: tuple[str, ...], root: Path) -> None:
    """Print what was edited in vendored files, as a unified diff.

    \b
    eingrad vendor diff linear
    """
    from ..vendoring import edits
    from ..vendoring.configured import load_project

    click.echo(edits.diff(load_project(root), names), nl=False)


@click.command(short_help="Keep an edit as a patch.")
@click.argument("name")
@reason_option
@root_option
@json_option
def patch(name: str, reason: str, root: Path, as_json: bool) -> None:
    """Keep the edit of a kernel as patches/NAME.patch, which updates apply again.

    A patch whose edit was undone in the file is deleted.

    \b
    eingrad vendor patch linear --reason "count the calls"
    """
    from ..vendoring import edits
    from ..vendoring.configured import alone

    with alone(root, waiting) as project:
        path = edits.patch(project, name, reason)
    if as_json:
        print_json({"kernel": name, "patch": None if path is None else str(path)})
    say(f"{name} is as it was generated" if path is None else f"wrote {path}")


@click.command(short_help="Take the files as they are for right.")
@click.argument("name")
@reason_option
@root_option
@json_option
def accept(name: str, reason: str, root: Path, as_json: bool) -> None:
    """Take the files of a kernel as they are for right, edits included.

    Verification agrees with them from now on, and updates merge the edits with what is
    new.  An acceptance is withdrawn by undoing the edit, and accepting again.

    \b
    eingrad vendor accept linear --reason "formatted by hand"
    """
    from ..vendoring import edits
    from ..vendoring.configured import alone

    with alone(root, waiting) as project:
        files = edits.accept(project, name, reason)
    if as_json:
        _print_actions(
            name,
            {f.entry.path: "accepted" if f.edited else "unchanged" for f in files},
        )
    for file in files:
        what = "accepted, with its edit" if file.edited else "as it was generated"
        say(f"{file.entry.path} is {what}")


@click.command(short_help="Delete the files of a kernel.")
@click.argument("name")
@click.option("--force", is_flag=True, help="Delete files that were edited, too.")
@root_option
@json_option
def remove(name: str, force: bool, root: Path, as_json: bool) -> None:
    """Delete the files of a kernel, and what the configuration says of it.

    Nothing is deleted if one of them was edited, unless --force is given.

    \b
    eingrad vendor remove linear
    """
    from ..vendoring import leave
    from ..vendoring.configured import alone

    with alone(root, waiting) as project:
        paths = leave.remove(project, name, force=force)
    if as_json:
        _print_actions(name, dict.fromkeys(paths, "deleted"))
    for path in paths:
        say(f"deleted {path}")


@click.command(short_help="Leave the files to the project.")
@click.argument("name")
@root_option
@json_option
def eject(name: str, root: Path, as_json: bool) -> None:
    """Leave the files of a kernel to the project: they are nobody's copies any more.

    \b
    eingrad vendor eject linear
    """
    from ..vendoring import leave
    from ..vendoring.configured import alone

    with alone(root, waiting) as project:
        paths = leave.eject(project, name)
    if as_json:
        _print_actions(name, dict.fromkeys(paths, "ejected"))
    for path in paths:
        say(f"{path} is the project's own")


def _print_actions(name: str, actions: Mapping[PurePosixPath, str]) -> None:
    """Print as JSON what became of each file of a kernel."""
    print_json(
        [
            {"path": str(path), "kernel": name, "action": action}
            for path, action in actions.items()
        ]
    )
