"""``eingrad.explain``: a spec and options -> its explanation, in any format."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..options import read_options
from ..pipeline import derive
from ..request import read_request
from .compose import compose
from .content import Content
from .formula_text import text_of
from .latex import latex, summary
from .mermaid import mermaid
from .record import json_of
from .text import text

# What tells an explanation from any other text: text, LaTeX, HTML, Mermaid and JSON.
_MARKS = (
    r"\nThe module: eingrad .*\n\Z",
    r"\nThe module: \\texttt\{eingrad .*\}\n\n\\end\{document\}\n\Z",
    r'\A<!DOCTYPE html>\n(<.*>\n)*<meta name="generator" content="eingrad">\n',
    r"\A%% eingrad .*\nflowchart BT\n",
    r'\A\{\n  "format": \d+,\n(.*\n)*  "command": "eingrad .*"\n\}\n\Z',
)


@dataclass(frozen=True)
class Explanation:
    """The derivation of a spec's gradients; a notebook shows it as a page."""

    content: Content

    def __str__(self) -> str:
        return self.text

    @property
    def text(self) -> str:
        """Plain text, for a terminal."""
        return text(self.content)

    @property
    def latex(self) -> str:
        """A LaTeX document of class article."""
        return latex(self.content)

    @property
    def html(self) -> str:
        """A page that needs nothing else: no network, no script."""
        from .page import html

        return html(self.content)

    def _repr_html_(self) -> str:
        from .page import frame

        return frame(self.html)

    @property
    def mermaid(self) -> str:
        """The contraction tree as a flowchart of Mermaid."""
        return mermaid(self.content)

    @property
    def json(self) -> str:
        """Everything as data; ``record.py`` lists the keys."""
        return json_of(self.content)

    def _repr_latex_(self) -> str:
        return summary(self.content)

    @property
    def gradients(self) -> dict[str, str]:
        """The gradient of each array on one line, as matrices where it is one."""
        found = {o.name: o.shortest for o in self.content.operands}
        found |= dict(self.content.biases)
        found |= {total.name: total.shortest for total in self.content.totals}
        return {name: text_of(equation) for name, equation in found.items()}

    def as_format(self, style: str) -> str:
        """Write it as ``text``, ``latex``, ``html``, ``mermaid`` or ``json``."""
        return str(getattr(self, style))


def explain(spec: str, **options: Any) -> Explanation:
    """Explain ``spec``; the options are those of ``generate``.

    Raises SpecError or OptionError.
    """
    asked = read_options(options)
    return Explanation(compose(derive(read_request(spec, asked)), asked.shapes))


def is_explanation(text: str) -> bool:
    """Return whether ``text`` is an explanation, in any of the formats."""
    return any(re.search(mark, text) for mark in _MARKS)
