"""``eingrad vendor``: kernels copied into other projects, and their upkeep."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import click

from ..errors import OptionError
from .options import generation_options, given_options
from .project import (
    dry_run_option,
    names_argument,
    root_option,
    waiting,
)
from .terminal import InOrder, json_option, print_json, say
from .vendor_edits import accept, diff, eject, patch, remove

if TYPE_CHECKING:
    from ..vendoring.changes import Change


@click.command(short_help="Copy a kernel into the project.")
@click.argument("spec", required=False)
@click.option(
    "--from",
    "origin",
    metavar="LOCK#KERNEL",
    help="Copy a kernel of another project, by its eingrad.lock.",
)
@click.option(
    "--dest", metavar="FILE", required=True, help="The file, relative to the root."
)
@click.option(
    "--name", metavar="NAME", help="Name of the kernel, by default the file's."
)
@click.option("--with-test", is_flag=True, help="Add a pytest file that proves it.")
@click.option("--test", metavar="FILE", help="That file (tests/test_NAME.py).")
@click.option("--reuse", is_flag=True, help="Add LICENSES/0BSD.txt and REUSE.toml.")
@root_option
@json_option
@generation_options
@click.pass_context
def add(
    ctx: click.Context,
    /,
    spec: str | None,
    origin: str | None,
    dest: str,
    name: str | None,
    with_test: bool,
    test: str | None,
    reuse: bool,
    root: Path,
    as_json: bool,
    **options: Any,
) -> None:
    """Write the kernel of SPEC to a file of the project, and remember it.

    The configuration is pyproject.toml, or eingrad.toml where there is none, and
    eingrad.lock says what was written.  The copy needs neither of them.

    \b
    eingrad vendor add "bi,ij->bj" --dest src/mypkg/_vendor/linear.py --with-test
    eingrad vendor add --from ../other/eingrad.lock#linear --dest mypkg/linear.py
    """
    from ..schema import spelled
    from ..vendoring import update as updating
    from ..vendoring.configured import alone

    name = PurePosixPath(dest).stem if name is None else name
    if with_test or test is not None:
        test = test or f"tests/test_{name}.py"
    source = {"from": origin} if origin is not None else {}
    source |= {"spec": spec.strip()} if spec is not None else {}
    if len(source) != 1:
        raise OptionError("give a SPEC, or --from LOCK#KERNEL")
    places = {"dest": dest} | ({"test": test} if test is not None else {})
    with alone(root, waiting) as project:
        table = {**source, **spelled(given_options(ctx, options)), **places}
        changes = updating.add(project, name, table, reuse=reuse)
    _report(changes, as_json)
    _talk(changes)


@click.command(short_help="Generate again; merge what was edited.")
@names_argument
@click.option("--markers", is_flag=True, help="Write conflicts into the files, marked.")
@click.option("--prune", is_flag=True, help="Delete files of kernels that are gone.")
@dry_run_option
@root_option
@json_option
def update(
    names: tuple[str, ...],
    markers: bool,
    prune: bool,
    dry_run: bool,
    root: Path,
    as_json: bool,
) -> None:
    """Bring vendored kernels up to date, by default all.

    What somebody edited is merged with what is new.  Where both change the same lines,
    nothing is written, and the exit code is 3.

    \b
    eingrad vendor update -n
    eingrad vendor update linear --markers
    """
    from ..vendoring import update as updating
    from ..vendoring.configured import alone

    with alone(root, waiting) as project:
        changes = updating.update(
            project,
            names,
            markers=markers,
            prune=prune,
            dry_run=dry_run,
            planned=lambda changes: _report(changes, as_json),
        )
    _talk(changes, "would be " if dry_run else "")


@click.command(short_help="Are the files what they should be?")
@names_argument
@click.option("--strict", is_flag=True, help="Refuse files that were reformatted, too.")
@click.option("--sums", is_flag=True, help="Print what `sha256sum -c` reads.")
@root_option
@json_option
def verify(
    names: tuple[str, ...], strict: bool, sums: bool, root: Path, as_json: bool
) -> None:
    """Hold the vendored files against eingrad.lock and the configuration.

    Nothing is generated and nothing is fetched.  Exits with 1 if a file is not what it
    should be.

    \b
    eingrad vendor verify
    eingrad vendor verify --sums > eingrad.sha256
    sha256sum -c eingrad.sha256            needs no eingrad
    """
    from ..states import State
    from ..vendoring import verify as verifying
    from ..vendoring.configured import load_project

    verdicts = verifying.verify(load_project(root), names)
    if as_json:
        facts = [verdict.to_dict() for verdict in verdicts]
        print_json(facts)
    elif sums:
        click.echo(verifying.sums(verdicts), nl=False)
    else:
        for verdict in verdicts:
            note = f"  ({verdict.note})" if verdict.note else ""
            click.echo(f"{verdict.state.value:<11}  {verdict.path}{note}")
    for verdict in verdicts:
        if verdict.why:
            say(verdict.why)
    layout = any(verdict.state is State.REFORMATTED for verdict in verdicts)
    sys.exit(int(any(not v.ok for v in verdicts) or (strict and layout)))


def _report(changes: Iterable[Change], as_json: bool) -> None:
    """Print the changes on stdout for a program."""
    if as_json:
        facts = [
            {
                "path": str(change.path),
                "kernel": change.name,
                "state": change.state.value,
                "action": change.action.value,
            }
            for change in changes
        ]
        print_json(facts)


def _talk(changes: Sequence[Change], would: str = "") -> None:
    """Say on stderr what has become of each file."""
    from ..build_plan import Action
    from ..states import State

    notes = {
        State.EDITED: "was edited, and nothing new was generated",
        State.REFORMATTED: "was reformatted; its code is as it was generated",
        State.ORPHAN: "belongs to no configured kernel; `--prune` deletes it",
    }
    for change in changes:
        if change.action is not Action.UNCHANGED:
            merged = ", merged with its edit" if change.state is State.CONFLICT else ""
            say(f"{would}{change.action.value} {change.path}{merged}")
        elif change.state in notes:
            say(f"{change.path} {notes[change.state]}")
    kept = [change for change in changes if change.state is not State.ORPHAN]
    fresh = sum(change.action is Action.UNCHANGED for change in kept)
    files = "1 file" if len(kept) == 1 else f"{len(kept)} files"
    say(f"{files}, {fresh} of them up to date already")


@click.group(
    cls=InOrder,
    short_help="Copy kernels into a project, and keep them true.",
    subcommand_metavar="COMMAND [ARGS]...",
)
def vendor() -> None:
    """Copy kernels into a project that need nothing of eingrad, and keep them true.

    \b
    eingrad vendor add "bi,ij->bj" --dest mypkg/linear.py --with-test
    eingrad vendor verify                    are the files what they should be?
    eingrad vendor diff                      what was edited
    eingrad vendor patch linear              keep the edit
    eingrad vendor update                    generate again; merge the edit
    eingrad vendor eject linear              the file is the project's own
    """


for _command in (add, verify, update, diff, patch, accept, remove, eject):
    vendor.add_command(_command)
