"""The vendored kernels of a project, as its configuration lists them.

[tool.eingrad.vendor.attention_scores]
spec = "bhqd,bhkd->bhqk"        # or from = "../other/eingrad.lock#attention_scores"
dest = "src/mypkg/_vendor/attention_scores.py"
test = "tests/test_attention_scores.py"             # may be left out
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ..config import (
    KernelConfig,
    Table,
    load_table,
    read_kernel,
    source_of,
    why_bad_name,
)
from ..disk import plain_text, why_bad_path
from ..errors import ConfigError, OptionError, suggestion
from ..exclusive import exclusive
from ..manifest import Manifest, read_manifest
from ..schema import TABLE, VENDOR, bare, read_table, read_value, shown


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


@dataclass(frozen=True)
class Project:
    """A project and its vendored kernels, by name; ``table`` is its configuration."""

    root: Path
    table: Table
    kernels: Mapping[str, Vendored]

    @property
    def source(self) -> PurePosixPath:
        """The file of the configuration, which may not be there yet."""
        return PurePosixPath(self.table.source.name)

    @property
    def keys(self) -> tuple[str, ...]:
        """The path of keys to the table of vendored kernels in it."""
        return (*self.table.keys, "vendor")

    def text(self) -> str:
        """Return the text of the configuration, line ends and all.

        Raises ConfigError for what is no plain file.
        """
        there = plain_text(self.root, self.source) is not None
        return self.table.source.read_bytes().decode() if there else ""

    def recorded(self) -> Manifest:
        """Read what is on record; nothing is, if there is no manifest.

        Raises ConfigError for one that cannot be read.
        """
        return read_manifest(self.root) or Manifest()

    def with_kernel(self, name: str, table: Mapping[str, Any]) -> Project:
        """Return the project with the table of one more kernel.

        Raises ConfigError, which names the key and the way out.
        """
        tables = {**self.table.general.get("vendor", {}), name: table}
        return _project(self.root, self.table, tables)

    def chosen(self, names: Sequence[str]) -> tuple[Vendored, ...]:
        """Return the kernels of these names, by default all; OptionError if unknown."""
        check_names(names, self.kernels)
        return tuple(k for k in self.kernels.values() if not names or k.name in names)


def check_names(names: Iterable[str], known: Iterable[str]) -> None:
    """Raise OptionError for a name that no vendored kernel has."""
    known = list(known)
    for name in names:
        if name not in known:
            listed = f"; they are {', '.join(known)}" if known else ""
            close = suggestion(name, known) or listed
            raise OptionError(f"no vendored kernel is called {name!r}{close}")


@contextmanager
def alone(root: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[Project]:
    """Hold the lock of the project in ``root``, and read it.

    ``waiting`` is called once if somebody else has the lock.
    """
    with exclusive(root, waiting):
        yield load_project(root)


def load_project(root: Path) -> Project:
    """Read the vendored kernels of the project in ``root``: none, if it has none.

    Raises ConfigError, which names the key and the way out.
    """
    table = load_table(root)
    if table is None:
        source = source_of(root)
        standalone = source.name == "eingrad.toml"
        table = Table(source, "eingrad.toml: " if standalone else "tool.eingrad.", {})
    return _project(root, table, table.general.get("vendor", {}))


def _project(root: Path, table: Table, tables: Mapping[str, Any]) -> Project:
    prefix, general = f"{table.prefix}vendor.", table.general
    kernels = {
        name: _vendored(root, f"{prefix}{bare(name)}", name, tables[name], general)
        for name in sorted(tables)
    }
    _check_paths(prefix, general.get("out"), kernels)
    return Project(root, table, kernels)


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
