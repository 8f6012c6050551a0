"""The specs that other libraries get wrong, and those with many operands."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from exact import LAYOUTS, Array, Case, assert_result, case, compare, integers

import eingrad

# The spec as it is given; the case has it explicit; the shape of the output.
ACID: dict[int, tuple[str, Case, tuple[int, ...]]] = {
    1: ("ij,jk->ik", case("ij,jk->ik", (2, 3), (3, 4)), (2, 4)),
    2: ("abc,cd->ad", case("abc,cd->ad", (2, 3, 4), (4, 5)), (2, 5)),
    3: ("ab,cd->", case("ab,cd->", (2, 3), (4, 5)), ()),
    4: ("abc->ca", case("abc->ca", (2, 3, 4)), (4, 2)),
    5: ("ii->", case("ii->", (4, 4)), ()),
    6: ("iij->ji", case("iij->ji", (2, 2, 3)), (3, 2)),
    7: ("iii->i", case("iii->i", (3, 3, 3)), (3,)),
    8: ("iijj->", case("iijj->", (2, 2, 3, 3)), ()),
    9: ("nd,nn->d", case("nd,nn->d", (4, 2), (4, 4)), (2,)),
    10: (
        "ijji,kji,jj->kj",
        case("ijji,kji,jj->kj", (2, 3, 3, 2), (4, 3, 2), (3, 3)),
        (4, 3),
    ),
    11: ("iij,k->i", case("iij,k->i", (2, 2, 3), (4,)), (2,)),
    12: ("ba", case("ba->ab", (2, 3)), (3, 2)),
    13: ("aB,BC", case("aB,BC->Ca", (2, 3), (3, 4)), (4, 2)),
    14: (
        "...ij,...jk->...ik",
        case("...ij,...jk->...ik", (1, 2, 3), (5, 3, 4)),
        (5, 2, 4),
    ),
    15: ("...ij,...j->...i", case("...ij,...j->...i", (4, 1, 2, 3), (5, 3)), (4, 5, 2)),
    16: ("i...,i...->i...", case("i...,i...->i...", (2, 3, 4), (2, 4)), (2, 3, 4)),
    17: ("...i,...i->i", case("...i,...i->i", (2, 3), (2, 3)), (3,)),
    18: ("ij,jk->ik", case("ij,jk->ik", (2, 1), (3, 4)), (2, 4)),
    19: ("ij,i->", case("ij,i->", (1, 4), (3,)), ()),
    20: ("ii,i->i", case("ii,i->i", (1, 1), (3,)), (3,)),
    21: (",ij->ij", case(",ij->ij", (), (2, 3)), (2, 3)),
    22: ("ij,jk->ik", case("ij,jk->ik", (2, 0), (0, 3)), (2, 3)),
    23: ("i,i->i", case("i,i->i", (1,), (0,)), (0,)),
    24: ("ij,j->iij", case("ij,j->iij", (2, 3), (3,)), (2, 2, 3)),
    25: ("αβ,βγ->αγ", case("αβ,βγ->αγ", (2, 3), (3, 4)), (2, 4)),
}

MANY: dict[str, Case] = {
    "matrix product state": case(
        "a,aib,bjc,ckd,d->ijk", (2,), (2, 3, 3), (3, 2, 2), (2, 4, 3), (3,)
    ),
    "Tucker": case("ijk,ia,jb,kc->abc", (2, 3, 4), (2, 3), (3, 2), (4, 2)),
    "MTTKRP": case("ijk,jr,kr->ir", (2, 3, 5), (3, 4), (5, 4)),
    "three hold b": case("bi,bj,bk->ijk", (3, 2), (3, 4), (3, 5)),
    "a triangle of one array": case("ij,jk,ki->", (3, 3), names="x,x,x"),
    "attention scores": case("bqhd,bkhd->bhqk", (2, 3, 2, 4), (2, 5, 2, 4)),
    "a sum alone in each": case("ij,kl,mn->", (2, 3), (3, 2), (2, 2)),
    "one array and another": case("ij,jk,kl->il", (3, 3), (3, 3), names="x,y,x"),
    "scalars": case(",,->", (), (), ()),
    "new and repeated outputs": case("ij,jk->zikiz", (2, 3), (3, 2), z=2),
    "five dots": case(
        "...i,j...,...,...k,...->k...j", (2, 3, 2), (3, 1, 3), (3,), (2, 1, 2), ()
    ),
}

DTYPES = {
    "int64": ("int64", "adjoint"),
    "float64": ("float64", "adjoint"),
    "complex128 adjoint": ("complex128", "adjoint"),
    "complex128 transpose": ("complex128", "transpose"),
}

CASES = {f"{n}: {given}": (given, c) for n, (given, c, _) in ACID.items()} | {
    name: (c.spec, c) for name, c in MANY.items()
}


@functools.cache
def module_of(
    spec: str, names: Sequence[str], complex: str, sizes: Sequence[tuple[str, int]]
) -> Any:
    return eingrad.load(spec, operands=names, complex=complex, sizes=dict(sizes))


def load(spec: str, case: Case, complex: str = "adjoint") -> Any:
    return module_of(spec, case.names, complex, tuple(case.sizes.items()))


def draw(case: Case, dtype: str, layout: str, seed: int = 1) -> list[Array]:
    rng = np.random.default_rng(seed)
    return [LAYOUTS[layout](integers(rng, shape, dtype)) for shape in case.shapes]


@pytest.mark.parametrize("number", ACID)
def test_acid_output_has_its_shape(number: int) -> None:
    given, case, shape = ACID[number]
    arrays = draw(case, "float64", "plain")
    assert load(given, case).forward(*arrays).shape == shape


@pytest.mark.parametrize("number", ACID)
def test_spec_of_the_module_is_canonical(number: int) -> None:
    given, case, _ = ACID[number]
    assert load(given, case).SPEC == case.spec


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CASES)
def test_equals_brute_force(name: str, dtype: str, layout: str) -> None:
    given, case = CASES[name]
    kind, convention = DTYPES[dtype]
    arrays = draw(case, kind, layout)
    module = load(given, case, convention)
    compare(module, case, arrays, conjugate=convention == "adjoint")


@pytest.mark.parametrize("name", CASES)
def test_pullback_serves_many_cotangents(name: str) -> None:
    given, case = CASES[name]
    arrays = draw(case, "float64", "plain")
    output, pullback = load(given, case).vjp(*arrays)
    rng = np.random.default_rng(2)
    cotangents = [integers(rng, output.shape, "float64") for _ in range(2)]
    output[...] = 7
    for cotangent in [*cotangents, cotangents[0]]:
        gradients = pullback(cotangent)
        expected = case.gradients(arrays, cotangent, conjugate=True)
        for gradient, right in zip(gradients, expected, strict=True):
            assert_result(gradient, right)
            gradient[...] = 7


def test_chain_of_24_matrices() -> None:
    letters = "abcdefghijklmnopqrstuvwxy"
    sizes = [2, 3, 2, 1, 3, 2, 2, 3, 1, 2, 3, 2] * 2 + [3]
    terms = [a + b for a, b in itertools.pairwise(letters)]
    module = eingrad.load(f"{','.join(terms)}->ay")
    rng = np.random.default_rng(3)
    shapes = list(itertools.pairwise(sizes))
    for dtype in ("int64", "float64", "complex128"):
        matrices = [integers(rng, shape, dtype, reach=1) for shape in shapes]
        cotangent = integers(rng, (2, 3), dtype, reach=1)
        output = functools.reduce(np.matmul, matrices)
        assert_result(module.forward(*matrices), output, matrices)
        expected = [chain_gradient(matrices, k, cotangent) for k in range(24)]
        for found in (
            module.backward(cotangent, *matrices),
            module.vjp(*matrices)[1](cotangent),
        ):
            for gradient, right in zip(found, expected, strict=True):
                assert_result(gradient, right, [*matrices, cotangent])
        tangents = [integers(rng, shape, dtype, reach=1) for shape in shapes]
        primal, tangent = module.jvp(matrices, tangents)
        assert_result(primal, output)
        assert_result(tangent, chain_tangent(matrices, tangents), matrices)


def chain_gradient(matrices: list[Array], k: int, cotangent: Array) -> Array:
    """dL/dM = Pᴴ g Sᴴ, with P the product before M and S the product after it."""
    rows, columns = matrices[k].shape
    before = functools.reduce(np.matmul, matrices[:k], np.eye(2, dtype=cotangent.dtype))
    after = functools.reduce(
        np.matmul, matrices[k + 1 :], np.eye(columns, dtype=cotangent.dtype)
    )
    assert before.shape == (2, rows)
    return before.conj().T @ cotangent @ after.conj().T


def chain_tangent(matrices: list[Array], tangents: list[Array]) -> Array:
    chains = [
        [*matrices[:k], tangent, *matrices[k + 1 :]]
        for k, tangent in enumerate(tangents)
    ]
    return np.sum([functools.reduce(np.matmul, chain) for chain in chains], axis=0)


LETTERS = "".join(map(chr, range(0x3B1, 0x3CA))) + "".join(
    map(chr, range(0x430, 0x44D))
)


@pytest.mark.parametrize("dtype", ["int64", "float64", "complex128"])
def test_outer_product_of_54_vectors(dtype: str) -> None:
    assert len(LETTERS) == 54
    module = eingrad.load(f"{','.join(LETTERS)}->{LETTERS}")
    rng = np.random.default_rng(4)
    shapes = [(2,) if k % 6 == 0 else (1,) for k in range(54)]
    vectors = [integers(rng, shape, dtype, reach=1) for shape in shapes]
    for vector in vectors:
        vector[vector == 0] = 1
    outer = functools.reduce(np.multiply.outer, vectors)
    case = Case(module.SPEC, tuple(shapes), module.OPERANDS)
    assert_result(module.forward(*vectors), outer, vectors)
    compare(module, case, vectors, conjugate=True)


def test_inner_product_of_54_vectors_over_54_indices() -> None:
    """One operand holds 54 indices: more than np.einsum has letters for."""
    module = eingrad.load(
        f"{LETTERS},{','.join(LETTERS)}->", sizes=dict.fromkeys("α", 2)
    )
    rng = np.random.default_rng(5)
    shapes = [(2,) if k % 6 == 0 else (1,) for k in range(54)]
    tensor = integers(rng, tuple(n for (n,) in shapes))
    vectors = [np.ones(shape, "int64") * (1 + k % 2) for k, shape in enumerate(shapes)]
    case = Case(module.SPEC, (tensor.shape, *shapes), module.OPERANDS)
    compare(module, case, [tensor, *vectors], conjugate=True)


def test_24_operands_that_share_one_index() -> None:
    module = eingrad.load(f"{','.join('i' * 24)}->i")
    rng = np.random.default_rng(6)
    vectors = [integers(rng, (5,), "float64", reach=2) for _ in range(24)]
    case = Case(module.SPEC, ((5,),) * 24, module.OPERANDS)
    compare(module, case, vectors, conjugate=True)


def test_rank_25() -> None:
    letters = "abcdefghijklmnopqrstuvwxy"
    shape = tuple(2 if k % 3 == 0 else 1 for k in range(25))
    module = eingrad.load(f"{letters},{letters[::2]}->{letters[::-1]}")
    rng = np.random.default_rng(7)
    arrays = [integers(rng, shape, "float64"), integers(rng, shape[::2], "float64")]
    case = Case(module.SPEC, (shape, shape[::2]), module.OPERANDS)
    compare(module, case, arrays, conjugate=True)
