"""Text -> module: compiled in memory, and steppable in a debugger."""

from __future__ import annotations

import itertools
import linecache
from types import ModuleType

_serial = itertools.count(1)


def load_text(text: str, filename: str) -> ModuleType:
    """Return the module that ``text`` makes; its source is known as ``filename``.

    The name of the module is unique, and nothing is written.
    """
    name = f"eingrad_kernel_{next(_serial)}"
    module = ModuleType(name)
    module.__file__ = filename
    lines = text.splitlines(keepends=True)
    linecache.cache[filename] = (len(text), None, lines, filename)
    exec(compile(text, filename, "exec"), module.__dict__)
    return module
