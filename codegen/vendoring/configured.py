"""A project with vendored kernels, as its configuration lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from ..config import Table, load_table, source_of
from ..disk import plain_text
from ..errors import OptionError, suggestion
from ..exclusive import exclusive
from ..kernel_tables import Vendored, read_vendored
from ..manifest import Manifest, read_manifest


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
        general = {**self.table.general, "vendor": tables}
        return _project(self.root, replace(self.table, general=general))

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
    return _project(root, table)


def _project(root: Path, table: Table) -> Project:
    prefix = f"{table.prefix}vendor."
    return Project(root, table, read_vendored(root, prefix, table.general))
