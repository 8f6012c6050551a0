"""Reverse and forward mode: the programs that they write, and what those compute."""

from __future__ import annotations

import numpy as np
import pytest
from exact import case, integers
from stages import forward, step, value

from eingrad import interpret
from eingrad.differentiate import forward_mode, reverse_mode
from eingrad.program import Add, Apply, Conj, Program, verify

FEW = """
program grad_out[ik], x[ij], w[jk]
  out[ik] = einsum ij,jk->ik (x, w)
  conj_w[jk] = conj (w)
  conj_x[ij] = conj (x)
  grad_x[ij] = einsum ik,jk->ij (grad_out, conj_w)
  grad_w[jk] = einsum ij,ik->jk (conj_x, grad_out)
  return grad_x[ij], grad_w[jk]
"""

MANY = """
program grad_out[im], a[ij], b[jk], c[kl], d[lm]
  part1[ik] = einsum ij,jk->ik (a, b)
  part2[km] = einsum kl,lm->km (c, d)
  out[im] = einsum ik,km->im (part1, part2)
  conj_grad[im] = conj (grad_out)
  grad_part1[ik] = einsum im,km->ik (conj_grad, part2)
  grad_part2[km] = einsum ik,im->km (part1, conj_grad)
  grad_c[kl] = einsum km,lm->kl (grad_part2, d)
  grad_d[lm] = einsum kl,km->lm (c, grad_part2)
  grad_a[ij] = einsum ik,jk->ij (grad_part1, b)
  grad_b[jk] = einsum ij,ik->jk (a, grad_part1)
  grad_a_2[ij] = conj (grad_a)
  grad_b_2[jk] = conj (grad_b)
  grad_c_2[kl] = conj (grad_c)
  grad_d_2[lm] = conj (grad_d)
  return grad_a_2[ij], grad_b_2[jk], grad_c_2[kl], grad_d_2[lm]
"""

SHARED = """
program grad_out[ik], x[ij]
  out[ik] = einsum ij,kj->ik (x, x)
  grad_x[ij] = einsum ik,kj->ij (grad_out, x)
  grad_x_2[ij] = einsum ij,ik->kj (x, grad_out)
  grad_x_3[ij] = add (grad_x, grad_x_2)
  return grad_x_3[ij]
"""

UNARY = """
program grad_out[ii], x[ij]
  out[ii] = einsum ij->ii (x)
  grad_x[ij] = einsum ii->ij (grad_out)
  return grad_x[ij]
"""


def test_few_factors_are_conjugated_one_by_one() -> None:
    program = reverse_mode(forward("ij,jk->ik", "x,w"), ["x", "w"], adjoint=True)
    assert str(program) == FEW.strip()


def test_many_factors_are_not_but_cotangent_and_gradients_are() -> None:
    chain = forward("ij,jk,kl,lm->im", "a,b,c,d", [(0, 1), (0, 1), (0, 1)])
    program = reverse_mode(chain, ["a", "b", "c", "d"], adjoint=True)
    assert str(program) == MANY.strip()


def test_transpose_conjugates_nothing() -> None:
    program = reverse_mode(forward("ij,kj->ik", "x,x"), ["x"], adjoint=False)
    assert str(program) == SHARED.strip()


def test_one_operand_has_no_factor_to_conjugate() -> None:
    program = reverse_mode(forward("ij->ii", "x"), ["x"], adjoint=True)
    assert str(program) == UNARY.strip()


def test_only_what_is_wanted_is_derived() -> None:
    program = reverse_mode(forward("ij,jk,kl->il", "a,b,c"), ["c"], adjoint=False)
    made = [str(step.result) for step in program.steps]
    assert made == ["part1[ik]", "out[il]", "grad_c[kl]"]
    assert [str(output) for output in program.outputs] == ["grad_c[kl]"]


def test_wanted_gradients_come_in_their_order() -> None:
    program = reverse_mode(forward("ij,jk->ik", "x,w"), ["w", "x"], adjoint=False)
    assert [str(output) for output in program.outputs] == ["grad_w[jk]", "grad_x[ij]"]


TANGENT = """
program x[ij], w[jk], tangent_x[ij], tangent_w[jk]
  out[ik] = einsum ij,jk->ik (x, w)
  along_x[ik] = einsum ij,jk->ik (tangent_x, w)
  along_w[ik] = einsum ij,jk->ik (x, tangent_w)
  tangent_out[ik] = add (along_x, along_w)
  return out[ik], tangent_out[ik]
"""


def test_forward_mode() -> None:
    program = forward_mode(forward("ij,jk->ik", "x,w"))
    assert str(program) == TANGENT.strip()


def test_sums_and_conjugates_have_rules_too() -> None:
    program = Program(
        (value("a[i]"), value("b[i]")),
        (
            step("c[i]", Conj(), "a[i]"),
            step("out[i]", Add(), "c[i]", "b[i]"),
        ),
        (value("out[i]"),),
    )
    reverse = reverse_mode(program, ["a", "b"], adjoint=True)
    verify(reverse)
    made = [str(step) for step in reverse.steps[2:]]
    assert made == [
        "grad_a[i] = conj (grad_out)",
        "grad_b[i] = einsum i->i (grad_out)",
    ]
    tangent = forward_mode(program)
    assert [str(step) for step in tangent.steps[2:]] == [
        "tangent_c[i] = conj (tangent_a)",
        "tangent_out[i] = add (tangent_c, tangent_b)",
    ]


# One shape for each distinct operand.
CASES = [
    case("ij,jk->ik", (2, 3), (3, 4)),
    case("ab,cd->ad", (2, 3), (2, 4)),
    case("iij,k->i", (2, 2, 3), (4,)),
    case("ijji,kji,jj->kj", (2, 3, 3, 2), (4, 3, 2), (3, 3)),
    case("ij,j->iij", (2, 3), (3,)),
    case("ij,kj->ik", (2, 3), names="x,x"),
    case("ij,jk,ki->", (3, 3), names="x,x,x"),
    case("ij,jk,kl,lm->im", (2, 3), (3, 2), (2, 4), (4, 2)),
    case("i->ii", (3,)),
    case(",->", (), ()),
]


@pytest.mark.parametrize("adjoint", [True, False])
@pytest.mark.parametrize("the_case", CASES, ids=lambda c: c.spec)
def test_derived_programs_equal_brute_force(the_case, adjoint: bool) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(1)
    arrays = [integers(rng, shape, "complex128") for shape in the_case.shapes]
    output = the_case.output(arrays)
    cotangent = integers(rng, output.shape, "complex128")
    tangents = [integers(rng, shape, "complex128") for shape in the_case.shapes]
    program = forward(the_case.spec, ",".join(the_case.names))

    reverse = reverse_mode(program, the_case.distinct, adjoint=adjoint)
    verify(reverse)
    sizes = dict(the_case.sizes)
    found = interpret.run(reverse, [cotangent, *arrays], sizes)
    expected = the_case.gradients(arrays, cotangent, conjugate=adjoint)
    for gradient, right in zip(found, expected, strict=True):
        np.testing.assert_array_equal(gradient, right)

    tangent = forward_mode(program)
    verify(tangent)
    primal, along = interpret.run(tangent, [*arrays, *tangents], sizes)
    np.testing.assert_array_equal(primal, output)
    np.testing.assert_array_equal(along, the_case.tangent(arrays, tangents))


def test_an_applied_function_is_scaled_by_its_derivative() -> None:
    cube = step("y[ij]", Apply("cube"), "x[ij]")
    program = Program((value("x[ij]"),), (cube,), (value("y[ij]"),))
    functions = {"cube": lambda a: a**3, "cube'": lambda a: 3 * a**2}
    rng = np.random.default_rng(0)
    a, g = (rng.integers(-5, 6, (3, 4)) for _ in range(2))
    reverse = reverse_mode(program, ["x"], adjoint=True)
    (gradient,) = interpret.run(reverse, [g, a], functions=functions)
    np.testing.assert_array_equal(gradient, 3 * a**2 * g)
    output, tangent = interpret.run(forward_mode(program), [a, g], functions=functions)
    np.testing.assert_array_equal(output, a**3)
    np.testing.assert_array_equal(tangent, 3 * a**2 * g)
