"""``eingrad explain``: how the gradients of a spec come about, for reading."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import click

from ..errors import OptionError, RefusedError
from .options import derivation_options
from .terminal import FILE, STDOUT, at_work, say, specs_for

FORMATS = ("text", "latex", "html", "mermaid", "json")
ENDINGS = {
    ".txt": "text",
    ".md": "text",
    ".tex": "latex",
    ".html": "html",
    ".mmd": "mermaid",
    ".json": "json",
}


@click.command(short_help="Derive the gradients of a spec, step by step.")
@click.argument("spec")
@click.option(
    "--format",
    "style",
    type=click.Choice(FORMATS),
    help="Text, a LaTeX document, a page, the tree as a flowchart, or all as data; "
    "by default what FILE ends in: .txt, .md, .tex, .html, .mmd, .json.",
)
@click.option("--json", "style", flag_value="json", help="Short for --format json.")
@click.option(
    "-o",
    "out",
    metavar="FILE",
    type=FILE,
    help="Write to FILE, and make its folders. '-' is stdout.",
)
@derivation_options
def explain(spec: str, style: str | None, out: Path | None, **options: Any) -> None:
    """Explain SPEC: index sets, the derivation of each gradient, and the cost.

    \b
    eingrad explain "ij,jk->ik"
    eingrad explain "ij,jk,kl->il" --sizes i=8,j=64,k=8,l=64
    eingrad explain "bqhd,bkhd->bhqk" -o scores.html
    eingrad explain "ij,jk->ik" --format latex
    """
    from ..api import explain

    if style is None:
        style = _style_of(out) if out is not None else "text"
    if out == STDOUT:
        out = None
    for each in specs_for(out, spec):
        with at_work():
            product = explain(each, **options).as_format(style)
        if out is None:
            click.echo(product, nl=False)
        else:
            _write(out, product)
            say(f"wrote {out}")


def _style_of(path: Path) -> str:
    """Return the format that a file's name asks for."""
    ending = path.suffix.lower()
    if ending and ending not in ENDINGS:
        raise OptionError(
            f"no format is known by {path.suffix!r}; "
            f"FILE ends in {', '.join(ENDINGS)}, or --format names one"
        )
    return ENDINGS.get(ending, "text")


def _write(path: Path, text: str) -> None:
    """Write an explanation, over an older one and over nothing else."""
    from ..disk import read_text, write_text
    from ..explanation.explain import is_explanation

    place = PurePosixPath(path)
    try:
        old = read_text(Path(), place)
    except FileNotFoundError:
        old = text
    if old is None or not is_explanation(old):
        raise RefusedError(
            f"nothing was written\n  {path} is not an explanation that eingrad wrote; "
            "move it, or choose another name"
        )
    write_text(Path(), place, text)
