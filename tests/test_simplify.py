"""What is shared, factored and dropped, as programs before and after."""

from __future__ import annotations

import itertools

import numpy as np
from exact import integers
from stages import forward, step, value

from eingrad import interpret
from eingrad.differentiate import forward_mode, reverse_mode
from eingrad.program import Add, Conj, Program, Step, verify
from eingrad.simplify import drop_unused, factor_sums, merge_equal, simplify
from eingrad.spec import Einsum


def program(*steps: Step, inputs: str, outputs: str) -> Program:
    return Program(
        tuple(map(value, inputs.split())), steps, tuple(map(value, outputs.split()))
    )


def lines(program: Program) -> list[str]:
    verify(program)
    return [str(step) for step in program.steps]


def test_steps_that_no_output_needs_are_dropped() -> None:
    before = program(
        step("b[i]", Conj(), "a[i]"),
        step("c[i]", Conj(), "b[i]"),
        step("d[i]", Conj(), "a[i]"),
        inputs="a[i]",
        outputs="c[i]",
    )
    assert lines(drop_unused(before)) == ["b[i] = conj (a)", "c[i] = conj (b)"]


def test_equal_steps_are_shared() -> None:
    before = program(
        step("c[ik]", "ij,jk->ik", "a[ij]", "b[jk]"),
        step("d[ik]", "pq,qr->pr", "a[ij]", "b[jk]"),
        step("e[ik]", "jk,ij->ik", "b[jk]", "a[ij]"),
        step("f[ik]", Add(), "c[ik]", "d[ik]"),
        step("g[ik]", Add(), "e[ik]", "c[ik]"),
        step("h[ik]", Conj(), "f[ik]"),
        step("i[ik]", Conj(), "g[ik]"),
        inputs="a[ij] b[jk]",
        outputs="h[ik] i[ik]",
    )
    after = merge_equal(before)
    assert lines(after) == [
        "c[ik] = einsum ij,jk->ik (a, b)",
        "f[ik] = add (c, c)",
        "h[ik] = conj (f)",
        # Two outputs are two arrays.
        "i[ik] = einsum ik->ik (h)",
    ]
    assert after.outputs == before.outputs


def test_two_outputs_that_equal_another_step_are_two_arrays() -> None:
    before = program(
        step("b[i]", Conj(), "a[i]"),
        step("c[i]", Conj(), "a[i]"),
        step("d[i]", Conj(), "a[i]"),
        inputs="a[i]",
        outputs="c[i] d[i]",
    )
    after = merge_equal(before)
    assert lines(after) == ["b[i] = conj (a)", "d[i] = einsum i->i (b)"]
    assert after.outputs == (value("b[i]"), value("d[i]"))


def test_new_indices_of_two_sizes_are_not_shared() -> None:
    before = program(
        step("b[ij]", Einsum((("i",),), ("i", "j")), "a[i]"),
        step("c[ik]", Einsum((("i",),), ("i", "k")), "a[i]"),
        inputs="a[i]",
        outputs="b[ij] c[ik]",
    )
    assert merge_equal(before) == before


def test_different_steps_are_not_shared() -> None:
    before = program(
        step("c[ij]", "ij,ij->ij", "a[ij]", "b[ij]"),
        step("d[ij]", "ij,ji->ij", "a[ij]", "b[ij]"),
        step("e[ij]", "ij,ij->ji", "a[ij]", "b[ij]"),
        step("f[ij]", "ji,ij->ij", "a[ij]", "b[ij]"),
        step("g[ij]", "ij,ij->ij", "a[ij]", "a[ij]"),
        step("h[ij]", "ij,ji->ij", "a[ij]", "a[ij]"),
        inputs="a[ij] b[ij]",
        outputs="c[ij] d[ij] e[ij] f[ij] g[ij] h[ij]",
    )
    # f is e: ji,ij->ij is ij,ji->ji, not ij,ij->ji.
    assert merge_equal(before).steps == before.steps


def joint(spec: str, names: str, wrt: list[str]) -> Program:
    first = forward(spec, names)
    reverse = reverse_mode(first, wrt, adjoint=False)
    outputs = (*first.outputs, *reverse.outputs)
    return Program(reverse.inputs, reverse.steps, outputs)


def test_the_gradient_of_a_gram_matrix_is_one_product() -> None:
    """G x + gᵀ x is (g + gᵀ) x."""
    assert lines(simplify(joint("ij,kj->ik", "x,x", ["x"]))) == [
        "out[ik] = einsum ij,kj->ik (x, x)",
        "grad_out_turned[ik] = einsum ki->ik (grad_out)",
        "grad_out_both[ik] = add (grad_out, grad_out_turned)",
        "grad_x_3[ij] = einsum ik,kj->ij (grad_out_both, x)",
    ]


def test_the_gradient_of_a_square_is_computed_once() -> None:
    assert lines(simplify(joint("ij,ij->", "x,x", ["x"]))) == [
        "out[] = einsum ij,ij-> (x, x)",
        "grad_x[ij] = einsum ,ij->ij (grad_out, x)",
        "grad_x_3[ij] = add (grad_x, grad_x)",
    ]


def test_a_sum_without_symmetry_stays() -> None:
    before = joint("ij,jk->ik", "x,x", ["x"])
    products = [s for s in simplify(before).steps if len(s.arguments) == 2]
    assert len(products) == 4


def test_a_part_that_is_read_elsewhere_is_not_factored_away() -> None:
    before = program(
        step("p[ij]", "ik,kj->ij", "g[ik]", "x[kj]"),
        step("q[ij]", "ki,kj->ij", "g[ik]", "x[kj]"),
        step("s[ij]", Add(), "p[ij]", "q[ij]"),
        inputs="g[ik] x[kj]",
        outputs="s[ij] p[ij]",
    )
    assert factor_sums(before) == before


def test_an_argument_that_only_seems_symmetric_is_not_factored() -> None:
    """The other argument is turned as well: g x + gᵀ xᵀ is no such product."""
    before = program(
        step("p[ij]", "ik,kj->ij", "g[ik]", "x[kj]"),
        step("q[ij]", "ki,jk->ij", "g[ik]", "x[kj]"),
        step("s[ij]", Add(), "p[ij]", "q[ij]"),
        inputs="g[ik] x[kj]",
        outputs="s[ij]",
    )
    rng = np.random.default_rng(1)
    arrays = [integers(rng, (3, 3)), integers(rng, (3, 3))]
    (found,) = interpret.run(simplify(before), arrays)
    np.testing.assert_array_equal(
        found, arrays[0] @ arrays[1] + arrays[0].T @ arrays[1].T
    )


TURNED = [
    (f"ijk,{''.join(axes)},{other}->{output}", "x,x,y")
    for axes in itertools.permutations("ijk")
    for other in ("", "i", "jk")
    for output in ("", "i", "ij", "ijk")
]


def test_meaning_is_kept() -> None:
    rng = np.random.default_rng(2)
    for spec, names in [
        ("ij,kj->ik", "x,x"),
        ("ij,ij->", "x,x"),
        ("ij,jk->ik", "x,x"),
        ("ij,jk,ki->", "x,x,x"),
        ("ij,kj,ik->", "x,x,y"),
        ("ijk,ijl->kl", "x,x"),
        ("ii,ij->j", "x,x"),
        ("ij,ji->ij", "x,x"),
        ("ij,kl->ijkl", "x,x"),
        *TURNED,
    ]:
        for before in (
            joint(spec, names, ["x"]),
            forward_mode(forward(spec, names)),
        ):
            shapes = [(3,) * len(v.subscripts) for v in before.inputs]
            arrays = [integers(rng, shape) for shape in shapes]
            after = simplify(before)
            verify(after)
            assert len(after.steps) <= len(before.steps)
            expected = interpret.run(before, arrays)
            for found, right in zip(
                interpret.run(after, arrays), expected, strict=True
            ):
                np.testing.assert_array_equal(found, right)
