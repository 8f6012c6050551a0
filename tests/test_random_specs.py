"""Random specs against brute force, to the last bit: ``make fuzz N=20000`` for more."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any
from unittest import mock

import numpy as np
from exact import Array, integers
from hypothesis import given
from hypothesis import strategies as st
from strategies import Case, cases, searched

import eingrad
from eingrad import layout, oracle, pairwise, sums
from eingrad.candidate import Candidate, Problem
from eingrad.program import Program
from eingrad.spec import Subscripts


@given(case=cases())
@searched(300)
def test_module_equals_brute_force(case: Case) -> None:
    module = eingrad.load(
        case.spec, operands=case.operands, complex=case.complex, sizes=case.sizes
    )
    compare(module, case)


@given(case=cases(), seed=st.integers(0, 2**32 - 1))
@searched(300)
def test_any_candidate_in_any_layout_is_right(case: Case, seed: int) -> None:
    """What is picked is a matter of time alone: each product, sum and layout."""
    dice = random.Random(seed)

    def some_candidate(problem: Problem, *args: Any) -> Candidate:
        return dice.choice(list(pairwise.candidates(problem)))

    def some_split(problem: Problem, made: Any) -> pairwise.Split | None:
        if dice.random() < 0.5:
            return None
        ways = list(pairwise.candidates(problem))
        large, small = dice.choice(ways), dice.choice(ways)
        return pairwise.Split(large, small, problem.wanted, dice.randrange(9))

    def some_stage(
        order: Subscripts, kept: Subscripts, sizes: Any, **options: Any
    ) -> sums.Stage:
        return dice.choice(list(sums._stages(order, kept, sizes)))

    def some_layouts(program: Program, sizes: Any) -> dict[str, tuple[int, ...]]:
        layouts = layout._Layouts(program, sizes)
        for name in layouts.writer:
            axes = list(layouts.order[name])
            dice.shuffle(axes)
            layouts.order[name] = tuple(axes)
        return {value: layouts.axes(value) for value in layouts.leader}

    with (
        mock.patch.object(pairwise, "choose", some_candidate),
        mock.patch.object(pairwise, "split", some_split),
        mock.patch("eingrad.sums.first_stage", some_stage),
        mock.patch("eingrad.lower.choose_layouts", some_layouts),
    ):
        module = eingrad.load(
            case.spec, operands=case.operands, complex=case.complex, sizes=case.sizes
        )
    compare(module, case)


def compare(module: Any, case: Case) -> None:
    """Assert that all four functions equal the oracle's results exactly."""
    arrays = case.arrays()
    kept = [array.copy() for array in arrays]
    named = dict(zip(case.distinct, arrays, strict=True))
    places = [named[name] for name in case.operands]
    rng = np.random.default_rng(case.seed + 1)

    output = oracle.einsum(case.spec, places, case.sizes)
    assert_result(module.forward(*arrays), output, arrays)

    grad = integers(rng, output.shape, str(output.dtype))
    expected = expected_gradients(case, places, grad)
    for found in (
        module.backward(grad, *arrays),
        module.vjp(*arrays)[1](grad),
    ):
        assert len(found) == len(expected)
        for gradient, total, array in zip(found, expected, arrays, strict=True):
            assert_result(gradient, total, [*arrays, grad])
            if array.dtype.kind in "fc":
                assert gradient.dtype == array.dtype
    assert_result(module.vjp(*arrays)[0], output, arrays)

    tangents = [integers(rng, a.shape, str(a.dtype)) for a in arrays]
    of_name = dict(zip(case.distinct, tangents, strict=True))
    along = [of_name[name] for name in case.operands]
    primal, tangent = module.jvp(arrays, tangents)
    assert_result(primal, output, arrays)
    assert_result(tangent, oracle.jvp(case.spec, places, along, case.sizes), arrays)
    for array, before in zip(arrays, kept, strict=True):
        np.testing.assert_array_equal(array, before)


def expected_gradients(case: Case, places: list[Array], grad: Array) -> list[Array]:
    """Add up the gradients of the places that hold one array."""
    conjugate = case.complex == "adjoint"
    each = oracle.gradients(case.spec, places, grad, case.sizes, conjugate=conjugate)
    return [
        np.sum(
            [g for g, n in zip(each, case.operands, strict=True) if n == name], axis=0
        )
        for name in case.distinct
    ]


def assert_result(found: Array, expected: Any, inputs: Sequence[Array]) -> None:
    """Assert equality to the last bit, and memory of its own."""
    assert type(found) is np.ndarray
    assert found.shape == np.shape(expected)
    np.testing.assert_array_equal(found, expected)
    assert found.flags.writeable
    assert not any(np.may_share_memory(found, array) for array in inputs)
