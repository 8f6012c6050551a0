"""The index-level programs: how they print, what they cost, what is refused."""

from __future__ import annotations

import pytest
from stages import forward, step, value

from eingrad.errors import InternalError
from eingrad.program import (
    Add,
    Apply,
    Conj,
    Names,
    Program,
    Step,
    monomials,
    multiply_adds,
    step_sizes,
    verify,
)

PROGRAMS = [
    (
        "ij,jk->ik",
        "x,w",
        """
program x[ij], w[jk]
  out[ik] = einsum ij,jk->ik (x, w)
  return out[ik]
""",
    ),
    (
        "ij->ji",
        "x",
        """
program x[ij]
  out[ji] = einsum ij->ji (x)
  return out[ji]
""",
    ),
    (
        "iij,k->i",
        "x,y",
        """
program x[iij], y[k]
  sum_x[i] = einsum iij->i (x)
  sum_y[] = einsum k-> (y)
  out[i] = einsum i,->i (sum_x, sum_y)
  return out[i]
""",
    ),
    (
        "ii,ij->j",
        "x,y",
        """
program x[ii], y[ij]
  diagonal_x[i] = einsum ii->i (x)
  out[j] = einsum i,ij->j (diagonal_x, y)
  return out[j]
""",
    ),
    (
        "ij,j->iij",
        "x,y",
        """
program x[ij], y[j]
  part1[ij] = einsum ij,j->ij (x, y)
  out[iij] = einsum ij->iij (part1)
  return out[iij]
""",
    ),
    (
        "ij,kj->ik",
        "x,x",
        """
program x[ij]
  out[ik] = einsum ij,kj->ik (x, x)
  return out[ik]
""",
    ),
    (
        "ij,jk,kl->il",
        "a,b,c",
        """
program a[ij], b[jk], c[kl]
  part1[ik] = einsum ij,jk->ik (a, b)
  out[il] = einsum kl,ik->il (c, part1)
  return out[il]
""",
    ),
    (
        "bi,bj,bk->ijk",
        "a,b,c",
        """
program a[bi], b[bj], c[bk]
  part1[bij] = einsum bi,bj->bij (a, b)
  out[ijk] = einsum bk,bij->ijk (c, part1)
  return out[ijk]
""",
    ),
]


@pytest.mark.parametrize(("spec", "names", "text"), PROGRAMS)
def test_forward_program(spec: str, names: str, text: str) -> None:
    program = forward(spec, names)
    assert str(program) == text.strip()
    verify(program)


def test_steps_print_their_operation() -> None:
    assert str(step("s[ij]", Add(), "a[ij]", "b[ij]")) == "s[ij] = add (a, b)"
    assert str(step("s[ij]", Conj(), "a[ij]")) == "s[ij] = conj (a)"
    assert str(step("s[ij]", Apply("gelu"), "a[ij]")) == "s[ij] = apply gelu (a)"
    assert str(step("s[]", "ij->", "a[ij]")) == "s[] = einsum ij-> (a)"


def program(
    *steps: Step, inputs: str = "a[ij] b[jk]", outputs: str = "c[ik]"
) -> Program:
    return Program(
        tuple(map(value, inputs.split())), steps, tuple(map(value, outputs.split()))
    )


PRODUCT = step("c[ik]", "ij,jk->ik", "a[ij]", "b[jk]")

BROKEN = {
    "two inputs of one name": program(PRODUCT, inputs="a[ij] b[jk] a[ij]"),
    "an argument that is not there": program(
        step("c[ik]", "ij,jk->ik", "a[ij]", "d[jk]")
    ),
    "an argument used before it is made": program(
        step("c[ik]", Conj(), "d[ik]"), step("d[ik]", "ij,jk->ik", "a[ij]", "b[jk]")
    ),
    "an argument of other subscripts": program(
        step("c[ik]", "ij,jk->ik", "a[ji]", "b[jk]")
    ),
    "a result made twice": program(PRODUCT, PRODUCT),
    "a result called like an input": program(
        step("a[ik]", "ij,jk->ik", "a[ij]", "b[jk]"), outputs="a[ik]"
    ),
    "an output that is not made": program(outputs="c[ik]"),
    "an output of other subscripts": program(PRODUCT, outputs="c[ki]"),
    "an einsum of another rank": program(step("c[ik]", "ijj,jk->ik", "a[ij]", "b[jk]")),
    "an einsum of another result": program(step("c[ik]", "ij,jk->i", "a[ij]", "b[jk]")),
    "an einsum of too few operands": program(step("c[ik]", "ik->ik", "a[ij]", "b[jk]")),
    "a sum of one": program(step("c[ik]", Add(), "a[ij]")),
    "a sum of other ranks": program(
        step("c[ik]", Add(), "a[ij]", "d[]"), inputs="a[ij] d[]"
    ),
    "a conjugate of two": program(step("c[ik]", Conj(), "a[ij]", "b[jk]")),
}


@pytest.mark.parametrize("what", BROKEN)
def test_verify_refuses(what: str) -> None:
    with pytest.raises(InternalError):
        verify(BROKEN[what])


def test_verify_lets_letters_differ_from_the_values() -> None:
    verify(program(step("c[ik]", "pq,qr->pr", "a[ij]", "b[jk]")))


def test_sizes_of_a_step_are_those_of_its_values() -> None:
    assert step_sizes(step("c[ik]", "pq,qr->pr", "a[ij]", "b[jk]")) == {
        "p": "i",
        "q": "j",
        "r": "k",
    }
    with pytest.raises(InternalError):
        step_sizes(step("c[ij]", Conj(), "a[ij]"))


def test_multiply_adds_are_counted_for_products() -> None:
    steps = forward("ij,jk,kl->il", "a,b,c").steps
    assert monomials(steps) == {("i", "j", "k"): 1, ("i", "k", "l"): 1}
    assert multiply_adds(steps, {"i": 2, "j": 3, "k": 5, "l": 7}) == 30 + 70
    assert multiply_adds(steps) == 2 * 32**3
    assert multiply_adds([step("c[]", "ij->", "a[ij]")]) == 0
    assert multiply_adds([step("c[i]", Add(), "a[i]", "b[i]")]) == 0
    assert multiply_adds([step("c[]", ",->", "a[]", "b[]")]) == 1


def test_names_are_numbered_where_they_are_taken() -> None:
    names = Names(["a", "a_2"])
    assert [names.fresh("a"), names.fresh("b"), names.fresh("b")] == ["a_3", "b", "b_2"]
