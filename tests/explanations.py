"""The explanations that are kept to be read: golden files in ``golden/explain``.

``python tests/explanations.py`` writes them again.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import eingrad
from eingrad.explanation.explain import Explanation

FOLDER = Path(__file__).resolve().parent / "golden" / "explain"

SUFFIXES = {
    "text": ".txt",
    "latex": ".tex",
    "html": ".html",
    "mermaid": ".mmd",
    "json": ".json",
}

# Each has its text; those below every format.
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "matmul": ("ij,jk->ik", {}),
    "transpose": ("ij->ji", {}),
    "batched_matmul": ("bij,bjk->bik", {}),
    "lone": ("ij,jk->k", {}),
    "trace": ("ii->", {}),
    "mttkrp": ("ijk,jr,kr->ir", {}),
    "chain": (
        "ij,jk,kl,lm,mn,no->io",
        {"sizes": {"i": 8, "j": 64, "k": 4, "l": 128, "m": 2, "n": 32, "o": 16}},
    ),
    "gram": ("ij,kj->ik", {"operands": ["x", "x"]}),
    "diagonal": ("ij,j->iij", {}),
    "new_index": ("i->ij", {"sizes": {"j": 3}}),
    "broadcast": ("ij,jk->ik", {"shapes": [(2, 1), (3, 4)]}),
    "ellipsis": ("...ij,...jk->...ik", {"complex": "transpose"}),
}
EVERY_FORMAT = ("matmul", "mttkrp")


@functools.cache
def explanation(name: str) -> Explanation:
    """Explain a case."""
    spec, options = CASES[name]
    return eingrad.explain(spec, **options)


def files() -> Iterator[tuple[str, str]]:
    """Yield the name and the format of each golden file."""
    for name in CASES:
        for style in SUFFIXES if name in EVERY_FORMAT else ["text"]:
            yield name, style


def main() -> None:
    """Write the golden files again, and take away those of no case."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    kept = set()
    for name, style in files():
        path = FOLDER / f"{name}{SUFFIXES[style]}"
        kept.add(path)
        text = explanation(name).as_format(style)
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")
            print(f"changed {path.relative_to(FOLDER.parents[2])}")
    for path in set(FOLDER.iterdir()) - kept:
        path.unlink()


if __name__ == "__main__":
    main()
