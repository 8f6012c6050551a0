"""``eingrad SPEC``: the module of a spec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..errors import OptionError
from .options import generation_options
from .terminal import FILE, STDOUT, at_work, say, specs_for


@click.command(short_help="Write the module of a spec.")
@click.argument("spec")
@click.option(
    "-o",
    "out",
    metavar="FILE",
    type=FILE,
    help="Write to FILE, and make its folders; not over an edit or somebody else's. "
    "'-' is stdout.",
)
@click.option("--name", metavar="NAME", help="Name of the kernel; FILE is NAME.py.")
@generation_options
def generate(spec: str, out: Path | None, name: str | None, **options: Any) -> None:
    """Write the NumPy module that computes SPEC and its gradients.

    \b
    eingrad "bi,ij->bj" --operands x,weight --output y -o linear.py
    eingrad "bi,ij->bj" --bias j --activation leaky_relu:0.1 --order 2
    eingrad "ijk,jr,kr->ir" --sizes i=100,j=80,k=60,r=16 --wrt a
    """
    from ..pipeline import generate

    if name is not None and out not in (None, STDOUT) and out.stem != name:
        raise OptionError(
            f"--name {name} and -o {out} name two files; give one of them"
        )
    if name is not None and out is None:
        out = Path(f"{name}.py")
    if out == STDOUT:
        out = None
    for text in specs_for(out, spec):
        with at_work():
            module = generate(text, name=name, **options)
        if out is None:
            click.echo(module, nl=False)
        else:
            from ..build import write_module

            action = write_module(out, module)
            say(f"{action.value} {out}")
