"""``eingrad init`` and ``eingrad add``: the configuration of a project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import generation_options, given_options
from .project import dry_run_option, root_option, waiting
from .terminal import say

if TYPE_CHECKING:
    from ..scaffold import Edit


@click.command(short_help="Configure a project.")
@click.option("--out", metavar="FOLDER", help="Folder of the kernels in the project.")
@dry_run_option
@root_option
def init(out: str | None, dry_run: bool, root: Path) -> None:
    """Give a project the configuration that `eingrad build` reads.

    Writes [tool.eingrad] into pyproject.toml, or eingrad.toml where there is none, and
    .gitattributes; prints the change as a diff, and lines for Make and pre-commit.

    \b
    eingrad init -n
    eingrad init --out src/mypkg/_kernels
    """
    from ..exclusive import exclusive
    from ..scaffold import init

    with exclusive(root, waiting):
        edits, recipes = init(root, out)
        _apply(root, edits, dry_run)
    say(f"\n{recipes}")


@click.command(short_help="Configure one kernel more.")
@click.argument("name")
@click.argument("spec")
@generation_options
@dry_run_option
@root_option
@click.pass_context
def add(
    ctx: click.Context,
    /,
    name: str,
    spec: str,
    dry_run: bool,
    root: Path,
    **options: Any,
) -> None:
    """Write kernel NAME into the configuration, and print the change as a diff.

    \b
    eingrad add linear "bi,oi->bo" --operands x,weight --output y
    eingrad add hidden "bi,oi->bo" --operands x,weight --bias o --activation gelu
    """
    from ..exclusive import exclusive
    from ..scaffold import add

    with exclusive(root, waiting):
        edit = add(root, name, spec.strip(), given_options(ctx, options))
        _apply(root, (edit,), dry_run)
    if not dry_run:
        say(f"run `eingrad build {name}`")


def _apply(root: Path, edits: tuple[Edit, ...], dry_run: bool) -> None:
    """Print the edits as a diff, and carry them out."""
    from ..build_plan import text_diff
    from ..scaffold import carry_out

    for edit in edits:
        click.echo(text_diff(edit.path, edit.old, edit.new), nl=False)
    if not dry_run:
        carry_out(root, edits)
        for edit in edits:
            say(f"{'created' if edit.old is None else 'changed'} {edit.path}")
