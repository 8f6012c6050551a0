"""``eingrad gradients``: the gradient specs."""

from __future__ import annotations

import click

from .options import sizes_option
from .terminal import json_option, print_json, specs


@click.command(short_help="Print the gradient specs.")
@click.argument("spec")
@sizes_option
@json_option
def gradients(spec: str, sizes: dict[str, int] | None, as_json: bool) -> None:
    """Print the gradient specs of SPEC, one a line, in the order of its operands.

    \b
    $ eingrad gradients "ij,jk->ik"
    ik,jk->ij
    ij,ik->jk
    """
    from ..api import gradient_specs
    from ..spec import parse

    for text in specs(spec):
        found = gradient_specs(text, sizes=sizes)
        if as_json:
            fact = {"spec": str(parse(text, sizes or ())), "gradients": list(found)}
            print_json(fact)
        else:
            click.echo("\n".join(found))
