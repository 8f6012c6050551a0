"""The tables of kernels in a configuration: those that a build writes, and copies.

[tool.eingrad.kernels.bilinear]
spec = "bi,ijk,bj->bk"
operands = ["x", "w", "y"]

[tool.eingrad.vendor.attention_scores]
spec = "bhqd,bhkd->bhqk"        # or from = "../other/eingrad.lock#attention_scores"
dest = "src/mypkg/_vendor/attention_scores.py"
test = "tests/test_attention_scores.py"             # may be left out
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from .disk import why_bad_path
from .errors import ConfigError
from .options import Options
from .request import TARGETS
from .schema import (
    KERNEL,
    NAME,
    SHARED,
    TABLE,
    VENDOR,
    bare,
    read_table,
    read_value,
    shown,
)


@dataclass(frozen=True)
class KernelConfig:
    """One kernel: what ``NAME.py`` is generated from."""

    name: str
    spec: str
    options: Options = field(default_factory=Options)


@dataclass(frozen=True)
class Vendored:
    """One vendored kernel: ``dest``, and ``test`` if it has one, relative to the root.

    kernel: what it is generated from; None if it is a copy of what ``origin`` names,
        a kernel of another project: ``PATH/eingrad.lock#KERNEL``.
    """

    name: str
    dest: PurePosixPath
    test: PurePosixPath | None
    kernel: KernelConfig | None
    origin: str | None

    @property
    def paths(self) -> tuple[PurePosixPath, ...]:
        return (self.dest, self.test) if self.test else (self.dest,)


def read_kernels(prefix: str, general: Mapping[str, Any]) -> tuple[KernelConfig, ...]:
    """Read the kernels of a build, sorted by name.

    prefix: what stands before the name of one where an error names it.
    general: the values of ``[tool.eingrad]``, their tables among them.

    Raises ConfigError, as all of the functions here do: it names the key.
    """
    tables = general.get("kernels", {})
    seen: dict[str, str] = {}
    for name in tables:
        first = seen.setdefault(name.lower(), name)
        if first != name:
            raise ConfigError(
                f"{prefix}{bare(first)} and {prefix}{bare(name)} differ only in case; "
                "their files would be one file on some systems"
            )
    for name in tables:
        if reason := why_bad_name(name):
            raise ConfigError(f"{prefix}{bare(name)}: a kernel's name {reason}")
    return tuple(
        read_kernel(f"{prefix}{name}", name, tables[name], general)
        for name in sorted(tables)
    )


def read_vendored(
    root: Path, prefix: str, general: Mapping[str, Any]
) -> dict[str, Vendored]:
    """Read the kernels that are copied into the project in ``root``, sorted by name."""
    tables = general.get("vendor", {})
    kernels = {
        name: _vendored(root, f"{prefix}{bare(name)}", name, tables[name], general)
        for name in sorted(tables)
    }
    _check_paths(prefix, general.get("out"), kernels)
    return kernels


def read_kernel(
    path: str, name: str, table: object, general: Mapping[str, Any]
) -> KernelConfig:
    """Read the table at ``path``, and from ``general`` what it leaves out."""
    own = read_table(f"{path}.", read_value(path, table, TABLE), KERNEL)
    spec = own.pop("spec", None)
    if spec is None:
        raise ConfigError(f'{path}.spec is missing, such as spec = "ij,jk->ik"')
    shared = [key.replace("-", "_") for key in SHARED]
    inherited = {key: general[key] for key in shared if key in general}
    # General sizes serve many kernels: each takes those of its indices.
    sizes = inherited.pop("sizes", {})
    if "shapes" not in own:
        sizes = {index: n for index, n in sizes.items() if index in spec}
        inherited["sizes"] = sizes or None
    given = inherited | own
    (target,) = given.pop("targets", TARGETS)
    return KernelConfig(name, spec, Options(target=target, **given))


def why_bad_name(name: str) -> str | None:
    """Say why ``name`` cannot be a kernel's and so a file's name; None if it can."""
    if not re.fullmatch(NAME, name):
        return "must be lower-case ASCII letters, digits and '_', a letter first"
    if keyword.iskeyword(name):
        return "must not be a Python keyword: its module could not be imported"
    return None


def _vendored(
    root: Path, path: str, name: str, table: object, general: Mapping[str, Any]
) -> Vendored:
    """Read the table at ``path``, and from ``general`` what it leaves out."""
    if reason := why_bad_name(name):
        raise ConfigError(f"{path}: a kernel's name {reason}")
    given = dict(read_value(path, table, TABLE))
    read = read_table(f"{path}.", given, VENDOR)
    if ("spec" in read) == ("from" in read):
        raise ConfigError(f"{path} must have either spec or from")
    own = {key: given[key] for key in given if key not in ("from", "dest", "test")}
    if "from" in read and own:
        raise ConfigError(
            f"{path}.{min(own)} does not go with from: the copy has its own options"
        )
    if "dest" not in read:
        raise ConfigError(
            f'{path}.dest is missing: the file, such as "src/mypkg/_vendor/{name}.py"'
        )
    return Vendored(
        name=name,
        dest=python_file(root, f"{path}.dest", read["dest"]),
        test=python_file(root, f"{path}.test", read["test"])
        if "test" in read
        else None,
        kernel=read_kernel(path, name, own, general) if own else None,
        origin=read.get("from"),
    )


def python_file(root: Path, path: str, given: str) -> PurePosixPath:
    """Return the path of a Python file inside ``root``; ConfigError names the key."""
    reason = why_bad_path(root, given)
    if reason is None and not given.endswith(".py"):
        reason = "must be the path of a Python file, such as 'src/mypkg/name.py'"
    if reason is None and (why := why_bad_name(PurePosixPath(given).stem)):
        reason = f"must name a module that can be imported; its name {why}"
    if reason is not None:
        raise ConfigError(f"{path} {reason}, got {shown(given)}")
    return PurePosixPath(given)


def _check_paths(prefix: str, out: str | None, kernels: Mapping[str, Vendored]) -> None:
    """Raise ConfigError if two files would be one, or one were a build's."""
    seen: dict[str, str] = {}
    for key, path in _keys(prefix, kernels):
        first = seen.setdefault(str(path).lower(), key)
        if first != key:
            raise ConfigError(
                f"{first} and {key} are the same file, or would be on systems that "
                "do not tell lower from upper case"
            )
        if out is not None and path.is_relative_to(out):
            raise ConfigError(
                f"{key} must not be inside {out!r}, the folder of `eingrad build`, "
                f"got {shown(str(path))}"
            )


def _keys(
    prefix: str, kernels: Mapping[str, Vendored]
) -> Iterator[tuple[str, PurePosixPath]]:
    for kernel in kernels.values():
        yield f"{prefix}{kernel.name}.dest", kernel.dest
        if kernel.test:
            yield f"{prefix}{kernel.name}.test", kernel.test
