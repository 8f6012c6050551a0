"""Layers: an einsum, a bias and an activation, proven and compared with frameworks."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from peers import ACTIVATIONS, FRAMEWORKS, Jax, Torch, assert_close, layers
from strategies import Case, cases, searched

import eingrad
from eingrad.errors import SpecError

# Every feature of the grammar, with a bias where one fits.
SPECS: list[tuple[str, dict[str, Any]]] = [
    ("bi,ij->bj", {"bias": "j"}),
    ("bi,ij->bj", {"bias": "bj"}),
    ("bi,ij->bj", {"bias": "j", "wrt": ["a"]}),
    ("bi,ij->bj", {"bias": "j", "wrt": ["bias"]}),
    ("bi->bi", {}),
    ("ij->ji", {"bias": "i"}),
    ("bij,bjk->bik", {"bias": "bk"}),
    ("abc,cd->ad", {"bias": "da"}),
    ("...i,ij->...j", {"bias": "j"}),
    ("...ij,...jk->...ik", {"bias": "...k"}),
    ("i...,i...->...", {"bias": "..."}),
    ("...i,...i->i", {"bias": "i"}),
    ("ii->i", {"bias": "i"}),
    ("i->ii", {"bias": "i"}),
    ("ij,j->iij", {"bias": "ji"}),
    ("ijji,kji,jj->kj", {"bias": "k"}),
    ("->i", {"bias": "i", "sizes": {"i": 4}}),
    ("j->iji", {"bias": "", "sizes": {"i": 3}}),
    ("j->ij", {"bias": "ij", "sizes": {"i": 0}}),
    ("ij->", {"bias": ""}),
    ("->", {"bias": ""}),
    (",ij->ij", {"bias": "j"}),
    ("ij,jk->ik", {"bias": "k", "operands": ["x", "x"]}),
    ("i,i,i->i", {"bias": "i", "operands": ["x", "y", "x"], "wrt": ["x"]}),
    ("ij,jk,kl->il", {"bias": "l", "sizes": {"i": 2, "j": 9, "k": 9, "l": 2}}),
    ("a,aib,bjc,ckd,d->ijk", {"bias": "ik"}),
    ("ai,bi,ci,di,ei,fi,gi->abcdefg", {"bias": "da"}),
]
IDS = [f"{spec} {options}" for spec, options in SPECS]


@pytest.mark.parametrize(("spec", "options"), SPECS[::4], ids=IDS[::4])
def test_a_bias_is_exact(spec: str, options: dict[str, Any]) -> None:
    report = eingrad.check(eingrad.load(spec, **options))
    assert report.ok, str(report)
    assert report.error_probability is not None


def test_a_gradient_that_equals_the_cotangent_has_memory_of_its_own() -> None:
    # Of so many factors none is conjugated: the cotangent is, and the gradients are.
    module = eingrad.load("i,ij,jk,kl,l->", bias="")
    cotangent = np.array(2.0)
    *_, found = module.backward(
        cotangent, *(np.ones((2,) * rank) for rank in (1, 2, 2, 2, 1, 0))
    )
    assert found == cotangent
    assert not np.shares_memory(found, cotangent)


@pytest.mark.parametrize(
    ("spec", "options", "activation"),
    [(*row, name) for row, name in zip(SPECS, itertools.cycle(ACTIVATIONS))],
    ids=IDS,
)
def test_activations_are_checked(
    spec: str, options: dict[str, Any], activation: str
) -> None:
    module = eingrad.load(spec, activation=activation, order=2, **options)
    report = eingrad.check(module)
    assert report.ok, str(report)
    assert report.error_probability is None


@given(case=cases(), data=st.data())
@searched(40)
def test_random_layers_are_checked(case: Case, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, len(case.distinct)))
    module = eingrad.load(
        case.spec,
        operands=case.operands,
        sizes=case.sizes,
        wrt=data.draw(st.permutations(case.distinct))[:count],
        activation="relu",
        order=2,
    )
    report = eingrad.check(module)
    assert report.ok, str(report)


@given(case=cases())
@searched(40)
def test_longer_floats_are_computed_in_float64(case: Case) -> None:
    module = eingrad.load(
        case.spec,
        operands=case.operands,
        sizes=case.sizes,
        activation="tanh",
        order=2,
    )
    drawn = [array.real for array in case.arrays()]
    wide, plain = ([x.astype(t) for x in drawn] for t in ("longdouble", "float64"))
    output, pullback = module.vjp(*wide)
    one = np.ones_like(output)
    grad = one.astype("float64")
    expected, pull_back = module.vjp(*plain)
    pairs = [
        ([output, *pullback(one)], [expected, *pull_back(grad)]),
        (module.backward(one, *wide), module.backward(grad, *plain)),
        (module.jvp(wide, wide), module.jvp(plain, plain)),
        (module.hvp(wide, one, wide), module.hvp(plain, grad, plain)),
        (
            module.double_backward(wide, one, *wide),
            module.double_backward(plain, grad, *plain),
        ),
    ]
    for found, known in pairs:
        for one, other in zip(found, known, strict=True):
            assert one.dtype == np.longdouble
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("spec", ["ij->ji", "kik->ik", "...ij->ij...", "ii->ii"])
def test_an_activation_of_what_is_only_seen_otherwise(spec: str) -> None:
    """Results are written where they are asked for, and read nothing from there."""
    module = eingrad.load(spec, activation="relu", order=2)
    report = eingrad.check(module)
    assert report.ok, str(report)


@pytest.mark.parametrize("cotangent", ["int8", "float16", "float32", "float64"])
@pytest.mark.parametrize("operand", ["bool", "uint8", "int16", "int64", "float16"])
def test_backward_computes_as_the_pullback_does(operand: str, cotangent: str) -> None:
    module = eingrad.load("i->i", activation="tanh")
    x, g = np.array([0, 1, 3]).astype(operand), np.ones(3, cotangent)
    (found,) = module.backward(g, x)
    (expected,) = module.vjp(x)[1](g)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_an_ellipsis_of_a_bias_is_that_of_the_output() -> None:
    """With shapes too, where the first operand has the fewest of its axes."""
    x, y, bias = np.ones((3, 5)), np.ones((2, 3, 3)), np.arange(18).reshape(2, 3, 3)
    spec = "...i,...->...i"
    y = y[..., :1].repeat(3, axis=-1)
    expected = eingrad.load(spec, bias="...").forward(x, y, bias)
    shapes = [x.shape, y.shape]
    found = eingrad.load(spec, bias="...", shapes=shapes).forward(x, y, bias)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("activation", [*ACTIVATIONS, "leaky_relu", "leaky_relu:-3"])
@pytest.mark.parametrize("erf", ["numpy", "scipy"])
def test_every_activation_is_checked(activation: str, erf: str) -> None:
    if erf == "scipy":
        pytest.importorskip("scipy")
    report = eingrad.check("bi,ij->bj", bias="j", activation=activation, erf=erf)
    assert report.ok, str(report)


@pytest.mark.parametrize(
    ("spec", "output"), [("ij,jk,kl->il", "part1"), ("ij,k->jk", "sum_a")]
)
def test_the_output_may_be_called_as_a_step_is(spec: str, output: str) -> None:
    module = eingrad.load(spec, output=output, bias="", activation="relu", order=2)
    report = eingrad.check(module)
    assert report.ok, str(report)


def test_a_given_size_of_1_does_not_give_way_to_the_bias() -> None:
    module = eingrad.load("i->iz", bias="z", sizes={"z": 1})
    assert module.forward(np.ones(2), np.ones(1)).shape == (2, 1)
    culprit = "index 'z' has size 4 on axis 0 of operand 'bias', but size 1 on the out"
    with pytest.raises(ValueError, match=culprit):
        module.forward(np.ones(2), np.ones(4))
    with pytest.raises(ValueError, match=culprit):
        module.backward(np.ones((2, 4)), np.ones(2), np.ones(4))


def test_a_scalar_bias_is_named() -> None:
    module = eingrad.load("ij->", bias="", activation="relu")
    assert "``relu(ij-> + bias)``" in module.forward.__doc__


def test_an_index_that_the_output_lacks_is_pointed_at() -> None:
    with pytest.raises(SpecError) as caught:
        eingrad.generate("i->zz", bias="i", sizes={"z": 2})
    assert str(caught.value) == (
        "index 'i' is not in the output\n  i\n  ^\n  the output has z"
    )


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("biased", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.filterwarnings("ignore")
def test_frameworks_agree(
    framework: type[Torch | Jax], biased: bool, activation: str
) -> None:
    peer = framework()
    for layer, grad, arrays, _ in layers(activation, biased):
        module = eingrad.load(layer.spec, bias=layer.bias, activation=activation)
        output, pullback = module.vjp(*arrays)
        gradients = pullback(grad)
        assert_close([output], [peer.forward(layer, arrays)])
        assert_close(gradients, peer.backward(layer, grad, arrays))
