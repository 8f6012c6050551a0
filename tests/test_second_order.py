"""Derivatives of the gradients: proven, exact on random specs, as in frameworks."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from exact import Array, integers
from hypothesis import given
from hypothesis import strategies as st
from peers import ACTIVATIONS, FRAMEWORKS, Jax, Torch, assert_close, layers
from strategies import Case, cases, searched
from test_layers import IDS, SPECS

import eingrad
from eingrad import oracle
from eingrad.proof.interface import examine
from eingrad.proof.truth import Known, Point, truth


@pytest.mark.parametrize(("spec", "options"), SPECS, ids=IDS)
def test_second_order_is_exact(spec: str, options: dict[str, Any]) -> None:
    report = eingrad.check(eingrad.load(spec, order=2, **options))
    assert report.ok, str(report)
    assert report.error_probability is not None


@pytest.mark.parametrize("convention", ["adjoint", "transpose"])
@pytest.mark.parametrize("spec", ["i->i", "ij,jk->ik", "ab,b,abc->ca", "ij,jk,kl,l->i"])
def test_einsums_of_one_to_four_operands(spec: str, convention: str) -> None:
    report = eingrad.check(eingrad.load(spec, order=2, complex=convention))
    assert report.ok, str(report)


@pytest.mark.parametrize("wrt", [("a", "b"), ("b", "a"), ("b",)])
def test_cotangents_come_in_the_order_of_the_gradients(wrt: tuple[str, ...]) -> None:
    report = eingrad.check(eingrad.load("ij,jk->ik", order=2, wrt=wrt))
    assert report.ok, str(report)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu:0.5"])
def test_a_second_derivative_of_0_takes_no_work(activation: str) -> None:
    text = eingrad.generate("bi,ij->bj", bias="j", activation=activation, order=2)
    hvp = text[text.index("def hvp(") :].partition("\n\n\n")[0]
    assert hvp.count(".dot(") == 3
    assert "_d2(" not in text


@st.composite
def biased(draw: st.DrawFn) -> tuple[Case, str | None, tuple[bool, ...]]:
    """Draw a case, and a bias of some of its output's indices, some of size 1."""
    # The reference takes arrays alone, and a product of two objects is none.
    case = draw(cases().filter(lambda case: "object" not in case.dtypes))
    terms, output = oracle.split(case.spec)
    # An ellipsis that no operand has stands for nothing.
    known = {*itertools.chain(*terms), *case.sizes}
    held = dict.fromkeys(index for index in output if index in known)
    chosen = draw(st.lists(st.sampled_from([*held]), unique=True)) if held else []
    bias = "".join(chosen) if draw(st.booleans()) else None
    single = draw(st.lists(st.booleans(), min_size=8, max_size=8))
    return case, bias, tuple(single)


def shape_of_bias(
    case: Case, bias: str, single: tuple[bool, ...], output: Array
) -> tuple[int, ...]:
    """Return the output's sizes at the indices of the bias, or 1 where it is single."""
    by_name = dict(zip(case.distinct, case.shapes, strict=True))
    ranks = [len(by_name[name]) for name in case.operands]
    indices = oracle.resolve(case.spec, ranks)[1]
    sizes = dict(zip(indices, output.shape, strict=True))
    dots = [index for index in sizes if index.startswith(oracle.ELLIPSIS)]
    ((term,), _) = oracle.split(f"{bias}->")
    held = [
        i for index in term for i in (dots if index == oracle.ELLIPSIS else [index])
    ]
    pairs = zip(held, itertools.cycle(single))
    return tuple(1 if one else sizes[index] for index, one in pairs)


@given(drawn=biased())
@searched(60)
def test_random_specs_equal_brute_force(
    drawn: tuple[Case, str | None, tuple[bool, ...]],
) -> None:
    case, bias, single = drawn
    arrays = case.arrays()
    rng = np.random.default_rng(case.seed + 1)
    by_name = dict(zip(case.distinct, arrays, strict=True))
    places = [by_name[name] for name in case.operands]
    output = oracle.einsum(case.spec, places, case.sizes)
    names = [*case.distinct]
    if bias is not None:
        shape = shape_of_bias(case, bias, single, output)
        arrays.append(integers(rng, shape, case.dtypes[0]))
        names.append("bias")
    module = eingrad.load(
        case.spec,
        operands=case.operands,
        complex=case.complex,
        sizes=case.sizes,
        bias=bias,
        wrt=[name for name in names if rng.integers(4)] or names,
        order=2,
    )
    compare(module, dict(zip(names, arrays, strict=True)), output.shape, rng)


def compare(
    module: Any,
    primals: Mapping[str, Array],
    shape: tuple[int, ...],
    rng: np.random.Generator,
) -> None:
    """Assert that every function equals brute force exactly, at drawn tangents."""
    arrays = tuple(primals.values())
    dtype = np.result_type(*(array.dtype for array in arrays))
    grad = integers(rng, shape, str(dtype))
    tangents = {n: integers(rng, a.shape, str(a.dtype)) for n, a in primals.items()}
    subject = examine(module)
    known = truth(subject, Point(primals, tangents, grad), grad.size)
    along, given = (
        tuple(tangents.values()),
        tuple(tangents[n] for n in subject.gradients),
    )
    kept = [array.copy() for array in (*arrays, *along, grad)]

    equal([module.forward(*arrays)], [known.primal.output])
    gradients = of_names(subject.gradients, known.primal.gradients)
    equal(module.backward(grad, *arrays), gradients)
    equal(module.vjp(*arrays)[1](grad), gradients)
    equal(module.jvp(arrays, along), [known.primal.output, known.tangent.output])
    products = of_names(subject.gradients, known.tangent.gradients)
    equal(module.hvp(arrays, grad, along), products)
    partial = of_names(subject.gradients, known.partial.gradients)
    found = module.double_backward(given, grad, *arrays)
    equal(found, [known.partial.output, *partial])

    for array, before in zip((*arrays, *along, grad), kept, strict=True):
        np.testing.assert_array_equal(array, before)


def of_names(names: tuple[str, ...], known: Mapping[str, Known]) -> list[Known]:
    return [known[name] for name in names]


def equal(found: tuple[Array, ...] | list[Array], expected: list[Known]) -> None:
    for array, known in zip(found, expected, strict=True):
        assert type(array) is np.ndarray
        assert array.shape == known.value.shape
        np.testing.assert_array_equal(array, known.value)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_hvp_is_a_difference_of_gradients(activation: str) -> None:
    """Central differences of ``backward``, with the term of order h**2 removed."""
    for layer, grad, arrays, tangents in layers(activation, biased=True):
        module = eingrad.load(
            layer.spec, bias=layer.bias, activation=activation, order=2
        )
        near, far = (
            slopes(module, grad, arrays, tangents, step) for step in (1e-4, 2e-4)
        )
        products = module.hvp(arrays, grad, tangents)
        for product, one, two in zip(products, near, far, strict=True):
            np.testing.assert_allclose(product, (4 * one - two) / 3, 1e-7, 1e-8)


def slopes(
    module: Any, grad: Array, arrays: list[Array], tangents: list[Array], step: float
) -> list[Array]:
    """Return the differences of the gradients along the tangents, by their length."""
    up, down = (
        module.backward(
            grad, *(a + side * t for a, t in zip(arrays, tangents, strict=True))
        )
        for side in (step, -step)
    )
    return [(one - other) / (2 * step) for one, other in zip(up, down, strict=True)]


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("with_bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.filterwarnings("ignore")
def test_frameworks_agree(
    framework: type[Torch | Jax], with_bias: bool, activation: str
) -> None:
    peer = framework()
    for layer, grad, arrays, tangents in layers(activation, biased=with_bias):
        module = eingrad.load(
            layer.spec, bias=layer.bias, activation=activation, order=2
        )
        products = module.hvp(arrays, grad, tangents)
        assert_close(products, peer.hvp(layer, arrays, grad, tangents))
        results = module.double_backward(tangents, grad, *arrays)
        expected = peer.double_backward(layer, tangents, grad, arrays)
        assert_close(results, expected)
