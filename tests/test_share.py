"""What forward and backward read in one form is made once, and not written over."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from stages import request
from strategies import Case, cases, searched

import eingrad
from eingrad.array_program import ArrayOp, Block, Node, Ref, Statement
from eingrad.bodies import size_names, writer
from eingrad.pipeline import derive

SPECS = [
    "ij,jk->ik",
    "bij,jk->bik",
    "ijk,jl->ilk",
    "ab,bcd,de,ef->acf",
    "aceb,b,ebda,bead->cb",
    "am,abp,bcs,cv,dmn,depq,efst,fvw,gno,hgqr,ihtu,iwx,oj,jkr,klu,xl->",
]


def statements(source: str) -> Iterator[ast.stmt]:
    """Yield what ``vjp`` and its pullback run whatever is given to write into."""
    functions = {
        node.name: node
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef)
    }
    for name in ("vjp", "_reverse"):
        for statement in functions[name].body:
            if not isinstance(statement, ast.If | ast.FunctionDef):
                yield statement


def assert_made_once(source: str) -> None:
    """Assert that no array is reshaped or copied twice in the same way."""
    assigned = Counter(
        node.id
        for statement in statements(source)
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    made = Counter(
        ast.unparse(node)
        for statement in statements(source)
        for node in ast.walk(statement)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith((".reshape", "_turned"))
        and all(assigned[name.id] < 2 for name in names(node))
    )
    assert [form for form, count in made.items() if count > 1] == []


def names(node: ast.expr) -> Iterator[ast.Name]:
    return (part for part in ast.walk(node) if isinstance(part, ast.Name))


@pytest.mark.parametrize("sized", [False, True])
@pytest.mark.parametrize("spec", SPECS)
def test_nothing_is_reshaped_or_copied_twice(spec: str, sized: bool) -> None:
    sizes = {letter: 3 for letter in spec if letter.isalpha()} if sized else {}
    source = eingrad.generate(spec, sizes=sizes)
    assert "reshape" in source or spec == "ij,jk->ik" or "einsum" in source
    assert_made_once(source)


@given(case=cases())
@searched(300)
def test_nothing_of_random_specs_is_reshaped_or_copied_twice(case: Case) -> None:
    options: dict[str, Any] = {"operands": case.operands, "sizes": case.sizes}
    assert_made_once(eingrad.generate(case.spec, complex=case.complex, **options))


def test_intermediates_are_held_as_matrices_where_only_matrices_are_read() -> None:
    source = eingrad.generate("ab,bcd,de,ef->acf", optimize=[(0, 1), (0, 2), (0, 1)])
    reshaped = [
        ast.unparse(node.func.value)
        for statement in statements(source)
        for node in ast.walk(statement)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "reshape"
    ]
    # Two reshapes in turn would fuse what was split just before.
    assert not any(text.endswith(")") and ".reshape(" in text for text in reshaped)
    assert not any(text.startswith("part") and text.isidentifier() for text in reshaped)


@pytest.mark.parametrize("viewed", [False, True])
def test_what_is_viewed_is_not_written_over(viewed: bool) -> None:
    derivation = derive(request("i,i,i,i->i", optimize=[(0, 1), (0, 1), (0, 1)]))
    blocks = [
        block
        for block in derivation.joint.arrays.blocks
        if block.step in derivation.forward.steps
    ]
    if viewed:
        view = Node(ArrayOp.RESHAPE, (Ref("part1_i"),), (("i",),))
        statement = Statement(Ref("view"), view)
        blocks.insert(1, Block(blocks[0].step, "", (statement,)))
    arrays = replace(derivation.joint.arrays, blocks=tuple(blocks))
    lowered = replace(derivation.joint, arrays=arrays)
    write = writer(lowered, derivation.request, size_names(derivation))
    body = write.function(blocks, known=["a", "b", "c", "d"], kept=["output"])
    assert ("out=part1_i" in "".join(body.lines)) is not viewed
