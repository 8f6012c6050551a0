"""What the hook of every build backend does with the kernels of a project.

    generate   write those that are missing or stale, as `eingrad build` does
    check      fail unless every one is fresh
    off        take them as they are

The environment variable ``EINGRAD_BUILD`` decides which; then the hook's own setting,
for backends that have one; then ``build`` of the configuration.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..build import build
from ..build_plan import Action
from ..config import Config, load_config
from ..errors import StaleError
from ..planning import inputs, outputs, plan_build
from ..schema import GENERAL, read_value

VARIABLE = "EINGRAD_BUILD"

_WAYS_OUT = (
    f"or build with {VARIABLE}=generate to write them, "
    f"with {VARIABLE}=off to take them as they are"
)


@dataclass(frozen=True)
class Prepared:
    """The files of a project that are there: what kernels are made of, and kernels.

    Paths are relative to the project's root.
    """

    inputs: tuple[PurePosixPath, ...]
    kernels: tuple[PurePosixPath, ...]


def prepare(
    root: Path, *, setting: object = None, say: Callable[[str], None]
) -> Prepared:
    """Do with the kernels what the mode asks.

    setting: the hook's own, None if it has none or was given none.
    say: is told of each file that is written, a line each.

    Raises StaleError if the mode is check and a file is not fresh, ConfigError for a
    mode that is none, RefusedError and ConfigError as `build` does.
    """
    config = load_config(root)
    mode = _mode(config, setting)
    if mode == "check":
        require_fresh(config, _WAYS_OUT)
    if mode == "generate":
        for file in build(root, jobs=None).files:
            if file.action is not Action.UNCHANGED:
                say(f"eingrad: {file.action.value} {file.path}")
    there = tuple(path for path in outputs(config) if (root / path).is_file())
    return Prepared(inputs(config), there)


def require_fresh(config: Config, *ways_out: str) -> None:
    """Raise StaleError, which names every file that is not fresh, and the way out."""
    if reasons := plan_build(config, jobs=None).reasons:
        raise StaleError("\n  ".join(["kernels are not fresh", *reasons, *ways_out]))


def _mode(config: Config, setting: object) -> str:
    if given := os.environ.get(VARIABLE):
        return str(read_value(VARIABLE, given, GENERAL["build"]))
    if setting is not None:
        return str(read_value("mode of the build hook", setting, GENERAL["build"]))
    return config.build
