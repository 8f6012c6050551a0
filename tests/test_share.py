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

# Specs whose modules reshape or copy something.
SPECS = [
    "bij,jk->bik",
    "jik,jl->ilk",
    "ab,bcd,de,ef->acf",
    "aceb,b,ebda,bead->cb",
    "am,abp,bcs,cv,dmn,depq,efst,fvw,gno,hgqr,ihtu,iwx,oj,jkr,klu,xl->",
]


def bodies(source: str) -> Iterator[list[ast.stmt]]:
    """Yield what ``vjp`` and its pullback run whatever is given to write into."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name in ("vjp", "_reverse"):
            yield [s for s in node.body if not isinstance(s, ast.If | ast.FunctionDef)]


def expressions(source: str) -> Iterator[ast.AST]:
    """Yield every part of what they run."""
    for body in bodies(source):
        for statement in body:
            yield from ast.walk(statement)


def made_once(source: str) -> list[str]:
    """Return what is reshaped and copied; no array may be so twice in the same way."""
    # A name means the same in both functions, unless one of them assigns it twice.
    changing = {
        name
        for body in bodies(source)
        for name, count in Counter(
            node.id
            for statement in body
            for node in ast.walk(statement)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        ).items()
        if count > 1
    }
    makers = (".reshape", ".repeat", "_turned", "_tiled")
    made = Counter(
        ast.unparse(node)
        for node in expressions(source)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith(makers)
        and not changing.intersection(names(node))
    )
    assert [form for form, count in made.items() if count > 1] == []
    return list(made)


def names(node: ast.expr) -> Iterator[str]:
    return (part.id for part in ast.walk(node) if isinstance(part, ast.Name))


@pytest.mark.parametrize("sized", [False, True])
@pytest.mark.parametrize("spec", SPECS)
def test_nothing_is_reshaped_or_copied_twice(spec: str, sized: bool) -> None:
    sizes = {letter: 20 for letter in spec if letter.isalpha()} if sized else {}
    assert made_once(eingrad.generate(spec, sizes=sizes))


@given(case=cases())
@searched(300)
def test_nothing_of_random_specs_is_reshaped_or_copied_twice(case: Case) -> None:
    options: dict[str, Any] = {"operands": case.operands, "sizes": case.sizes}
    made_once(eingrad.generate(case.spec, complex=case.complex, **options))


def test_the_pullback_reads_the_copy_that_forward_made() -> None:
    # Made for one of them alone, the copy would not be worth its time.
    text = eingrad.generate("ac,ac,bac,b->cb", sizes={"a": 255, "c": 5, "b": 255})
    vjp, reverse = (
        text[text.index(f"def {name}(") :].partition("\n\n\n")[0]
        for name in ("vjp", "_reverse")
    )
    assert "    c_turned = _turned(c, (2, 0, 1))\n" in vjp
    assert "np.matmul(grad_part2_cb[:, None], c_turned)" in reverse
    assert "_turned(c, " not in reverse


def test_both_gradients_read_the_cotangent_that_was_repeated_once() -> None:
    text = eingrad.generate("ni,ni->n", sizes={"n": 20000, "i": 3})
    reverse = text[text.index("def _reverse(") :].partition("\n\n\n")[0]
    assert reverse.count(".repeat(") == 1
    assert reverse.count("np.multiply(") == 2


def test_intermediates_are_held_as_matrices_where_only_matrices_are_read() -> None:
    source = eingrad.generate("ab,bcd,de,ef->acf", optimize=[(0, 1), (0, 2), (0, 1)])
    reshaped = [
        ast.unparse(node.func.value)
        for node in expressions(source)
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
