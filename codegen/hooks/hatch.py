"""The hook of hatchling: ``[tool.hatch.build.hooks.eingrad]``.

Its key ``mode`` goes before ``build`` of ``[tool.eingrad]``.  The kernels go into every
wheel and sdist whose selection of files takes their folder in, ignored by git or not.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.plugin import hookimpl

from ..errors import EingradError
from .kernels import prepare


class EingradBuildHook(BuildHookInterface[BuilderConfig]):
    """Prepare the kernels before a wheel, an sdist or an editable install is made."""

    PLUGIN_NAME = "eingrad"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        try:
            prepared = prepare(
                Path(self.root),
                setting=self.config.get("mode"),
                say=self.app.display_info,
            )
        except EingradError as error:
            self.app.abort(str(error))
        files = prepared.kernels
        if self.target_name == "sdist":
            files += prepared.inputs
        build_data["artifacts"].extend(_pattern(path) for path in files)


@hookimpl
def hatch_register_build_hook() -> type[EingradBuildHook]:
    """Tell hatchling of the hook; the name is hatchling's."""
    return EingradBuildHook


def _pattern(path: PurePosixPath) -> str:
    """Return what matches this one file, in the language of ``.gitignore``."""
    return "/" + re.sub(r"([*?[])", r"\\\1", str(path))
