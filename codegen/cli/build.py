"""``eingrad build``: the kernels of a project."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .project import (
    dry_run_option,
    names_argument,
    progress_bar,
    root_option,
    waiting,
)
from .terminal import json_option, print_json, say

if TYPE_CHECKING:
    from ..build_plan import Plan


@click.command(short_help="Write the kernels of a project.")
@names_argument
@click.option(
    "--check",
    "check_only",
    is_flag=True,
    help="Write nothing; print the diff, and exit 1 if something is stale.",
)
@click.option(
    "--diff",
    "show_diff",
    is_flag=True,
    help="Write nothing; print the diff, and exit 0.",
)
@click.option("--prune", is_flag=True, help="Delete files of kernels that are gone.")
@click.option("--replan", is_flag=True, help="Make plans that are pinned afresh.")
@click.option(
    "--fail-if-stale", is_flag=True, help="Exit 1 if something had to be written."
)
@dry_run_option
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    help="Processes that render; by default one for each processor.",
)
@root_option
@click.option(
    "--out-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write all files there, and no manifest.",
)
@json_option
@click.option(
    "--output-format",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="What stdout is for: a person, a program, or GitHub.",
)
def build(
    names: tuple[str, ...],
    check_only: bool,
    show_diff: bool,
    prune: bool,
    replan: bool,
    fail_if_stale: bool,
    dry_run: bool,
    jobs: int | None,
    root: Path,
    out_dir: Path | None,
    as_json: bool,
    output_format: str,
) -> None:
    """Write the kernels that pyproject.toml configures, if they are missing or stale.

    They may stand in an eingrad.toml as well.  A file that somebody edited is never
    overwritten: the exit code is 3, and nothing is written.

    \b
    [tool.eingrad]
    out = "src/mypkg/_kernels"
    [tool.eingrad.kernels.linear]
    spec = "bi,ij->bj"
    operands = ["x", "weight"]

    \b
    eingrad build                     all kernels
    eingrad build linear              this one
    eingrad build --prune -n          what would be written and deleted
    eingrad build --check             exit code 1 if something would be; for CI
    """
    from ..build import build, refuse_to_lose
    from ..config import load_config
    from ..planning import How, plan_build

    if prune and (names or out_dir is not None):
        raise click.UsageError("--prune goes with all kernels of a project.")
    how = How(
        prune=prune,
        replan=replan,
        jobs=jobs,
        out_dir=out_dir,
        progress=progress_bar(),
    )
    shown = "json" if as_json else output_format
    if check_only or show_diff or dry_run:
        plan = plan_build(load_config(root), names, **how)
        _report(plan, shown, show_diff or (check_only and not dry_run))
        if not (check_only or show_diff):
            refuse_to_lose(plan.files)
            _talk(plan, "would be ")
        else:
            for reason in plan.reasons:
                say(reason)
        sys.exit(int(check_only and bool(plan.reasons)))
    plan = build(
        root,
        names,
        waiting=waiting,
        planned=lambda plan: _report(plan, shown, False),
        **how,
    )
    _talk(plan)
    if fail_if_stale and plan.reasons:
        sys.exit(1)


def _report(plan: Plan, output_format: str, show_diff: bool) -> None:
    """Print on stdout what the plan says."""
    from ..build_plan import diff

    if output_format == "json":
        print_json([*_facts(plan)])
    elif output_format == "github":
        for line in _annotations(plan):
            click.echo(line)
    elif show_diff:
        click.echo(diff(plan.files), nl=False)


def _facts(plan: Plan) -> Iterator[dict[str, str | None]]:
    from ..manifest import MANIFEST

    for file in plan.files:
        yield {
            "path": str(file.path),
            "kernel": file.kernel,
            "state": file.state.value,
            "action": file.action.value,
        }
    if plan.why_manifest_stale:
        state = "missing" if plan.before is None else "stale"
        action = "created" if plan.before is None else "changed"
        path = str(MANIFEST)
        yield {"path": path, "kernel": None, "state": state, "action": action}


def _annotations(plan: Plan) -> Iterator[str]:
    """Yield a workflow command of GitHub for each file that a check finds wrong."""
    from ..manifest import MANIFEST

    for file in plan.files:
        if file.why_stale:
            yield _annotation(str(file.path), file.why_stale)
    if plan.why_manifest_stale:
        yield _annotation(str(MANIFEST), plan.why_manifest_stale)


def _annotation(path: str, message: str) -> str:
    # https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    written = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    file = path.replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
    return f"::error file={file},title=eingrad::{written}"


def _talk(plan: Plan, would: str = "") -> None:
    """Say on stderr what has become of each file."""
    from ..build_plan import Action
    from ..states import State

    kernels = [file for file in plan.files if file.kernel is not None]
    for file in plan.files:
        if file.action is not Action.UNCHANGED:
            say(f"{would}{file.action.value} {file.path}")
        elif file.state is State.REFORMATTED:
            say(f"{file.path} was reformatted; its code is as it was written")
        elif file.why_stale:
            say(file.why_stale)
    if not kernels:
        say("no kernel is configured; `eingrad add NAME SPEC` configures one")
        return
    fresh = sum(file.action is Action.UNCHANGED for file in kernels)
    files = "1 file" if len(kernels) == 1 else f"{len(kernels)} files"
    say(f"{files}, {fresh} of them fresh already")
