"""Text -> module: executed in memory, and steppable in a debugger."""

from __future__ import annotations

import importlib.util
import itertools
import linecache
import sys
import traceback
from pathlib import Path
from types import ModuleType

from .errors import EingradError

ATTRIBUTES = ("SPEC", "OPERANDS", "GRADIENTS")

_serial = itertools.count(1)


def load_text(text: str, filename: str) -> ModuleType:
    """Return the module that ``text`` makes, under a name of its own.

    ``filename`` is what a traceback shows; one in angle brackets is numbered, so that
    a debugger finds the text of each of several modules.  No bytecode is written.
    """
    number = next(_serial)
    if filename.startswith("<"):
        filename = f"{filename[:-1]} #{number}>"
    code = compile(text, filename, "exec", dont_inherit=True)
    # With no time of modification, a traceback shows the lines that ran.
    linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
    module = ModuleType(f"eingrad_kernel_{number}")
    module.__file__ = filename
    # A dataclass looks its module up while it executes.
    sys.modules[module.__name__] = module
    try:
        exec(code, module.__dict__)
    except BaseException:
        del sys.modules[module.__name__]
        raise
    return module


def load_file(path: str | Path) -> ModuleType:
    """Execute a generated file and return its module.

    Raises EingradError if the file cannot be read, is not Python, raises, or is not a
    generated module.
    """
    file = Path(path).absolute()
    try:
        module = load_text(importlib.util.decode_source(file.read_bytes()), str(file))
    except OSError as error:
        raise EingradError(f"cannot read {path}: {error.strerror}") from error
    except (SyntaxError, UnicodeDecodeError) as error:
        raise EingradError(f"{path} is not Python: {error}") from error
    except (Exception, SystemExit) as error:
        text = "".join(traceback.format_exception_only(error)).strip()
        raise EingradError(f"{path} cannot be executed: {text}") from error
    if missing := [name for name in ATTRIBUTES if not hasattr(module, name)]:
        lacks = ", ".join(missing)
        raise EingradError(f"{path} is not a generated module: it lacks {lacks}")
    return module
