"""``eingrad explain``: how the gradients of a spec come about, for reading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..errors import OptionError, RefusedError
from .options import generation_options
from .terminal import say, specs

FORMATS = ("text", "latex", "html", "mermaid", "json")


@click.command(short_help="Derive the gradients of a spec, step by step.")
@click.argument("spec")
@click.option(
    "--format",
    "style",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="Text, a LaTeX document, a page, the tree as a flowchart, or all as data.",
)
@click.option("-o", "out", metavar="FILE", type=Path, help="Write to FILE.")
@generation_options
def explain(spec: str, style: str, out: Path | None, **options: Any) -> None:
    """Explain SPEC: index sets, the derivation of each gradient, and the cost.

    \b
    eingrad explain "ij,jk->ik"
    eingrad explain "ij,jk,kl->il" --sizes i=8,j=64,k=8,l=64
    eingrad explain "bqhd,bkhd->bhqk" --format html -o scores.html
    """
    from ..api import explain

    texts = list(specs(spec))
    if out is not None and len(texts) != 1:
        raise OptionError(f"one file takes one spec, and {len(texts)} are given")
    for each in texts:
        product = explain(each, **options).as_format(style)
        if out is None:
            click.echo(product, nl=False)
        else:
            _write(out, product)
            say(f"wrote {out}")


def _write(path: Path, text: str) -> None:
    """Write an explanation, over an older one and over nothing else."""
    try:
        if path.exists() and "eingrad" not in path.read_text("utf-8", "replace"):
            raise RefusedError(
                f"{path} is there already, and no explanation of eingrad's; "
                f"move it away, or choose another name"
            )
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise OptionError(f"cannot write {path}: {error.strerror}") from error
