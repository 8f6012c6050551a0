"""The Python functions that need more than one stage of the pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .errors import OptionError
from .gradient import gradients
from .loading import load_file, load_text
from .options import shows_options
from .pipeline import generate
from .spec import parse_sized

if TYPE_CHECKING:
    from .explanation.explain import Explanation
    from .proof.check import Report


def gradient_specs(
    spec: str, *, sizes: Mapping[str, int] | None = None
) -> tuple[str, ...]:
    """Return the gradient spec of every operand: the swap, in the closed grammar.

    A new output index needs its size.

    >>> gradient_specs("ij,jk->ik")
    ('ik,jk->ij', 'ij,ik->jk')

    Raises SpecError or OptionError.
    """
    einsum, _ = parse_sized(spec, sizes)
    return tuple(map(str, gradients(einsum)))


@shows_options
def load(spec: str, **options: Any) -> ModuleType:
    """Return the module of ``spec``, compiled in memory; options as in ``generate``.

    Raises SpecError or OptionError.
    """
    return load_text(generate(spec, **options), f"<eingrad {spec.strip()}>")


@shows_options
def explain(spec: str, **options: Any) -> Explanation:
    """Explain a spec: its gradients, derived step by step, and what they cost.

    The options are those of ``generate``.  The explanation prints as text, shows
    itself in a notebook, and has a property for each format.

    >>> print(explain("ij,jk->ik").gradients["a"])
    grad_A = G Bᵀ

    Raises SpecError or OptionError.
    """
    from .explanation.explain import explain as explained

    return explained(spec, **options)


def check(target: str | Path | ModuleType, *, seed: int = 0, **options: Any) -> Report:
    """Prove a module right: one generated from a spec, a file, or a loaded module.

    A string that ends in ``.py`` is a file.  ``options`` are those of ``generate``, and
    go with a spec only.  Raises EingradError where there is nothing to check.
    """
    from .proof.check import check as prove

    written = isinstance(target, Path) or str(target).endswith(".py")
    if options and (written or isinstance(target, ModuleType)):
        given = ", ".join(options)
        raise OptionError(f"options go with a spec, not with what is written: {given}")
    if isinstance(target, ModuleType):
        return prove(target, seed=seed)
    if written:
        return prove(load_file(Path(target)), seed=seed)
    if not isinstance(target, str):
        raise OptionError(f"check takes a spec, a file or a module, got {target!r}")
    return prove(load(target, **options), seed=seed)
