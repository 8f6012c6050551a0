"""Copies are made where they save time for all that read them, once."""

from __future__ import annotations

import numpy as np
import pytest
from exact import integers

import eingrad
from eingrad.array_program import ArrayOp, Node, Ref
from eingrad.candidate import Candidate, written
from eingrad.copies import Choice, worth_making
from eingrad.loading import load_text
from eingrad.options import Options
from eingrad.pipeline import derive
from eingrad.request import read_request

COPY = Node(ArrayOp.COPY, (Ref("a"),))
OTHER = Node(ArrayOp.COPY, (Ref("b"),))


def way(time: float, **copies: float) -> Candidate:
    forms = {"a": COPY, "b": OTHER}
    made = tuple((forms[name], taken) for name, taken in copies.items())
    value = Node(ArrayOp.DOT, (Ref("a"), Ref("b")))
    whole = time + sum(copies.values())
    return Candidate(
        "dot", written(value), ("i",), ((), ()), whole, write_copies=written(made)
    )


def choice(*ways: Candidate) -> Choice:
    return Choice(ways, min(ways, key=lambda way: way.time))


SLOW, FAST = 80_000.0, 30_000.0


@pytest.mark.parametrize(
    ("readers", "taken", "worth"),
    [
        (1, 60_000, set()),
        (2, 60_000, {COPY}),
        (2, 95_000, set()),
        (3, 95_000, {COPY}),
        # It is made by each of its readers then, and so by the first for all.
        (2, 20_000, set()),
    ],
)
def test_a_copy_is_worth_what_it_saves_all_its_readers(
    readers: int, taken: float, worth: set[Node]
) -> None:
    product = choice(way(SLOW), way(FAST, a=taken))
    assert worth_making([product] * readers) == worth


def test_a_copy_is_not_worth_making_beside_a_better_one() -> None:
    product = choice(way(SLOW), way(FAST, a=60_000.0), way(FAST, b=50_000.0))
    assert worth_making([product] * 2) == {OTHER}


def test_the_first_reader_copies_for_the_others() -> None:
    """Here np.einsum is faster for the output alone, but not with the gradient."""
    sizes = {"a": 129, "e": 31, "b": 31, "c": 5}
    text = eingrad.generate("ae,bace->cb", sizes=sizes)
    vjp, reverse = text[text.index("def vjp") :], text[text.index("def _reverse") :]
    made = "b_flat = b.transpose(2, 0, 1, 3).reshape(n_c * n_b, n_a * n_e)"
    assert f"    {made}\n" in vjp
    assert ".dot(b_flat.conj())" in reverse
    emitted = load_text(text, "emitted")
    rng = np.random.default_rng(0)
    shapes = ((129, 31), (31, 129, 5, 31), (5, 31))
    a, b, grad = (integers(rng, shape, "float64") for shape in shapes)
    output, pullback = emitted.vjp(a, b)
    grad_a, grad_b = pullback(grad)
    np.testing.assert_array_equal(output, np.einsum("ae,bace->cb", a, b))
    np.testing.assert_array_equal(grad_a, np.einsum("cb,bace->ae", grad, b))
    np.testing.assert_array_equal(grad_b, np.einsum("cb,ae->bace", grad, a))


def test_a_copy_that_is_there_makes_no_step_cost_less_than_nothing() -> None:
    """Stacks of matrices of unknown sizes are compared at several of them."""
    for spec in ("ijb,kjb->bik", "ijb,jkb,klb->bil"):
        found = derive(read_request(spec, Options()))
        assert 1e5 < found.joint.arrays.cost < 1e6
