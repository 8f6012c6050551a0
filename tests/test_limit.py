"""Limits of the memory: kept, exact, and at a stated price."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from stages import forward, request
from tracing import measured

import eingrad
from eingrad import interpret
from eingrad.derivation import Derivation
from eingrad.differentiate import reverse_mode
from eingrad.errors import OptionError
from eingrad.kernel_tables import KernelConfig
from eingrad.kernel_text import render_kernel
from eingrad.liveness import work
from eingrad.memory import peak_memory
from eingrad.memory_limit import read_memory_limit
from eingrad.options import Options
from eingrad.pipeline import derive
from eingrad.program import monomials, verify
from eingrad.recompute import recompute, residuals
from eingrad.simplify import simplify

PEPS = "ag,abi,bk,cgh,cdij,dkl,eh,efj,fl->"
CHAIN = "ab,bc,cd,de,ef->af"


def limited(
    spec: str, sizes: dict[str, int], part: float, **options: Any
) -> tuple[Derivation, Derivation]:
    """Derive without a limit, and within this part of the memory that takes."""
    whole = derive(request(spec, sizes=sizes, **options))
    limit = int(part * peak_memory(whole, itemsize=1).vjp)
    found = derive(request(spec, sizes=sizes, memory_limit=limit, **options))
    assert found.limited and found.limited.peak <= limit == found.limited.limit
    return whole, found


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        (1000, 1000),
        (1e6, 1000000),
        ("1e6", 1000000),
        ("1.5e3", 1500),
        (" 250 ", 250),
        ("64B", 8),
        ("64 kB", 8000),
        ("64KB", 8000),
        ("64MB", 8000000),
        ("1GiB", 2**27),
        ("0.5 MiB", 2**16),
        ("1TB", 125 * 10**9),
        (2**53 + 1, 2**53 + 1),
        ("0.1e30", 10**29),
        (None, None),
    ],
)
def test_how_a_limit_is_written(text: object, elements: int | None) -> None:
    assert read_memory_limit(text) == elements


@pytest.mark.parametrize(
    "text",
    [
        "",
        "MB",
        "-1",
        "1e-3",
        "64Mb",
        "64 MiBB",
        "nan",
        "inf",
        True,
        [1],
        "1_000",
        "9" * 400,
    ],
)
def test_what_is_no_limit(text: object) -> None:
    with pytest.raises(eingrad.OptionError, match="cannot read memory limit"):
        read_memory_limit(text)


@pytest.mark.parametrize("text", ["0", "7B", 0.5])
def test_less_than_an_element_is_no_limit(text: object) -> None:
    with pytest.raises(eingrad.OptionError, match="is less than one element"):
        read_memory_limit(text)


def test_a_limit_needs_all_sizes() -> None:
    with pytest.raises(eingrad.OptionError) as caught:
        eingrad.generate("ij,jk,kl->il", sizes={"j": 3}, memory_limit=100)
    text = "a memory limit needs the size of i, k, l; give sizes or shapes"
    assert str(caught.value) == text
    with pytest.raises(eingrad.OptionError, match=r"size of \.\.\.; give shapes"):
        eingrad.generate("...i,i->...", sizes={"i": 3}, memory_limit=100)
    # Two indices of one size know it from each other.
    eingrad.generate(
        "ij,kj->ik", operands=["x", "x"], sizes={"i": 3, "j": 3}, memory_limit=100
    )


def test_the_least_that_is_named_can_be_reached() -> None:
    options: dict[str, Any] = {"sizes": dict.fromkeys("abcdefghijkl", 4)}
    with pytest.raises(eingrad.OptionError) as caught:
        eingrad.generate(PEPS, memory_limit=10, **options)
    found = re.fullmatch(
        r"a memory limit of 10 elements cannot be kept: "
        r"the least that was found is (\d+)",
        str(caught.value),
    )
    assert found
    least = int(found[1])
    assert f"at most {least} elements" in " ".join(
        eingrad.generate(PEPS, memory_limit=least, **options).split()
    )
    with pytest.raises(eingrad.OptionError, match="cannot be kept"):
        eingrad.generate(PEPS, memory_limit=least - 1, **options)


# spec, size of all indices, part of the memory, options, what is done
HELD: list[tuple[str, int, float, dict[str, Any], str]] = [
    ("ijk,jr,kr->ir", 96, 0.2, {"wrt": ["b", "c"]}, "blocks"),
    (CHAIN, 250, 0.9, {}, "recomputed"),
    (PEPS, 13, 0.8, {}, "recomputed"),
    (PEPS, 13, 0.45, {}, "blocks"),
]


@pytest.mark.parametrize(("spec", "size", "part", "options", "how"), HELD)
def test_tracemalloc_sees_the_limit_kept(
    spec: str, size: int, part: float, options: dict[str, Any], how: str
) -> None:
    sizes = {index: size for index in spec if index.isalpha()}
    whole, found = limited(spec, sizes, part, **options)
    kept = found.limited
    assert kept and getattr(kept, how)
    seen = measured(found)
    # Python's own objects and NumPy's buffers come on top.
    assert seen.vjp == pytest.approx(8 * kept.peak, rel=0.03, abs=300_000)
    assert seen.vjp < measured(whole).vjp


# spec, sizes, options, and parts of the memory that can be reached
SMALL: list[tuple[str, dict[str, int], dict[str, Any], tuple[float, ...]]] = [
    ("ij,jk,kl->il", {"i": 3, "j": 40, "k": 30, "l": 4}, {}, (0.95,)),
    ("ijk,jr,kr->ir", {"i": 9, "j": 8, "k": 7, "r": 5}, {"wrt": ["b"]}, (0.8, 0.4)),
    (
        "ijk,jr,kr->ir",
        {"i": 9, "j": 8, "k": 7, "r": 5},
        {"complex": "transpose"},
        (0.8, 0.6),
    ),
    (
        "iij,jk,kl->il",
        {"i": 9, "j": 8, "k": 7, "l": 5},
        {"wrt": ["b", "c"]},
        (0.9,),
    ),
    ("ij,jk,kl->ii", {"i": 5, "j": 30, "k": 30, "l": 5}, {"wrt": ["a"]}, (0.9,)),
    (
        "ij,jk,kl->ilz",
        {"i": 5, "j": 30, "k": 30, "l": 5, "z": 2},
        {"wrt": ["b"]},
        (0.9,),
    ),
    (
        "ai,ib,ic->abc",
        {"a": 6, "b": 6, "c": 6, "i": 6},
        {"operands": ["x", "y", "y"]},
        (0.8, 0.4),
    ),
    (
        "ij,kj,kl->il",
        {"i": 6, "j": 9, "k": 6, "l": 6},
        {"operands": ["x", "x", "y"]},
        (0.9, 0.8),
    ),
    (
        "bi,ij,jk->bk",
        {"b": 30, "i": 3, "j": 20, "k": 4},
        {"bias": "bk", "activation": "leaky_relu:0.1"},
        (0.9,),
    ),
    (
        "bi,ij,jk->bk",
        {"b": 90, "i": 20, "j": 20, "k": 4},
        {"bias": "k", "activation": "gelu", "wrt": ["a", "c", "bias"], "order": 2},
        (0.9, 0.8),
    ),
    (
        "ijk,jr,kr->ir",
        {"i": 9, "j": 8, "k": 7, "r": 5},
        {"bias": "r", "activation": "relu"},
        (0.7,),
    ),
    (
        "ab,bc,cd,de,ea->",
        dict.fromkeys("abcde", 9),
        {"operands": ["block_a", "blocks", "gained", "n_a", "b"]},
        (0.9, 0.8),
    ),
]


@pytest.mark.parametrize(
    ("spec", "sizes", "options", "part"),
    [(*case, part) for *case, parts in SMALL for part in parts],
)
def test_limited_kernels_are_exact(
    spec: str, sizes: dict[str, int], options: dict[str, Any], part: float
) -> None:
    _, found = limited(spec, sizes, part, **options)
    assert found.limited and (found.limited.blocks or found.limited.recomputed)
    limit = found.limited.limit
    assert eingrad.check(spec, sizes=sizes, memory_limit=limit, **options).ok


def test_what_a_bias_or_a_function_follows_is_cut_along_its_output() -> None:
    sizes = {"i": 9, "j": 8, "k": 7, "r": 5}
    spec = "ijk,jr,kr->ir"
    kept = limited(spec, sizes, 0.7)[1].limited
    assert kept and set(kept.blocks) == {"j", "k"}
    for options in ({"bias": "r"}, {"bias": ""}, {"activation": "tanh"}):
        kept = limited(spec, sizes, 0.62, **options)[1].limited
        assert kept and kept.blocks and set(kept.blocks) <= {"i", "r"}


def test_blocks_are_stored_where_they_are_wanted() -> None:
    sizes = {"i": 9, "j": 8, "k": 7, "r": 5}
    spec = "ijk,jr,kr->ir"
    _, found = limited(spec, sizes, 0.6)
    assert found.limited and found.limited.blocks
    kernel = eingrad.load(spec, sizes=sizes, memory_limit=found.limited.limit)
    rng = np.random.default_rng(0)
    shapes = [(9, 8, 7), (8, 5), (7, 5), (9, 5)]
    *operands, cotangent = (rng.integers(-3, 4, s).astype(float) for s in shapes)
    out = np.empty((9, 5))
    assert kernel.forward(*operands, out=out) is out
    assert np.array_equal(out, kernel.forward(*operands))
    expected = kernel.backward(cotangent, *operands)
    gradients = [np.ones_like(operand) for operand in operands]
    kernel.backward(cotangent, *operands, out=gradients, accumulate=True)
    for one, other in zip(expected, gradients, strict=True):
        assert np.array_equal(one + 1, other)


def test_a_pinned_plan_changes_nothing_within_a_limit() -> None:
    sizes = dict.fromkeys("abcdefghijkl", 6)
    for limit in (2600, 3400):
        kernel = KernelConfig("peps", PEPS, Options(sizes=sizes, memory_limit=limit))
        rendered = render_kernel(kernel)
        assert render_kernel(kernel, rendered.plan) == rendered


def test_an_ellipsis_takes_shapes() -> None:
    options: dict[str, Any] = {"shapes": [(5, 6, 7), (5, 7, 8), (5, 8, 6)]}
    spec = "...ij,...jk,...ki->"
    whole = derive(request(spec, **options))
    limit = int(0.95 * peak_memory(whole, itemsize=1).vjp)
    assert eingrad.check(spec, memory_limit=limit, **options).ok


def test_blocks_of_an_index_of_size_zero() -> None:
    sizes = {"i": 9, "j": 8, "k": 7, "r": 5}
    _, found = limited("ijk,jr,kr->ir", sizes, 0.5, wrt=["b", "c"])
    assert found.limited and found.limited.blocks
    kernel = eingrad.load(
        "ijk,jr,kr->ir", sizes=sizes, wrt=["b", "c"], memory_limit=found.limited.limit
    )
    output, pullback = kernel.vjp(np.ones((2, 0, 3)), np.ones((0, 4)), np.ones((3, 4)))
    assert np.array_equal(output, np.zeros((2, 4)))
    grad_b, grad_c = pullback(np.ones((2, 4)))
    assert grad_b.shape == (0, 4) and np.array_equal(grad_c, np.zeros((3, 4)))


@pytest.mark.parametrize(
    ("spec", "options"),
    [
        # Nothing to save, views alone, and values that the reverse sweep does without.
        ("->", {}),
        ("i->i", {"sizes": {"i": 3}}),
        ("ki->ik", {"sizes": {"i": 13, "k": 9}}),
        (",,,,i->", {"sizes": {"i": 8}, "operands": ["x", "y", "x", "y", "z"]}),
    ],
)
def test_a_limit_below_all_plans(spec: str, options: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="cannot be kept: the least that was found"):
        eingrad.generate(spec, memory_limit=1, **options)


def test_a_limit_that_is_kept_anyway_changes_the_docstring_alone() -> None:
    sizes = {"i": 3, "j": 4, "k": 5}
    plain = eingrad.generate("ij,jk->ik", sizes=sizes, regenerate="x")
    wide = eingrad.generate("ij,jk->ik", sizes=sizes, regenerate="x", memory_limit=1e6)
    body = re.compile('(?s)"""\n\nfrom __future__.*')
    assert body.findall(plain) == body.findall(wide)
    assert "at 1.00 times the multiply-adds" in " ".join(wide.split())


def test_work_is_counted_block_by_block() -> None:
    steps = forward("ij,jk,kl->il", "a,b,c").steps
    sizes = {"i": 2, "j": 10, "k": 3, "l": 5}
    # ij,jk->ik, then ik,kl->il: the second has no j, and runs for each of four blocks.
    assert work(monomials(steps), sizes, {}) == 2 * 10 * 3 + 2 * 3 * 5
    assert work(monomials(steps), sizes, {"j": 3}) == 2 * 10 * 3 + 4 * 2 * 3 * 5
    assert work(monomials(steps), sizes, {"i": 1}) == work(monomials(steps), sizes, {})


def test_what_is_recomputed_is_the_same() -> None:
    program = forward(CHAIN, "v,w,x,y,z")
    made = {step.result.name for step in program.steps}
    joint = simplify(reverse_mode(program, ("v", "w", "x", "y", "z"), adjoint=True))
    kept = residuals(joint, made)
    assert len(kept) == 3
    rng = np.random.default_rng(0)
    shapes = [(3, 3)] * 6
    arrays = [rng.integers(-3, 4, shape) for shape in shapes]
    expected = interpret.run(joint, arrays)
    for dropped in ([kept[0]], kept[1:], kept):
        again = recompute(joint, made, dropped)
        verify(again)
        assert not set(dropped) & set(residuals(again, made))
        for one, other in zip(expected, interpret.run(again, arrays), strict=True):
            assert np.array_equal(one, other)


def test_the_command_says_the_limit() -> None:
    given = request("i,i->", sizes={"i": 9}, memory_limit="64MB")
    assert given.memory_limit == 8_000_000
    assert given.regenerate == "eingrad 'i,i->' --sizes i=9 --memory-limit 64MB"
