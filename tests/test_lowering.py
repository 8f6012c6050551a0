"""Every primitive that a product may be lowered to, forced, against brute force."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from exact import case, compare_at, integers

import eingrad
from eingrad import cost, pairwise
from eingrad.array_program import Ref
from eingrad.candidate import Problem
from eingrad.errors import InternalError
from eingrad.lower import lower
from eingrad.views import Source

PRIMITIVES = (
    *("dot", "matmul", "blocks", "added", "into"),
    *("multiply", "repeated", "einsum"),
)

CASES = [
    case("ij,jk->ik", (2, 3), (3, 5)),
    case("ij,jk->ki", (2, 3), (3, 5)),
    case("ji,kj->ik", (3, 2), (5, 3)),
    case("ij,j->i", (2, 3), (3,)),
    case("i,i->", (5,), (5,)),
    case("i,j->ij", (2, 3)[:1], (3,)),
    case("i,j->ji", (2,), (3,)),
    case("ij,ij->ij", (2, 3), (2, 3)),
    case("ij,ij->ji", (2, 3), (2, 3)),
    case("ac,bd->abcd", (2, 3), (4, 5)),
    case("dcb,ca->abcd", (2, 3, 4), (3, 5)),
    case("bd,ace->abcde", (2, 3), (4, 5, 2)),
    case("ij,ji->", (2, 3), (3, 2)),
    case(",ij->ji", (), (2, 3)),
    case(",->", (), ()),
    case("bij,bjk->bik", (2, 3, 5), (2, 5, 7)),
    case("bij,bjk->ibk", (2, 3, 5), (2, 5, 7)),
    case("bij,bjk->ikb", (2, 3, 5), (2, 5, 7)),
    case("bij,bj->bi", (2, 3, 5), (2, 5)),
    case("bi,bi->b", (2, 3), (2, 3)),
    case("bqhd,bkhd->bhqk", (2, 3, 2, 5), (2, 4, 2, 5)),
    # The stack lies otherwise than it is wanted, in both operands alike.
    case("baij,bajk->abik", (2, 3, 5, 4), (2, 3, 4, 2)),
    case("bhqk,bkhd->bqhd", (2, 2, 3, 4), (2, 4, 2, 5)),
    case("bot,bct->oc", (3, 2, 4), (3, 5, 4)),
    case("bhot,bhct->co", (2, 3, 2, 4), (2, 3, 5, 4)),
    case("gabot,gbaxct->goxc", (2, 3, 2, 2, 3), (2, 2, 3, 2, 2, 3)),
    case("bat,btac->c", (2, 3, 4), (2, 4, 3, 2)),
    case("ijk,jil->kl", (2, 3, 4), (3, 2, 5)),
    case("aibj,jcid->abcd", (2, 3, 2, 2), (2, 3, 3, 2)),
    case("aibj,jcid->dacb", (2, 3, 2, 2), (2, 3, 3, 2)),
    case("ijk,ijk->", (2, 3, 4), (2, 3, 4)),
    case("ij,kj->ik", (2, 3), names="x,x"),
    case("ijk,jr,kr->ir", (2, 3, 5), (3, 4), (5, 4)),
    case("abcde->bd", (2, 3, 2, 4, 3)),
    case("abcd->dc", (2, 3, 2, 4)),
    case("abc->", (2, 3, 2)),
    case("abc,bc->cb", (2, 0, 3), (0, 3)),
    case("ij,jk->ik", (2, 0), (0, 3)),
    case("bij,bjk->kbi", (0, 3, 2), (0, 2, 3)),
]


@pytest.mark.parametrize("primitive", PRIMITIVES)
@pytest.mark.parametrize("the_case", CASES, ids=lambda c: c.spec)
def test_forced_primitive(  # type: ignore[no-untyped-def]
    the_case, primitive: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    forced = functools.partial(lower, primitive=primitive)
    monkeypatch.setattr("eingrad.pipeline.lower", forced)
    sizes = {}
    if primitive == "blocks":
        monkeypatch.setattr(cost, "IN_PLACE", 24)
        monkeypatch.setattr(cost, "SHORT", 24)
        sizes = the_case.index_sizes
    rng = np.random.default_rng(1)
    for convention in ("adjoint", "transpose"):
        module = eingrad.load(
            the_case.spec, operands=the_case.names, complex=convention, sizes=sizes
        )
        if hasattr(module, "_in_blocks"):
            monkeypatch.setattr(module, "_ONE_THREAD", True)
        for dtype in ("int64", "float64", "complex128"):
            arrays = [integers(rng, shape, dtype) for shape in the_case.shapes]
            shape = the_case.output(arrays).shape
            compare_at(
                module,
                the_case,
                arrays,
                integers(rng, shape, dtype),
                [integers(rng, array.shape, dtype) for array in arrays],
                conjugate=convention == "adjoint",
            )


# A spec, a primitive, and what its line in ``forward`` has to have.
WRITTEN = [
    ("ij,jk->ik", "dot", "output: Array = a.dot(b, out=into)"),
    ("ij,jk->ik", "einsum", 'output: Array = np.einsum("ij,jk->ik", a, b, out=into)'),
    ("ij,ij->ij", "multiply", "output: Array = np.multiply(a, b, out=into)"),
    (
        "ik,j->ijk",
        "repeated",
        "output: Array = np.multiply(a_repeated, b_repeated, out=into)",
    ),
    ("bij,bjk->bik", "matmul", "output: Array = np.matmul(a, b, out=into)"),
    ("bij,bjk->ibk", "into", "np.matmul(a, b, out=output.transpose(1, 0, 2))"),
    (
        "bit,btj->ij",
        "added",
        'output: Array = np.einsum("bij->ij", np.matmul(a, b), out=into)',
    ),
]


@pytest.mark.parametrize(("spec", "primitive", "line"), WRITTEN)
def test_forced_primitive_is_written(
    spec: str, primitive: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    forced = functools.partial(lower, primitive=primitive)
    monkeypatch.setattr("eingrad.pipeline.lower", forced)
    assert f"    {line}\n" in eingrad.generate(spec)


def candidates(spec: str) -> list[Any]:
    inputs, output = spec.split("->")
    first, second = inputs.split(",")
    problem = Problem(
        Source(Ref("a"), tuple(first)),
        Source(Ref("b"), tuple(second)),
        tuple(output),
        {},
    )
    return list(pairwise.candidates(problem))


@pytest.mark.parametrize(
    ("spec", "primitives"),
    [
        ("ij,jk->ik", {"dot", "einsum"}),
        ("i,j->ij", {"multiply", "einsum"}),
        ("ij,ij->ij", {"multiply", "einsum"}),
        ("ij,ij->", {"dot", "einsum"}),
        ("bij,bjk->ibk", {"matmul", "into", "einsum"}),
    ],
)
def test_primitives_on_offer(spec: str, primitives: set[str]) -> None:
    offered = {candidate.primitive for candidate in candidates(spec)}
    assert primitives <= offered
    for candidate in candidates(spec):
        assert candidate.order == tuple(spec.split("->")[1])
        assert candidate.cost > 0


@pytest.mark.parametrize(
    ("size", "value"),
    [(50, "a.dot(b, out=into)"), (200, "np.matmul(a, b, out=into)")],
)
def test_large_matrices_are_multiplied_without_writing_zeros_first(
    size: int, value: str
) -> None:
    text = eingrad.generate("ij,jk->ik", sizes=dict.fromkeys("ijk", size))
    assert f"    output: Array = {value}\n" in text


def test_matrices_without_a_sum_are_left_to_blas() -> None:
    """np.matmul does not hand them on, and takes five times as long."""
    sizes = {"i": 100, "j": 100, "k": 1}
    text = eingrad.generate("ij,jk->ik", sizes=sizes)
    assert "    grad_a = grad_output.dot(b.conj().T, out=into[0])\n" in text


@pytest.mark.parametrize("sides", [("a",), ("b",), ("a", "b")])
def test_operands_may_be_copied_to_lie_as_the_result_is_wanted(
    sides: tuple[str, ...],
) -> None:
    made = [
        tuple(str(node.args[0]) for node, _ in candidate.copies)
        for candidate in candidates("bca,cd->dcab")
    ]
    assert sides in made


def test_many_small_matrices_are_copied_to_go_along_the_batch() -> None:
    text = eingrad.generate("nij,nj->ni", sizes={"n": 2000, "i": 3, "j": 3})
    assert '"ijn,jn->' in text
    assert "np.einsum" not in eingrad.generate(
        "nij,njk->nik", sizes={"n": 2000, "i": 30, "j": 30, "k": 30}
    )


@pytest.mark.parametrize(
    ("first", "second", "kept"), [("ij", "j", ""), ("ij", "j", "j"), ("i", "jk", "ij")]
)
def test_an_index_that_stands_alone_is_a_bug(
    first: str, second: str, kept: str
) -> None:
    """Sums over one argument alone come before the product."""
    with pytest.raises(InternalError):
        pairwise.ways(
            Problem(
                Source(Ref("a"), tuple(first)),
                Source(Ref("b"), tuple(second)),
                tuple(kept),
                {},
            )
        )


def test_what_only_the_pullback_reads_dies_in_forward_and_lives_in_vjp() -> None:
    text = eingrad.generate("ij,jk,kl,lm->im", optimize=[(0, 1), (0, 2), (0, 1)])
    forward = text[text.index("def forward") : text.index("def backward")]
    vjp = text[text.index("def vjp") : text.index("def jvp")]
    assert "    del part1_" in forward
    assert "del " not in vjp


@pytest.mark.parametrize(
    "spec", ["ij,jk->ik", "bij,bkj->ikb", "ij,jk,kl->li", "i,j->ij"]
)
def test_sizes_may_be_0(spec: str) -> None:
    sizes = dict.fromkeys("ijklb", 0)
    module = eingrad.load(spec, sizes={i: n for i, n in sizes.items() if i in spec})
    shapes = [(2,) * len(term) for term in spec.split("->")[0].split(",")]
    arrays = [np.ones(shape) for shape in shapes]
    expected = np.einsum(spec, *arrays)
    np.testing.assert_array_equal(module.forward(*arrays), expected)
