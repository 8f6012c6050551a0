"""Projects to build in tests, and a renderer that takes no time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from eingrad.config import Config, load_config
from eingrad.digest import HEADER, body_digest
from eingrad.kernel_tables import KernelConfig
from eingrad.kernel_text import Rendered

Plan = tuple[tuple[int, ...], ...]


def signed(body: str, spec: str = "i") -> str:
    """Return a text with the header of a generated module, and its digest."""
    digest = body_digest(f"{HEADER}\n{body}")
    return f"{HEADER}\n# @generated {spec} target=numpy body=sha256:{digest}\n{body}"


def text_of(kernel: KernelConfig) -> str:
    """Return what `render` makes of a kernel: a module that is its spec."""
    body = f'# Regenerate: eingrad build {kernel.name}\nSPEC = "{kernel.spec}"\n'
    return signed(body, kernel.spec)


def render(kernel: KernelConfig, plan: Plan | None = None) -> Rendered:
    """Stand in for the pipeline."""
    return Rendered(text_of(kernel), plan or ((0, 1),))


def configured(root: Path, specs: Mapping[str, str], out: str = "src/gen") -> Config:
    """Write a configuration of kernels and read it."""
    tables = [f'[tool.eingrad]\nout = "{out}"\n']
    for name, spec in specs.items():
        tables.append(f'[tool.eingrad.kernels.{name}]\nspec = "{spec}"\n')
    (root / "pyproject.toml").write_text("\n".join(tables), encoding="utf-8")
    return load_config(root)


def tree(root: Path) -> dict[str, bytes]:
    """Return the content of every plain file below ``root``."""
    return {
        str(PurePosixPath(path.relative_to(root))): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


@contextmanager
def powerless() -> Iterator[None]:
    """Give up the right to write everywhere, if this process has it."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
