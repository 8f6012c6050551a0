"""Configuration: ``[tool.eingrad]`` of ``pyproject.toml``, or ``eingrad.toml``.

    [tool.eingrad]
    out = "src/mypkg/_kernels"
    sizes = { b = 64, i = 128 }             # hints for the plan, not limits

    [tool.eingrad.kernels.bilinear]
    spec = "bi,ijk,bj->bk"
    operands = ["x", "w", "y"]
    wrt = ["x", "w"]

A standalone ``eingrad.toml`` holds the same keys at its top level.  What a kernel
leaves out it takes from ``[tool.eingrad]``, and what that leaves out has a default.
The merge is shallow: a list or a table replaces the one it overrides.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from .disk import why_bad_path
from .errors import ConfigError, suggestion
from .kernel_tables import KernelConfig, read_kernels, read_vendored
from .schema import GENERAL, TABLE, bare, read_table, read_value, shown


@dataclass(frozen=True)
class Config:
    """One project: its kernels, sorted by name, and ``out``, the folder they go to.

    ``out`` is relative to ``root`` and stays inside it; ``source`` is the file that was
    read; ``build`` is what a build hook does: generate, check or off.
    """

    root: Path
    source: Path
    out: PurePosixPath
    build: str
    kernels: tuple[KernelConfig, ...]


@dataclass(frozen=True)
class Table:
    """The table ``[tool.eingrad]`` of ``source``, validated.

    prefix: what stands before its keys where an error names them.
    general: its values, each key spelled as a Python name.
    """

    source: Path
    prefix: str
    general: Mapping[str, Any]

    @property
    def keys(self) -> tuple[str, ...]:
        """The path of keys to the table in the file."""
        return () if self.source.name == "eingrad.toml" else ("tool", "eingrad")


def load_config(root: Path, *, version: str | None = None) -> Config:
    """Read and validate the configuration of the project in ``root``.

    version: what ``required-version`` is held against, by default the installed one.

    Raises ConfigError, which names the key and the way out.
    """
    table = load_table(root, version=version)
    if table is None:
        raise ConfigError(
            f"no configuration in {root}; {_misspelt(root)}run `eingrad init`, "
            "or write [tool.eingrad] in pyproject.toml"
        )
    prefix, general = table.prefix, dict(table.general)
    if "vendor" in general and "kernels" not in general:
        general.setdefault("out", ".")
    if "out" not in general:
        raise ConfigError(
            f'{prefix}out is missing: the folder for the kernels, such as "gen"'
        )
    if reason := why_bad_out(root, general["out"]):
        raise ConfigError(f"{prefix}out {reason}, got {shown(general['out'])}")
    # Copies are no part of a build, but their mistakes are not for later.
    read_vendored(root, f"{prefix}vendor.", table.general)
    return Config(
        root=root,
        source=table.source,
        out=PurePosixPath(general["out"]),
        build=general.get("build", "check"),
        kernels=read_kernels(f"{prefix}kernels.", general),
    )


def source_of(root: Path) -> Path:
    """Return the file that holds the configuration in ``root``, or is to hold it."""
    project, standalone = root / "pyproject.toml", root / "eingrad.toml"
    return standalone if standalone.exists() or not project.exists() else project


def is_configured(root: Path) -> bool:
    """Say whether the project in ``root`` has a configuration, a good or a bad one."""
    if (root / "eingrad.toml").exists():
        return True
    tool = read_toml(root / "pyproject.toml").get("tool", {})
    return "eingrad" in read_value("tool", tool, TABLE)


def load_table(root: Path, *, version: str | None = None) -> Table | None:
    """Read our table of the project in ``root``, None if there is none.

    Raises ConfigError, as `load_config` does.
    """
    found = _find(root)
    if found is None:
        return None
    source, prefix, table = found
    _check_version(f"{prefix}required-version", table.get("required-version"), version)
    return Table(source, prefix, read_table(prefix, table, GENERAL))


def read_toml(path: Path) -> dict[str, Any]:
    """Return what the file says, nothing if there is none."""
    try:
        text = path.read_bytes().decode()
        if text.startswith("\N{BYTE ORDER MARK}"):
            raise ValueError("it begins with a byte order mark; save it without")
        return tomllib.loads(text)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8: {error.reason}") from error
    except ValueError as error:  # an integer of too many digits is no TOMLDecodeError
        raise ConfigError(f"{path} is not TOML: {error}") from error


def why_bad_out(root: Path, out: str) -> str | None:
    """Say why ``out`` cannot be a folder inside ``root``; None if it can."""
    if reason := why_bad_path(root, out):
        return reason
    folder = Path(os.path.realpath(root / out))
    if any(
        os.path.lexists(p) and not os.path.isdir(p) for p in (folder, *folder.parents)
    ):
        return "must be a folder, but something else is in its way"
    return None


def _find(root: Path) -> tuple[Path, str, Mapping[str, Any]] | None:
    """Return the file, what errors put before its keys, and our table in it."""
    project, standalone = root / "pyproject.toml", root / "eingrad.toml"
    tool = read_toml(project).get("tool", {})
    ours = read_value("tool", tool, TABLE).get("eingrad")
    if standalone.exists():
        if ours is not None:
            raise ConfigError(
                "both pyproject.toml and eingrad.toml configure eingrad; "
                "keep [tool.eingrad] or eingrad.toml"
            )
        table = read_toml(standalone)
        if "tool" in table:
            raise ConfigError("in eingrad.toml the keys stand without tool.eingrad")
        return standalone, "eingrad.toml: ", table
    if ours is None:
        return None
    return project, "tool.eingrad.", read_value("tool.eingrad", ours, TABLE)


def _misspelt(root: Path) -> str:
    """Name the table that may have been meant for ours, if there is one."""
    for name in read_toml(root / "pyproject.toml").get("tool", {}):
        if suggestion(name, ["eingrad"]):
            return f"did you mean [tool.eingrad] by [tool.{bare(name)}]? if not, "
    return ""


def _check_version(path: str, wanted: object, version: str | None) -> None:
    """Raise ConfigError unless ``version``, or the installed one, is in ``wanted``.

    This comes before anything else is read: another version may have other keys.
    """
    if wanted is None:
        return
    from importlib.metadata import version as installed

    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    specifier = read_value(path, wanted, GENERAL["required-version"])
    try:
        accepted = SpecifierSet(specifier)
    except InvalidSpecifier:
        raise ConfigError(
            f'{path} must be versions such as ">=1.0,<2", got {shown(specifier)}'
        ) from None
    ours = version or installed("eingrad")
    if not accepted.contains(ours, prereleases=True):
        raise ConfigError(
            f"{path} is {shown(specifier)}, but this is eingrad {ours}; install a "
            "version that it accepts, or change it"
        )
