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
from pathlib import Path, PurePosixPath

from ..build import State, build, plan_build
from ..config import Config, load_config
from ..errors import StaleError
from ..schema import BUILD, read_value

VARIABLE = "EINGRAD_BUILD"

_WAYS_OUT = (
    f"or build with {VARIABLE}=generate to write them, "
    f"with {VARIABLE}=off to take them as they are"
)


def prepare(
    root: Path, *, setting: object = None, say: Callable[[str], None]
) -> tuple[PurePosixPath, ...]:
    """Do what the mode asks, and return the kernels' files, those that are there.

    setting: the hook's own, None if it has none or was given none.
    say: is told of each file that is written, a line each.

    Raises StaleError if the mode is check and a file is not fresh, ConfigError for a
    mode that is none, RefusedError and ConfigError as `build` does.
    """
    config = load_config(root)
    mode = _mode(config, setting)
    if mode == "check" and (reasons := stale(config)):
        raise StaleError("\n  ".join(["kernels are not fresh", *reasons, _WAYS_OUT]))
    if mode == "generate":
        for file in build(config):
            if file.state is not State.UNCHANGED:
                say(f"eingrad: {file.state.value} {file.path}")
    paths = (config.out / f"{kernel.name}.py" for kernel in config.kernels)
    return tuple(path for path in paths if (root / path).is_file())


def stale(config: Config) -> list[str]:
    """Return what is wrong with each file that is not fresh, and the way out."""
    return [file.why_stale for file in plan_build(config) if file.why_stale]


def _mode(config: Config, setting: object) -> str:
    if given := os.environ.get(VARIABLE):
        return str(read_value(VARIABLE, given, BUILD))
    if setting is not None:
        return str(read_value("mode of the build hook", setting, BUILD))
    return config.build
