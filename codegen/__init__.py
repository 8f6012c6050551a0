"""eingrad: an einsum spec in, a standalone NumPy module with its gradients out.

    gradient_specs("ij,jk->ik")      ("ik,jk->ij", "ij,ik->jk")
    generate("ij,jk->ik")            the text of a module
    load("ij,jk->ik")                the module itself, compiled in memory
    explain("ij,jk->ik")             how its gradients come about
    check("ij,jk->ik")               the proof that it is right

Names are imported when they are first used, so that ``import eingrad`` costs nothing
and generation runs without NumPy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import check, explain, gradient_specs, load
    from .errors import (
        ConfigError,
        EingradError,
        InternalError,
        OptionError,
        RefusedError,
        SpecError,
        StaleError,
    )
    from .pipeline import generate

    __version__: str

__all__ = [
    "ConfigError",
    "EingradError",
    "InternalError",
    "OptionError",
    "RefusedError",
    "SpecError",
    "StaleError",
    "check",
    "explain",
    "generate",
    "gradient_specs",
    "load",
]

_HOMES = {
    "api": ("check", "explain", "gradient_specs", "load"),
    "pipeline": ("generate",),
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("eingrad")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = next((home for home, names in _HOMES.items() if name in names), "errors")
    return getattr(importlib.import_module(f".{home}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
