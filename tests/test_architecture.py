"""The order of the stages, and who alone may do what."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import meta, nodes

from eingrad import render
from eingrad.explanation.page import Page
from eingrad.module import Module
from eingrad.proof_file import ProofFile

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "codegen"
TEMPLATES = ROOT / "templates"

# Each file imports only files above it, from the text of a spec down to the commands.
ORDER = """
errors
spec
index_sets gradient
activations
path_search
contraction
program
layer differentiate simplify recompute
array_program
cost iteration
views loops
unary
sums
candidate
matrices
entrywise matrix_products
pairwise
layout copies
lower
pretty
memory_limit
naming options
request digest
derivation
notation plain
docstrings
targets
functions
sliced
share
bodies
module proof_file
strided
allocation
memory
liveness
limit
render
pipeline
explanation
loading
oracle interpret
proof
api
schema
disk toml_text
manifest generator kernel_tables
config
exclusive kernel_text
workers states
json_schema scaffold build_plan
planning
build
vendoring
hooks
testing
cli
__main__ __init__
"""

LEVELS = {
    name: level
    for level, names in enumerate(ORDER.strip().splitlines())
    for name in names.split()
}

# Within a folder, the same.
FOLDERS = {
    "proof": """
    views bounds draws memory reference truth arrays cases trial interface laws check
    """.split(),
    "explanation": """
    formula formula_text formula_latex symbols graph algebra roles place steps shared
    costs tree content layers operand compose
    text latex mermaid record markup drawing page explain
    """.split(),
}

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
        assert "build" not in names or name_of(path) in ("hooks", "cli")


@pytest.mark.parametrize("folder", FOLDERS)
def test_imports_within_a_folder_point_up_too(folder: str) -> None:
    levels = {name: level for level, name in enumerate(FOLDERS[folder])}
    files = {path.stem for path in (SOURCES / folder).glob("*.py")} - {"__init__"}
    assert files == set(levels)
    for name in files:
        for other in imports(SOURCES / folder / f"{name}.py"):
            if other.startswith(f".{folder}."):
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
        ("latex2mathml", {"explanation"}),
        ("markupsafe", {"explanation"}),
        ("pygments", {"explanation"}),
        ("merge3", {"vendoring"}),
        ("whatthepatch", {"vendoring"}),
        ("tomllib", {"config", "manifest", "toml_text", "vendoring"}),
        ("packaging", {"config"}),
        ("tomlkit", {"toml_text", "vendoring"}),
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


@pytest.mark.parametrize(
    ("folder", "model", "layout"),
    [
        ("numpy", Module, set(render._layout(88))),
        ("pytest", ProofFile, set()),
        ("explanation", Page, set()),
    ],
)
def test_templates_use_every_field_and_no_other(
    folder: str, model: type, layout: set[str]
) -> None:
    paths = sorted((TEMPLATES / folder).glob("*.jinja"))
    used = set().union(*(variables(p.relative_to(TEMPLATES).as_posix()) for p in paths))
    fields = {field.name for field in dataclasses.fields(model)}
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
