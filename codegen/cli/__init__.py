"""The command line: stdout carries the product, stderr the talk.

Exit codes: 0 fine; 1 a check said no; 2 a usage, configuration or spec error;
3 refused, because it would destroy somebody's edit; 70 a bug of ours.
"""

from __future__ import annotations

import io
import sys
import traceback
from collections.abc import Sequence

import click

from ..errors import (
    EingradError,
    InternalError,
    OptionError,
    RefusedError,
    suggestion,
)
from .build import build
from .check import check
from .explain import explain
from .files import clean, list_files
from .generate import generate
from .gradients import gradients
from .init import add, init
from .schema import schema
from .terminal import InOrder, say, spec_of_word, stdout_errors
from .vendor import vendor

EXAMPLES = """
Gradients of einsums, as NumPy code of your own.

\b
Read and try:
  eingrad "ij,jk->ik"                           a module on stdout
  eingrad gradients "ij,jk->ik"                 the gradient specs
  eingrad explain "ij,jk->ik"                   how they come about

\b
A file of your own:
  eingrad "bqhd,bkhd->bhqk" -o scores.py \\
          --operands query,key --output scores  a module with names
  eingrad "bi,ij->bj" -o layer.py \\
          --bias j --activation gelu --order 2  a layer, with its second derivatives
  eingrad check scores.py                       the proof that it is right

\b
The kernels of a project:
  eingrad init                                  [tool.eingrad] in pyproject.toml
  eingrad add scores "bqhd,bkhd->bhqk"          one kernel more in it
  eingrad build                                 all of them, written
  eingrad build --check                         exit code 1 if one is stale
  eingrad list --outputs                        their files, for Make and meson
  eingrad clean                                 their files, deleted
  eingrad schema > eingrad.schema.json          the configuration, for editors

\b
A copy in a project that shall not need eingrad:
  eingrad vendor add "ij,jk->ik" --dest matmul.py --with-test
  eingrad vendor verify

SPEC is what np.einsum reads and more: any letters, repeated and new output
indices, "..." of any rank.  A command may be left out: "eingrad SPEC" is
"eingrad generate SPEC".  A SPEC of "-" reads specs from stdin, one a line.

Exit codes: 0 fine; 1 a check said no; 2 a mistake in the spec, the options or the
configuration; 3 refused, since an edit would be lost; 70 a bug of eingrad.
"""


_HELP = ["-h", "--help"]
_OWN_OPTIONS = (*_HELP, "--version")


class _Commands(InOrder):
    """A group whose first argument may be a spec or its option: ``generate``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # A space in front keeps a spec that starts with an arrow from being an option.
        args = [f" {arg}" if arg.startswith("->") else arg for arg in args]
        if args[:1] == ["help"]:
            args = [*args[1:], "--help"]
        if args and args[0] not in (*self.commands, *_OWN_OPTIONS):
            self._refuse_word(args[0])
            args = ["generate", *args]
        with stdout_errors():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        with stdout_errors():
            return super().invoke(ctx)

    def _refuse_word(self, word: str) -> None:
        """Raise OptionError for a word, which is meant as a command."""
        close = suggestion(word, [*self.commands, "--version"])
        if close and (spec := spec_of_word(word)):
            raise OptionError(
                f"unknown command {word!r}{close}\n"
                f"  if it is a spec, write its output: eingrad '{spec}'"
            )


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    # What a file or a pipe gets does not depend on the locale.
    if isinstance(sys.stdout, io.TextIOWrapper) and not sys.stdout.isatty():
        sys.stdout.reconfigure(encoding="utf-8")
    try:
        commands.main(args, prog_name="eingrad", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        say("aborted")
        sys.exit(130)
    except InternalError as error:
        say(f"error: {error}\n  this is a bug of eingrad; please report the command")
        sys.exit(70)
    except EingradError as error:
        say(f"error: {error}")
        sys.exit(3 if isinstance(error, RefusedError) else 2)
    except Exception as error:
        traceback.print_exc()
        say(f"error: {error!r}\n  this is a bug of eingrad; please report the command")
        sys.exit(70)


@click.group(
    cls=_Commands,
    help=EXAMPLES,
    context_settings={"help_option_names": _HELP, "max_content_width": 88},
)
@click.version_option(package_name="eingrad", message="%(prog)s %(version)s")
def commands() -> None:
    """Hold the commands; the help text is ``EXAMPLES``."""


@click.command(short_help="Print the completion script of a shell.")
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


# The order of the help text.
for _command in (generate, gradients, explain, check):
    commands.add_command(_command)
for _command in (init, add, build, list_files, clean, schema, vendor, completion):
    commands.add_command(_command)
