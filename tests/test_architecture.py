"""The order of the stages, and who alone may do what."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import meta, nodes

from eingrad import render
from eingrad.module import Module

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "codegen"
TEMPLATES = ROOT / "templates"

# Each file imports only files above it, from the text of a spec down to the commands.
ORDER = """
errors
spec
index_sets gradient
path_search
contraction
program
differentiate simplify recompute
array_program
cost
views
matrices
pairwise
layout
lower
pretty
memory_limit
naming options
request digest
notation plain
targets
functions
sliced
module
strided
memory
liveness
limit
render
pipeline
loading
oracle interpret
proof
api
schema
config
build
cli
__main__ __init__
"""

LEVELS = {
    name: level
    for level, names in enumerate(ORDER.strip().splitlines())
    for name in names.split()
}

# Within ``proof``, the same.
PROOF_ORDER = ["views", "bounds", "draws", "memory", "arrays", "cases", "trial"]
PROOF_ORDER += ["interface", "laws", "check"]

FILES = sorted(SOURCES.rglob("*.py"))


def name_of(path: Path) -> str:
    """Name a file by its place in ``ORDER``: a folder is one place."""
    return path.relative_to(SOURCES).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Yield what a file imports, wherever it does; ours as ``.name`` from the root."""
    folder = path.relative_to(SOURCES).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module)
        elif isinstance(node, ast.ImportFrom):
            above = folder[: len(folder) - node.level + 1]
            inside = [*above, *(node.module.split(".") if node.module else [])]
            names = [inside] if node.module else [[*inside, a.name] for a in node.names]
            yield from ("." + ".".join(parts) for parts in names)


def importers(library: str) -> set[str]:
    """Name the files that import a library."""
    return {
        name_of(path)
        for path in FILES
        if any(name.split(".")[0] == library for name in imports(path))
    }


def strings(path: Path) -> Iterator[str]:
    """Yield the string constants of a file but for its docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) not in prose:
                yield node.value


def relative(path: Path) -> str:
    return str(path.relative_to(SOURCES))


def test_every_file_has_its_place() -> None:
    assert {name_of(path) for path in FILES} == set(LEVELS)


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_imports_point_up(path: Path) -> None:
    own = name_of(path)
    for name in imports(path):
        if name.startswith("."):
            other = name.split(".")[1]
            if other != own:
                assert LEVELS[other] < LEVELS[own], f"{own} imports {other}"


def test_the_commands_are_imported_by_nobody() -> None:
    for path in FILES:
        names = {name.split(".")[1] for name in imports(path) if name.startswith(".")}
        assert "cli" not in names or name_of(path) in ("cli", "__main__")
        assert "build" not in names or name_of(path) == "cli"


def test_proof_imports_point_up_too() -> None:
    folder = SOURCES / "proof"
    levels = {name: level for level, name in enumerate(PROOF_ORDER)}
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert files == set(levels)
    for name in files:
        for other in imports(folder / f"{name}.py"):
            if other.startswith(".proof."):
                above = other.split(".")[2]
                assert levels[above] < levels[name], f"{name} imports {above}"


def test_the_package_is_imported_relatively() -> None:
    assert importers("eingrad") == set()


@pytest.mark.parametrize(
    ("library", "files"),
    [
        ("numpy", {"interpret", "oracle", "proof"}),
        ("opt_einsum", set()),
        ("jinja2", {"render"}),
        ("click", {"cli"}),
        ("tomllib", {"config"}),
        ("packaging", {"config"}),
    ],
)
def test_who_imports_a_library(library: str, files: set[str]) -> None:
    assert importers(library) <= files


@pytest.mark.parametrize("library", ["opt_einsum", "cotengra"])
def test_one_file_knows_the_path_searches(library: str) -> None:
    """They are imported by name there, one of them without its import of NumPy."""
    known = {
        name_of(path)
        for path in FILES
        for text in strings(path)
        if text.split(".")[0] == library
    }
    assert known == {"path_search"}


def test_only_the_parser_reads_specs() -> None:
    """The oracle reads them too: that it shares nothing is the point."""
    readers = set()
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                splits = node.func.attr in ("split", "partition", "rsplit", "index")
                arrow = [a for a in node.args if isinstance(a, ast.Constant)]
                if splits and any(a.value == "->" for a in arrow):
                    readers.add(name_of(path))
    assert readers <= {"spec", "oracle"}


@pytest.mark.parametrize("word", ["np.", "numpy", "NDArray"])
def test_nothing_of_numpy_stands_above_its_target(word: str) -> None:
    speakers = {
        name_of(path)
        for path in FILES
        for text in strings(path)
        if word in text and LEVELS[name_of(path)] < LEVELS["targets"]
    }
    assert speakers <= {"options", "plain", "request"}


def variables(template: str) -> set[str]:
    environment = render.environment()
    source = (TEMPLATES / template).read_text("utf-8")
    return meta.find_undeclared_variables(environment.parse(source))


def test_templates_use_every_field_and_no_other() -> None:
    used = set()
    for path in sorted(TEMPLATES.rglob("*.jinja")):
        used |= variables(str(path.relative_to(TEMPLATES)))
    fields = {field.name for field in dataclasses.fields(Module)}
    layout = set(render._layout(88))
    assert used - layout == fields - {"line_length"}
    assert layout <= used


def test_templates_decide_nothing() -> None:
    """What Jinja may do with a value is to lay it out."""
    for path in TEMPLATES.rglob("*.jinja"):
        tree = render.environment().parse(path.read_text("utf-8"))
        assert {f.name for f in tree.find_all(nodes.Filter)} <= {"join"}
        assert not list(tree.find_all(nodes.Test))


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_no_assert_guards_what_users_give(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert sum(isinstance(node, ast.Assert) for node in ast.walk(tree)) <= 1
