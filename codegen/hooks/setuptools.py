"""The hook of setuptools: a sub-command of ``build`` where ``[tool.eingrad]`` exists.

It follows `setuptools.command.build.SubCommand`.  The kernels are written where they
belong in the source tree, and copied from there into the wheel, so that a wheel, an
sdist and an editable install all have the same files.
"""

from __future__ import annotations

import logging
import os
from functools import cached_property, partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, ClassVar

from setuptools import Command, Distribution
from setuptools.errors import SetupError

if TYPE_CHECKING:
    from .kernels import Prepared


class BuildEingrad(Command):
    """Prepare the kernels, and copy them to where the build collects its files."""

    command_name = "build_eingrad"
    description = "check or write the kernels of [tool.eingrad]"
    user_options: ClassVar[list[tuple[str, str, str]]] = [
        ("build-lib=", "d", "where the build collects its files")
    ]
    build_lib: str
    editable_mode: bool

    def initialize_options(self) -> None:
        self.build_lib = ""
        self.editable_mode = False

    def finalize_options(self) -> None:
        if not self.build_lib:
            self.build_lib = self.get_finalized_command("build_py").build_lib

    def run(self) -> None:
        mapping = self.get_output_mapping()
        kernels = [str(path) for path in self._prepared.kernels]
        if homeless := sorted({*kernels}.difference(mapping.values())):
            self.warn(f"in no package, so not shipped: {', '.join(homeless)}")
        if not self.editable_mode:
            for built, source in mapping.items():
                self.mkpath(os.path.dirname(built))
                self.copy_file(source, built)

    def get_source_files(self) -> list[str]:
        """Return the kernels too: an sdist has what ``EINGRAD_BUILD=off`` takes."""
        return [str(p) for p in (*self._prepared.inputs, *self._prepared.kernels)]

    def get_outputs(self) -> list[str]:
        return list(self.get_output_mapping())

    def get_output_mapping(self) -> dict[str, str]:
        return {
            os.path.join(self.build_lib, place): str(path)
            for path in self._prepared.kernels
            if (place := self._place(path))
        }

    @cached_property
    def _prepared(self) -> Prepared:
        """The files, prepared when they are first asked for.

        That may be long before ``run``: an sdist runs no sub-command of ``build``, it
        asks for the source files, and leaves out those that are not there.
        """
        from ..errors import EingradError
        from .kernels import prepare

        try:
            return prepare(Path(), say=partial(self.announce, level=logging.INFO))
        except EingradError as error:
            raise SetupError(str(error)) from error

    def _place(self, path: PurePosixPath) -> Path | None:
        """Return where a file of a package goes in the wheel, None for another file."""
        package_dir = self.get_finalized_command("build_py").get_package_dir
        folders = {Path(package_dir(p)): p for p in self.distribution.packages or ()}
        for folder in Path(path).parents:
            if folder in folders:
                package = Path(*folders[folder].split("."))
                return package / Path(path).relative_to(folder)
        return None


def finalize_distribution_options(distribution: Distribution) -> None:
    """Add ``build_eingrad`` to the build of a project that configures eingrad.

    setuptools calls this in every build of every project of the environment, so what
    decides for the others is one small file, and nothing is imported.
    """
    if not _is_mentioned():
        return
    from ..config import is_configured

    if not is_configured(Path()):
        return
    build = distribution.get_command_class("build")
    ours = (BuildEingrad.command_name, None)
    # setuptools may ask more than once.
    if ours not in build.sub_commands:
        # A subclass: the class itself belongs to every distribution of the process.
        commands = {"sub_commands": [*build.sub_commands, ours]}
        distribution.cmdclass["build"] = type("build", (build,), commands)


def _is_mentioned() -> bool:
    if os.path.exists("eingrad.toml"):
        return True
    try:
        with open("pyproject.toml", "rb") as file:
            return b"eingrad" in file.read()
    except OSError:
        return False
