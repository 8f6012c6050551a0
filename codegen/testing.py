"""Assertions for the tests of a project that has generated kernels.

    from eingrad.testing import assert_fresh, assert_gradients
    from mypkg._kernels import scores

    def test_kernels_are_fresh():
        assert_fresh()

    def test_scores():
        assert_gradients(scores)

A test runner is not needed, nor known: what fails is an AssertionError.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

from .api import check
from .config import is_configured, load_config
from .errors import StaleError
from .hooks.kernels import require_fresh


def assert_fresh(root: str | Path | None = None) -> None:
    """Assert that every kernel is what ``eingrad build`` would write.

    root: the folder of the configuration; by default the nearest one that has a
    configuration, from the current folder upwards.

    Raises AssertionError, with the way out for each file that is not fresh, and
    ConfigError if the configuration is wrong or there is none.
    """
    __tracebackhide__ = True
    config = load_config(_nearest() if root is None else Path(root))
    try:
        require_fresh(config)
    except StaleError as error:
        raise AssertionError(str(error)) from None


def assert_gradients(
    kernel: str | Path | ModuleType, *, seed: int = 0, **options: Any
) -> None:
    """Assert what `eingrad.check` proves: forward, gradients, vjp and jvp are right.

    kernel: a module, the path of a file, or a spec; ``options`` go with a spec.

    Raises AssertionError with the first counterexample, and EingradError where there is
    nothing to check.
    """
    __tracebackhide__ = True
    report = check(kernel, seed=seed, **options)
    if not report.ok:
        raise AssertionError(str(report))


def _nearest() -> Path:
    """Return the nearest folder with a configuration, the current one if none has."""
    here = Path.cwd()
    return next(filter(is_configured, (here, *here.parents)), here)
