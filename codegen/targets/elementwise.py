"""Elementwise functions: their names in a module, and their source.

The source is cut out of ``templates/numpy/activations.py`` by name, with what it calls.
What ``templates/numpy/activations_scipy.py`` defines replaces it where SciPy may be
imported.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Mapping
from importlib.resources import files

from ..errors import InternalError
from ..program import Apply

_FILES = {
    "numpy": ["activations.py"],
    "scipy": ["activations.py", "activations_scipy.py"],
}

# What the frame of every module defines or imports.
_GIVEN = {"Any", "Array", "Callable", "NDArray", "annotations", "np"}


def function_name(op: Apply) -> str:
    """Name the function that a module calls, such as ``_leaky_relu_d1``."""
    if not 0 <= op.order <= 2:
        raise InternalError(f"the derivative {op} has no source")
    return f"_{op.function}_d{op.order}" if op.order else f"_{op.function}"


def applied(op: Apply, argument: str) -> str:
    """Write the call, such as ``_leaky_relu_d1(z, 0.1)``."""
    return f"{function_name(op)}({', '.join([argument, *map(repr, op.parameters)])})"


def function_sources(names: Iterable[str], *, erf: str = "numpy") -> list[str]:
    """Return the source of functions, of those they call and of their constants.

    They stand in the order of the template, each without a newline at its end.
    """
    definitions, _ = _templates(erf)
    wanted = _with_callees(names, definitions)
    return [text for name, text in definitions.items() if name in wanted]


def function_imports(names: Iterable[str], *, erf: str = "numpy") -> list[str]:
    """Return the imports of functions beyond those of every module, sorted."""
    definitions, imports = _templates(erf)
    wanted = _with_callees(names, definitions)
    used = set[str]().union(*(_names(definitions[name]) for name in wanted))
    return sorted({line for name, line in imports.items() if name in used})


def _with_callees(names: Iterable[str], definitions: Mapping[str, str]) -> set[str]:
    """Return the names, those that their definitions use, and so on."""
    reached: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in definitions:
            raise InternalError(f"no template defines {name}")
        if name not in reached:
            reached.add(name)
            waiting += _names(definitions[name]) & definitions.keys()
    return reached


@functools.cache
def _names(text: str) -> frozenset[str]:
    tree = ast.parse(text)
    return frozenset(n.id for n in ast.walk(tree) if isinstance(n, ast.Name))


@functools.cache
def _templates(erf: str) -> tuple[dict[str, str], dict[str, str]]:
    """Read what the templates define, and the import that each name comes from."""
    definitions: dict[str, str] = {}
    imports: dict[str, str] = {}
    for file in _FILES[erf]:
        text = files("eingrad.templates").joinpath("numpy", file).read_text("utf-8")
        lines = text.split("\n")
        for node in ast.parse(text).body:
            for name in _defined(node):
                definitions[name] = "\n".join(
                    lines[_start(node, lines) : node.end_lineno]
                )
            if isinstance(node, ast.ImportFrom) and not node.level:
                for alias in node.names:
                    line = f"from {node.module} import {alias.name}"
                    imports[alias.name] = line
    return (
        {name: text for name, text in definitions.items() if name not in _GIVEN},
        {name: line for name, line in imports.items() if name not in _GIVEN},
    )


def _defined(node: ast.stmt) -> list[str]:
    """Name the function or the constants that a statement defines."""
    if isinstance(node, ast.FunctionDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return []


def _start(node: ast.stmt, lines: list[str]) -> int:
    """Return the first line of a statement, counted from 0, with its comment."""
    start = node.lineno - 1
    while lines[start - 1].startswith("#"):
        start -= 1
    return start
