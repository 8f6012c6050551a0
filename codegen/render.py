"""Module + template -> text; Jinja lays out, and the result is read once more.

The text of a module is parsed before it is returned: it must be Python, and import
nothing but NumPy and the standard library; the test of a module imports pytest too.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from importlib.resources import files
from typing import Any

import jinja2

from .digest import RECORD, body_digest
from .errors import InternalError
from .module import Module
from .pretty import Bracketed, Doc, assign_tuple, broken, tuple_of
from .proof_file import ProofFile

_LIBRARIES = {"numpy", "__future__"} | set(sys.stdlib_module_names)


def render(module: Module) -> str:
    """Return the text of the module, with the digest of its body in the header."""
    fields = _fields(module) | _layout(module.line_length)
    asked = {line.split()[1].partition(".")[0] for line in module.imports}
    return _sealed("numpy/module.py.jinja", fields, _LIBRARIES | asked)


def render_proof(proof: ProofFile) -> str:
    """Return the text of the pytest file of a vendored kernel, with its digest."""
    return _sealed(
        "pytest/test_kernel.py.jinja", _fields(proof), _LIBRARIES | {"pytest"}
    )


def _fields(model: Module | ProofFile) -> dict[str, Any]:
    return {f.name: getattr(model, f.name) for f in dataclasses.fields(model)}


def _sealed(template: str, fields: Mapping[str, Any], libraries: Set[str]) -> str:
    """Fill a template, and write the digest of the text in its header."""
    text = environment().get_template(template).render(fields)
    _check(text, libraries)
    record = next(line for line in fields["header"] if line.startswith(RECORD))
    return text.replace(record, f"{record} body=sha256:{body_digest(text)}", 1)


@functools.cache
def environment(*, autoescape: bool = False) -> jinja2.Environment:
    """Return the Jinja environment of our templates, which knows no undefined name."""
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_template),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=autoescape,
    )


def _template(name: str) -> str:
    folder = files("eingrad.templates")
    return folder.joinpath(*name.split("/")).read_text(encoding="utf-8")


def _layout(width: int) -> dict[str, Any]:
    """List what a template may call to write text that breaks over lines."""

    def lay(
        prefix: str,
        doc: Doc,
        items: Sequence[Doc] = (),
        suffix: str = "",
        indent: int = 4,
    ) -> str:
        """Write ``prefix doc(items) suffix``; a doc that is no text stands alone."""
        whole = Bracketed(doc, tuple(items)) if isinstance(doc, str) else doc
        return "\n".join(
            broken(prefix, whole, suffix, indent=" " * indent, width=width)
        )

    def unpack(names: Sequence[str], value: str, indent: int = 4) -> str:
        """Write the assignment of ``value`` to a tuple of names."""
        extra = " " * (indent - 4)
        lines = assign_tuple(names, value, width - len(extra))
        return "\n".join(extra + line for line in lines)

    return {
        "lay": lay,
        "unpack": unpack,
        "as_tuple": tuple_of,
        "annotated": lambda names: [f"{name}: Array" for name in names],
        "zip": zip,
    }


def _check(text: str, libraries: Set[str]) -> None:
    """Raise InternalError unless the text is Python that imports only these."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise InternalError(f"the generated text is no Python: {error}") from error
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        for name in names:
            if name.split(".")[0] not in libraries:
                raise InternalError(f"the generated text imports {name!r}")


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the statements in ``node``, at any depth; no expression holds one."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.expr):
            yield child
            yield from _statements(child)
