"""Every line of a derivation is true: both sides are computed, to the last digit."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from formulas import Worth, assignments, einsum_of, free_marks

import eingrad
from eingrad.explanation.algebra import Factor, matrix_formula
from eingrad.explanation.content import Content
from eingrad.explanation.formula import Entry, Formula, Gradient, Mark
from eingrad.explanation.formula_text import text_of
from eingrad.explanation.operand import gradient_matrix
from eingrad.explanation.place import Place
from eingrad.explanation.steps import derivation, gradient_formula
from eingrad.spec import Einsum, Subscripts, parse

SPECS = [
    "ij,jk->ik",
    "ij->ji",
    "ij->",
    "ii->",
    "ii->i",
    "i->ii",
    "i->",
    "->",
    ",->",
    ",ij->ij",
    "i,i->",
    "i,j->ij",
    "ij,ij->ij",
    "ij,ij->",
    "ij,i->ij",
    "i,ij,j->",
    "ij,jk->k",
    "ab,cd->ad",
    "ab,cd->",
    "abc,cd->ad",
    "iij->ij",
    "iii->i",
    "iij,k->i",
    "ij,j->iij",
    "nd,nn->d",
    "ij,jk,ki->",
    "ij,jk,ki->i",
    "ij,jk,kl,li->i",
    "ij,jk,ik->ik",
    "ni,n,nj->ij",
    "bij,bjk->bik",
    "bij,jk->bik",
    "bii->b",
    "ijk->kji",
    "ij,k->ijk",
    "ijk,jr,kr->ir",
    "ij,j,jk->",
    "ij,ij,ij->ij",
    "bi,oij,bj->bo",
    "ij,jk,kl,lm->im",
    "->i",
    "i->ij",
    "->ii",
]


def place(einsum: Einsum, operand: int) -> Place:
    arrays = tuple(Entry(name) for name in "ABDEF"[: len(einsum.operands)])
    none: tuple[tuple[str, ...], ...] = ((),) * len(arrays)
    return Place(einsum, operand, arrays, "C", "G", "L", none)


def places(spec: str) -> list[Place]:
    einsum = parse(spec, sizes="ij")
    return [place(einsum, k) for k in range(len(einsum.operands))]


@pytest.mark.parametrize("spec", SPECS)
def test_every_step_of_a_derivation_holds(spec: str) -> None:
    for at in places(spec):
        indices = at.einsum.indices
        worth = Worth.draw(at, {i: 2 + k % 2 for k, i in enumerate(indices)})
        steps = derivation(at)
        assert [step.title for step in steps] == [
            "Chain rule",
            "Partial derivative",
            "What survives",
            "The swap",
        ]
        for step in steps:
            (equation,) = step.formulas
            for env in assignments(free_marks(equation), worth.sizes):
                values = [worth.indexed(side, env) for side in equation.sides]
                assert len(set(map(int, values))) == 1, (step.title, env, values)


@pytest.mark.parametrize("spec", SPECS)
def test_off_the_diagonal_the_gradient_is_zero(spec: str) -> None:
    """The swapped formula gives the diagonal; the words give the rest."""
    for at in places(spec):
        worth = Worth.draw(at, dict.fromkeys(at.einsum.indices, 2))
        equation = gradient_formula(at)
        whole = np.zeros_like(worth.gradient())
        for env in assignments(free_marks(equation), worth.sizes):
            where = tuple(env[mark] for mark in equation.sides[0].of.marks)
            whole[where] = worth.indexed(equation.sides[1], env)
        np.testing.assert_array_equal(whole, worth.gradient())


def check_matrices(spec: str) -> int:
    """Compare every matrix formula of a spec with the truth; return how many it has."""
    count = 0
    for at in places(spec):
        worth = Worth.draw(at, dict.fromkeys(at.einsum.indices, 3))
        factors = [Factor(array.name) for array in at.arrays]
        forward = matrix_formula(at.einsum, factors)
        arrays = [worth.arrays[array.name, 0] for array in at.arrays]
        output = einsum_of(at.einsum, arrays, worth.sizes)
        if forward is not None:
            count += 1
            compare(worth, forward.formula, forward.fixed, at.einsum.output, output)
        gradient = gradient_matrix(at)
        if gradient is not None:
            count += 1
            body = gradient.equation.sides[1]
            compare(worth, body, gradient.fixed, at.subscripts, worth.gradient())
    return count


def compare(
    worth: Worth,
    formula: Formula,
    fixed: Subscripts,
    subscripts: Subscripts,
    expected: Any,
) -> None:
    """Compare slice by slice, along the indices that the formula holds fixed."""
    for env in assignments(tuple(map(Mark, fixed)), worth.sizes):
        values = {mark.index: value for mark, value in env.items()}
        wanted = expected[tuple(values.get(i, slice(None)) for i in subscripts)]
        found = np.asarray(worth.matrix(formula, env))
        np.testing.assert_array_equal(found.reshape(np.shape(wanted)), wanted)


@pytest.mark.parametrize("spec", SPECS)
def test_matrix_formulas_are_right(spec: str) -> None:
    check_matrices(spec)


def test_random_matrix_formulas_are_right() -> None:
    draw = random.Random(4)
    found = 0
    for _ in range(120):
        terms = [
            "".join(draw.choice("ijkl") for _ in range(draw.choice((0, 1, 2, 2, 2, 3))))
            for _ in range(draw.choice((1, 2, 3)))
        ]
        letters = sorted(set("".join(terms)))
        rank = min(len(letters), draw.choice((0, 1, 2, 2, 3)))
        output = "".join(draw.sample(letters, rank))
        found += check_matrices(f"{','.join(terms)}->{output}")
    assert found > 150


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("ij,jk->ik", ["G Bᵀ", "Aᵀ G"]),
        ("ij->ji", ["Gᵀ"]),
        ("ii->", ["G I"]),
        ("ij->", ["G 𝟏 𝟏ᵀ"]),
        ("i,j->ij", ["G B", "Gᵀ A"]),
        ("ij,ij->ij", ["G ∘ B", "A ∘ G"]),
        ("bij,bjk->bik", ["G[b] B[b]ᵀ", "A[b]ᵀ G[b]"]),
        ("bij,jk->bik", ["G[b] Bᵀ", "Σ_b A[b]ᵀ G[b]"]),
        ("ij,jk,kl->il", ["G Dᵀ Bᵀ", "Aᵀ G Dᵀ", "Bᵀ Aᵀ G"]),
        ("ij,jk,ki->", ["G Dᵀ Bᵀ", "G Aᵀ Dᵀ", "G Bᵀ Aᵀ"]),
        ("ni,n,nj->ij", ["Diag(B) D Gᵀ", "diag(A G Dᵀ)", "Diag(B) A G"]),
        ("ijkl,jm->imkl", ["B G[i,:,k,:]", "Σ_ik A[i,:,k,:] G[i,:,k,:]ᵀ"]),
        (
            "ijk,jr,kr->ir",
            ["B Diag(G[i]) Dᵀ", "diag(Gᵀ A[:,j,:] D)", "diag(Bᵀ A[:,:,k]ᵀ G)"],
        ),
        ("ijk,ia,jb,kc->abc", [None, None, None, None]),
    ],
)
def test_gradients_as_matrices(spec: str, expected: list[str | None]) -> None:
    found = [gradient_matrix(at) for at in places(spec)]
    assert [f and text_of(f.equation.sides[1]) for f in found] == expected


@pytest.mark.parametrize(
    ("spec", "names", "expected"),
    [
        ("ij,kj->ik", "x,x", "(G + Gᵀ) X"),
        ("ij,jk->ik", "x,x", "G Xᵀ + Xᵀ G"),
        ("ij,ij->", "x,x", "2 g X"),
        ("i,ij,j->", "x,a,x", "g (A + Aᵀ) x"),
        ("ij,jk,ki->", "x,x,x", "3 g Xᵀ Xᵀ"),
        ("ni,n,nj->ij", "x,w,x", "Diag(w) X (G + Gᵀ)"),
        ("ij,ij->ij", "x,x", "2 (G ∘ X)"),
        ("ij,kl->ijkl", "x,x", None),
        ("ii,ij->j", "x,x", "Diag(X g) + diag(X) gᵀ"),
        ("i,j,k->ijk", "x,x,x", None),
    ],
)
def test_the_gradient_of_an_array_in_several_places(
    spec: str, names: str, expected: str | None
) -> None:
    found = eingrad.explain(spec, operands=names.split(",")).content
    (total,) = found.totals
    size, einsum = 3, parse(spec)
    operands = [operand.array for operand in found.operands]
    places = [
        Place(einsum, k, tuple(operands), *symbols_of(found), ((),) * len(operands))
        for k, array in enumerate(operands)
        if array.name == total.array.name
    ]
    worth = Worth.draw(places[0], dict.fromkeys(einsum.indices, size))
    whole = worth.arrays[operands[0].name, operands[0].place]
    for key in worth.arrays:
        if key[0] == total.array.name:
            worth.arrays[key] = whole
    worth.arrays[total.array.name, 0] = whole
    for other in operands:
        worth.arrays[other.name, 0] = worth.arrays[other.name, other.place]
    truth = sum(replace(worth, place=at, slopes={}).gradient() for at in places)
    indexed, *matrices = total.step.formulas
    if isinstance(indexed.sides[0], Gradient) and indexed.sides[0].of.marks:
        for env in assignments(free_marks(indexed), worth.sizes):
            at = tuple(env[mark] for mark in indexed.sides[0].of.marks)
            assert worth.indexed(indexed.sides[1], env) == truth[at]
    assert [text_of(m.sides[1]) for m in matrices] == [expected] * bool(expected)
    for matrix in matrices:
        value = np.asarray(worth.matrix(matrix.sides[1], {}))
        np.testing.assert_array_equal(value.reshape(truth.shape), truth)


def test_terms_that_differ_in_the_order_of_factors_are_one() -> None:
    (total,) = eingrad.explain("ij,jk,ki->", operands=["x"] * 3).content.totals
    assert text_of(total.step.formulas[0]) == "grad_X[i,j] = 3 Σ_k g X[j,k] X[k,i]"


def symbols_of(content: Content) -> tuple[str, str, str]:
    return content.output[0].name, content.cotangent[0].name, content.loss.name
