"""The command line: stdout carries the product, stderr the talk.

Exit codes: 0 fine; 1 a check said no; 2 a usage, configuration or spec error;
3 refused, because it would destroy somebody's edit; 70 a bug of ours.
"""

from __future__ import annotations

import json
import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from .errors import (
    EingradError,
    InternalError,
    OptionError,
    RefusedError,
    suggestion,
)
from .options import generation_options, sizes_option

EXAMPLES = """
Gradients of einsums, as NumPy code of your own.

\b
Examples:
  eingrad "ij,jk->ik"                           a module on stdout
  eingrad "bqhd,bkhd->bhqk" -o scores.py \\
          --operands query,key --output scores  with names, in a file
  eingrad gradients "ij,jk->ik"                 the gradient specs
  eingrad check "ij,jk->ik"                     prove a spec's module right
  eingrad check scores.py                       prove a file right
  eingrad build                                 all kernels of pyproject.toml

SPEC is what np.einsum reads and more: any letters, repeated and new output
indices, "..." of any rank.  A command may be left out: "eingrad SPEC" is
"eingrad generate SPEC".  A SPEC of "-" reads specs from stdin, one a line.
"""


# Commands that are announced; no spec should be taken for one of them.
PLANNED = ("explain", "list", "vendor")


class _Commands(click.Group):
    """A group whose first argument may be a spec: that is ``generate``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # A space in front keeps a spec that starts with an arrow from being an option.
        args = [f" {arg}" if arg.startswith("->") else arg for arg in args]
        first = next((arg for arg in args if not re.match("-.", arg)), None)
        if first is not None and first not in self.commands:
            self._refuse_misspelt(first)
            args = ["generate", *args]
        return super().parse_args(ctx, args)

    def _refuse_misspelt(self, word: str) -> None:
        """Raise OptionError for a word that is meant as a command, not as a spec."""
        if word in PLANNED:
            raise OptionError(f"the command {word!r} is not in this version")
        close = suggestion(word, list(self.commands))
        if close and len(word) > 3:
            raise OptionError(
                f"unknown command {word!r}{close}\n"
                f"  if it is a spec: eingrad generate {word}"
            )


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    try:
        commands.main(args, prog_name="eingrad", standalone_mode=False)
    except click.exceptions.Exit as leave:
        sys.exit(leave.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        _say("aborted")
        sys.exit(130)
    except InternalError as error:
        _say(f"error: {error}\n  this is a bug of eingrad; please report the command")
        sys.exit(70)
    except EingradError as error:
        _say(f"error: {error}")
        sys.exit(3 if isinstance(error, RefusedError) else 2)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        sys.stdout = None
        sys.exit(0)
    except Exception as error:
        traceback.print_exc()
        _say(f"error: {error!r}\n  this is a bug of eingrad; please report the command")
        sys.exit(70)


def _say(text: str) -> None:
    click.echo(text, err=True)


@click.group(
    cls=_Commands,
    help=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88},
)
@click.version_option(package_name="eingrad", message="%(prog)s %(version)s")
def commands() -> None:
    """Hold the commands; the help text is ``EXAMPLES``."""


def _specs(spec: str) -> Iterator[str]:
    """Yield the spec, or those on stdin."""
    if spec.strip() != "-":
        yield spec.strip() if spec.startswith(" ->") else spec
        return
    for line in sys.stdin:
        if line.strip():
            yield line.rstrip("\n")


@commands.command(short_help="Write the module of a spec.")
@click.argument("spec")
@click.option("-o", "out", metavar="FILE", type=Path, help="Write to FILE.")
@click.option("--name", metavar="NAME", help="Name of the kernel; FILE is NAME.py.")
@generation_options
def generate(spec: str, out: Path | None, name: str | None, **options: Any) -> None:
    """Write the NumPy module that computes SPEC and its gradients.

    \b
    eingrad "bi,ij->bj" --operands x,weight --output y -o linear.py
    eingrad "ijk,jr,kr->ir" --sizes i=100,j=80,k=60,r=16 --wrt a
    """
    from .pipeline import generate

    if name is not None and out is not None and out.stem != name:
        raise OptionError(
            f"--name {name} and -o {out} name two files; give one of them"
        )
    if name is not None and out is None:
        out = Path(f"{name}.py")
    specs = list(_specs(spec))
    if out is not None and len(specs) != 1:
        raise OptionError(f"one file takes one spec, and {len(specs)} are given")
    for text in specs:
        module = generate(text, name=name, **options)
        if out is None:
            click.echo(module, nl=False)
        else:
            from .build import write_module

            state = write_module(out, module)
            _say(f"{state.value} {out}")


@commands.command(short_help="Print the gradient specs.")
@click.argument("spec")
@sizes_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def gradients(spec: str, sizes: dict[str, int] | None, as_json: bool) -> None:
    """Print the gradient specs of SPEC, one a line, in the order of its operands.

    \b
    $ eingrad gradients "ij,jk->ik"
    ik,jk->ij
    ij,ik->jk
    """
    from .api import gradient_specs
    from .spec import parse

    for text in _specs(spec):
        found = gradient_specs(text, sizes=sizes)
        if as_json:
            fact = {"spec": str(parse(text, sizes or ())), "gradients": list(found)}
            click.echo(json.dumps(fact, ensure_ascii=False))
        else:
            click.echo("\n".join(found))


@commands.command(short_help="Prove a module right.")
@click.argument("target", metavar="SPEC|FILE")
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Seed of the draws."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@generation_options
@click.pass_context
def check(
    ctx: click.Context, /, target: str, seed: int, as_json: bool, **options: Any
) -> None:
    """Prove forward, gradients, vjp and jvp of a module right.

    The module is generated from SPEC, or loaded from FILE (a name ending in .py).
    Everything is compared with a brute-force computation, to the last bit; exits with 1
    and the first counterexample when they differ.

    \b
    eingrad check "bqhd,bkhd->bhqk"
    eingrad check scores.py
    """
    from .api import check

    default = click.core.ParameterSource.DEFAULT
    given = {n: v for n, v in options.items() if ctx.get_parameter_source(n) != default}
    wrong = False
    for text in _specs(target):
        report = check(text, seed=seed, **given)
        wrong = wrong or not report.ok
        if as_json:
            click.echo(json.dumps(report.to_dict(), ensure_ascii=False))
        else:
            click.echo(str(report))
    sys.exit(int(wrong))


@commands.command(short_help="Write the kernels of pyproject.toml.")
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
    from . import build as building
    from .config import load_config

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
            _say(reason)
        sys.exit(int(check_only and bool(stale)))
    for file in planned:
        if file.state is not building.State.UNCHANGED:
            _say(f"{file.state.value} {file.path}")
    fresh = sum(file.state is building.State.UNCHANGED for file in planned)
    _say(f"{len(planned)} files, {fresh} of them fresh already")


@commands.command(short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes eingrad's commands and options in SHELL.

    \b
    eval "$(eingrad completion bash)"        in ~/.bashrc
    eval "$(eingrad completion zsh)"         in ~/.zshrc
    eingrad completion fish | source         in ~/.config/fish/config.fish
    """
    from click.shell_completion import get_completion_class

    script = get_completion_class(shell)
    if script is None:
        raise InternalError(f"no completion for {shell}")
    click.echo(script(commands, {}, "eingrad", "_EINGRAD_COMPLETE").source())
