"""The hash of the generator: the source that decides about texts, and the templates.

Which source that is follows from the imports of ``pipeline.py``, read as text.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from .digest import hashed, lf

_IMPORT = re.compile(r"^\s*from (\.+)([\w.]*) import (\([^)]*\)|.*)", re.MULTILINE)
_WORD = re.compile(r"\w+")


@functools.cache
def generator_hash() -> str:
    """Return the hash of the source that decides about texts, and of the templates."""
    templates = dict(_template_files(files("eingrad.templates"), "templates/"))
    return hashed(json.dumps(stages() | templates, sort_keys=True))


def stages() -> dict[str, str]:
    """Return the sources that the pipeline imports, by path; its own is one of them."""
    package = files(__package__)
    found: dict[str, str] = {}
    left = ["pipeline"]
    while left:
        name = left.pop()
        path = package.joinpath(*f"{name}.py".split("/"))
        if name not in found and path.is_file():
            found[name] = lf(path.read_text(encoding="utf-8"))
            left += _imported(name, found[name])
    return found


def _imported(importer: str, source: str) -> Iterator[str]:
    """Yield what ``source`` may import from this package, as ``folder/file``."""
    folders = importer.split("/")[:-1]
    for dots, module, names in _IMPORT.findall(source):
        above = folders[: len(folders) - len(dots) + 1]
        inside = "/".join([*above, *module.split(".")]).strip("/")
        yield inside
        yield from (f"{inside}/{name}".strip("/") for name in _WORD.findall(names))


def _template_files(folder: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    for item in folder.iterdir():
        if item.is_dir():
            yield from _template_files(item, f"{prefix}{item.name}/")
        elif item.name.endswith((".jinja", ".py")):
            yield f"{prefix}{item.name}", lf(item.read_text(encoding="utf-8"))
