"""Text -> module: compiled in memory, and steppable in a debugger."""

from __future__ import annotations

import itertools
import linecache
from types import ModuleType

_serial = itertools.count(1)


def load_text(text: str, filename: str) -> ModuleType:
    """Return the module that ``text`` makes; nothing is written.

    ``filename`` is what a traceback shows; one in angle brackets is numbered, so that
    a debugger finds the text of each of several modules.
    """
    number = next(_serial)
    if filename.startswith("<"):
        filename = f"{filename[:-1]} #{number}>"
    module = ModuleType(f"eingrad_kernel_{number}")
    module.__file__ = filename
    lines = text.splitlines(keepends=True)
    linecache.cache[filename] = (len(text), None, lines, filename)
    exec(compile(text, filename, "exec"), module.__dict__)
    return module
