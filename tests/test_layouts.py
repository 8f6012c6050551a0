"""What a layout says of an array is how it lies in memory."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from types import FrameType, ModuleType
from typing import Any

import numpy as np
import pytest
from exact import integers
from hypothesis import assume, given
from hypothesis import strategies as st
from stages import request
from strategies import Array, Case, cases, searched

import eingrad
from eingrad import oracle, pipeline
from eingrad.array_program import Ref
from eingrad.iteration import chunk, iteration_order, looped, memory_order, nested
from eingrad.loading import load_text
from eingrad.loops import goes_by_tiles
from eingrad.module import module
from eingrad.pipeline import derive
from eingrad.render import render


def held(
    emitted: ModuleType, arrays: list[Array], grad: Array
) -> Iterator[tuple[str, Any]]:
    """Yield what the variables of ``vjp`` and its pullback hold as these return."""
    found: dict[str, Any] = {}

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "return" and frame.f_code.co_name in ("vjp", "_reverse"):
            found.update(frame.f_locals)

    sys.setprofile(note)
    try:
        emitted.vjp(*arrays)[1](grad)
    finally:
        sys.setprofile(None)
    yield from found.items()


def assert_layouts(
    spec: str, shapes: Sequence[tuple[int, ...]], options: dict[str, Any]
) -> int:
    """Assert that intermediates lie in C order; say how many there were."""
    with pytest.MonkeyPatch.context() as patch:
        # As they are planned, before they are held in the forms that are read.
        patch.setattr(pipeline, "share", lambda lowered: lowered)
        derivation = derive(request(spec, **options))
    arrays = derivation.joint.arrays
    outputs = {Ref(name) for name in derivation.joint.results.values()}
    owned = {
        str(array.expr)
        for array in arrays.arrays.values()
        if isinstance(array.expr, Ref) and array.owned and array.expr not in outputs
    }
    rng = np.random.default_rng(0)
    operands = [integers(rng, shape, "float64") for shape in shapes]
    emitted = load_text(render(module(derivation)), "emitted")
    grad = np.array(emitted.forward(*operands), order="C")
    checked = 0
    for name, array in held(emitted, operands, grad):
        if name in owned and isinstance(array, np.ndarray):
            assert array.flags.c_contiguous, f"{name} of {spec}: {array.strides}"
            checked += 1
    return checked


@pytest.mark.parametrize("sized", [False, True])
@pytest.mark.parametrize(
    ("spec", "shapes"),
    [
        # NumPy lays out a product like its operands, whatever the axes of the result.
        ("dbc,dca,adc,dcba->", [(10, 25, 3), (10, 3, 5), (5, 10, 3), (10, 3, 25, 5)]),
        ("a,c,cab,ba->bac", [(12,), (6,), (6, 12, 3), (3, 12)]),
        ("bac,abc,bca->abc", [(7, 25, 7), (25, 7, 7), (7, 7, 25)]),
        ("bd,bcad,abd,cc->", [(10, 25), (10, 3, 5, 25), (5, 10, 25), (3, 3)]),
        ("a,bdae,a,acd->aeb", [(7,), (7, 12, 7, 5), (7,), (7, 3, 12)]),
        ("abc,ia,jb,kc->ijk", [(4, 5, 6), (7, 4), (8, 5), (9, 6)]),
    ],
)
def test_intermediates_lie_as_they_were_planned(
    spec: str, shapes: list[tuple[int, ...]], sized: bool
) -> None:
    options = {"shapes": shapes} if sized else {}
    assert assert_layouts(spec, shapes, options) > 0


@given(case=cases())
@searched(300)
def test_intermediates_of_random_specs_lie_as_they_were_planned(case: Case) -> None:
    # Axes of size 1 are broadcast, and what repeats has no say in the layout.
    whole = not any(1 in shape for shape in case.shapes)
    shared = len(set(case.operands)) < len(case.operands)
    if whole and not shared and "..." not in case.spec:
        assert_layouts(case.spec, case.shapes, {"sizes": case.sizes})


@pytest.mark.parametrize("sized", [False, True])
@pytest.mark.parametrize(
    ("spec", "shapes"),
    [
        ("n,nd->d", [(2000,), (2000, 50)]),
        ("bij,j->bi", [(64, 64, 64), (64,)]),
        ("ij,kl->ikjl", [(32, 32), (32, 32)]),
        ("abcd,bd->ac", [(30, 20, 30, 20), (20, 20)]),
        # The stack of products is wanted otherwise than the operands lie.
        ("hbqk,bkhd->bqhd", [(2, 3, 4, 5), (3, 5, 2, 6)]),
        ("bqhd,bkhd->bhqk", [(3, 4, 2, 5), (3, 6, 2, 5)]),
        # Operands and intermediates are copied to lie across, results are not.
        ("nij,nj->ni", [(2000, 3, 3), (2000, 3)]),
        ("nij,njk,nkl->nil", [(2000, 3, 3), (2000, 3, 3), (2000, 3, 3)]),
        ("ni,ni->n", [(20000, 3), (20000, 3)]),
        ("bld,dn->bldn", [(4, 64, 64), (64, 16)]),
    ],
)
def test_results_lie_in_c_order_where_operands_allow(
    spec: str, shapes: list[tuple[int, ...]], sized: bool
) -> None:
    emitted = eingrad.load(spec, shapes=shapes if sized else None)
    rng = np.random.default_rng(0)
    operands = [integers(rng, shape, "float32") for shape in shapes]
    output, pullback = emitted.vjp(*operands)
    assert output.flags.c_contiguous
    for gradient in pullback(np.ones_like(output)):
        assert gradient.flags.c_contiguous


TURNS = [
    ((1024, 64), (1, 0)),
    ((300, 301), (1, 0)),
    ((64, 16, 128), (2, 1, 0)),
    ((16, 64, 64, 16), (3, 1, 2, 0)),
    ((32, 33, 256), (0, 2, 1)),
    ((8, 128, 8, 64), (0, 3, 1, 2)),
    ((1000, 3, 129), (2, 0, 1)),
    # Neither crowded nor large, but so many lines that they leave the caches.
    ((40, 9, 1000), (2, 1, 0)),
    ((301, 31, 129), (1, 0, 2)),
    ((40, 131, 9, 33), (3, 1, 0, 2)),
    # Six entries in a row are worth a tile where the lines leave the caches.
    ((50000, 3, 3), (1, 2, 0)),
    ((5, 40000, 6), (0, 2, 1)),
    # Three or five are not.
    ((512, 63, 5), (2, 1, 0)),
    ((512, 256, 3), (2, 0, 1)),
    ((0, 1024), (1, 0)),
]


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128", "int64"])
@pytest.mark.parametrize(("shape", "axes"), TURNS)
def test_turned_copies_by_tiles(
    shape: tuple[int, ...], axes: tuple[int, ...], dtype: str
) -> None:
    turned = eingrad.load("ij->ji")._turned
    array = integers(np.random.default_rng(0), shape, dtype)
    for given_array in (array, array[::-1], np.asfortranarray(array)):
        expected = given_array.transpose(axes)
        found = turned(given_array, axes)
        np.testing.assert_array_equal(found, expected)
        assert found.flags.c_contiguous
        assert found.flags.owndata
        room = np.empty(expected.shape, dtype)
        assert turned(given_array, axes, out=room) is room
        np.testing.assert_array_equal(room, expected)


@given(
    data=st.data(),
    shape=st.lists(
        st.sampled_from((3, 4, 9, 17, 31, 32, 33, 64, 100, 128, 256, 1000, 20000)),
        min_size=2,
        max_size=4,
    ),
)
@searched(100)
def test_what_goes_by_tiles_is_known(data: st.DataObject, shape: list[int]) -> None:
    assume(math.prod(shape) < 5_000_000)
    source = tuple("abcd"[: len(shape)])
    order = tuple(data.draw(st.permutations(source)))
    assume(order[-1] != source[-1])
    turned = eingrad.load("ij->ji")._turned
    tiles = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np, "ndindex", lambda *shape: tiles.append(shape) or ())
        turned(np.empty(shape, "float32"), tuple(map(source.index, order)))
    size = dict(zip(source, shape, strict=True))
    assert bool(tiles) == goes_by_tiles(source, order, size)


@pytest.mark.parametrize("size", [4, 65, 70])
def test_both_ways_that_sizes_decide_between_are_right(size: int) -> None:
    text = eingrad.generate("bij,bkj->bik")
    assert "    if n_i * n_j * n_k <= " in text
    assert "    if n_" not in eingrad.generate(
        "bij,bkj->bik", sizes={"b": 2} | sizes(4)
    )
    emitted = load_text(text, "emitted")
    rng = np.random.default_rng(size)
    a, b = (integers(rng, (2, size, size), "float64") for _ in range(2))
    grad = integers(rng, (2, size, size), "float64")
    np.testing.assert_array_equal(
        emitted.forward(a, b), oracle.einsum("bij,bkj->bik", [a, b], {})
    )
    found = emitted.vjp(a, b)[1](grad)
    np.testing.assert_array_equal(found[0], np.matmul(grad, b))
    np.testing.assert_array_equal(found[1], np.matmul(grad.transpose(0, 2, 1), a))


@pytest.mark.parametrize("size", [1, 7, 8, 9])
def test_small_matrices_of_unknown_sizes_are_added_up_entry_by_entry(size: int) -> None:
    text = eingrad.generate("bij,bj->bi")
    assert "    if n_i * n_j <= 64:\n" in text
    emitted = load_text(text, "emitted")
    rng = np.random.default_rng(size)
    a, b, grad = (
        integers(rng, (3, size, size)[:rank], "float64") for rank in (3, 2, 2)
    )
    result, pullback = emitted.vjp(a, b)
    np.testing.assert_array_equal(result, np.einsum("bij,bj->bi", a, b))
    np.testing.assert_array_equal(pullback(grad)[1], np.einsum("bij,bi->bj", a, grad))


def test_matrices_of_unknown_sizes_are_not_copied_to_be_added_up() -> None:
    """They would have to be tiny, and many."""
    assert "np.einsum" not in eingrad.generate("bhqd,bhkd->bhqk")
    assert 'np.einsum("ij,ij->i", a, b)' in eingrad.generate("ij,ij->i")


@pytest.mark.parametrize("size", [4, 16, 17])
def test_sums_are_added_up_where_that_spares_copies_of_large_arrays(size: int) -> None:
    text = eingrad.generate("bct,oc->bot")
    assert "    if n_b * n_c * n_o * n_t <= 65536:\n" in text
    assert 'grad_b = np.einsum("boc->oc", grad_b_product, out=into[1])\n' in text
    emitted = load_text(text, "emitted")
    rng = np.random.default_rng(size)
    a, b, grad = (integers(rng, (size,) * rank, "float64") for rank in (3, 2, 3))
    found = emitted.vjp(a, b)[1](grad)
    np.testing.assert_array_equal(found[1], np.einsum("bot,bct->oc", grad, a))


def sizes(size: int) -> dict[str, int]:
    return dict.fromkeys("ijk", size)


@pytest.mark.parametrize(
    ("run", "times", "value"),
    [
        (3, 30, "_tiled(grad_output[:, :, None], n_c, 2)"),
        (3, 5, "grad_output[:, :, None].repeat(n_c, axis=2)"),
        (4, 30, "grad_output[:, :, None].repeat(n_c, axis=2)"),
        (40, 30, "grad_output[:, :, None].repeat(n_c, axis=2)"),
    ],
)
def test_short_runs_are_repeated(run: int, times: int, value: str) -> None:
    known = {"a": 20, "e": 30, "c": times, "d": run}
    text = eingrad.generate("aecd->aed", sizes=known)
    assert f"    grad_a = {value}\n" in text
    emitted = load_text(text, "emitted")
    rng = np.random.default_rng(0)
    # The counts are those of the arrays: primes, squares, none at all.
    for count in (0, 1, 2, 4, 7, 12, 16, 49, 50, 97):
        shape = (4, 5, count, run)
        x, grad = (integers(rng, s, "float64") for s in (shape, (4, 5, run)))
        (found,) = emitted.vjp(x)[1](grad)
        np.testing.assert_array_equal(found, np.broadcast_to(grad[:, :, None], shape))
        assert found.flags.c_contiguous


@pytest.mark.parametrize(
    ("spec", "sizes", "lines"),
    [
        (
            "abcd->ab",
            {"a": 20, "b": 30, "c": 5, "d": 6},
            [
                "grad_a = grad_output[:, :, None].repeat(n_c * n_d, axis=2)",
                "grad_a = grad_a.reshape(n_a, n_b, n_c, n_d)",
            ],
        ),
        # So many entries are broadcast as fast.
        (
            "abcd->ab",
            {"a": 20, "b": 30, "c": 16, "d": 16},
            ["grad_a[...] = grad_output[:, :, None, None]"],
        ),
        (
            "abcd->ad",
            {"a": 20, "b": 30, "c": 5, "d": 3},
            [
                "grad_a = _tiled(grad_output[:, None], n_b * n_c, 1)"
                ".reshape(n_a, n_b, n_c, n_d)",
            ],
        ),
        # Long blocks are broadcast along the first axis.
        (
            "abcd->ad",
            {"a": 20, "b": 30, "c": 50, "d": 3},
            ["grad_a[...] = _tiled(grad_output[:, None], n_c, 1)[:, None]"],
        ),
    ],
)
def test_entries_are_repeated_along_axes_side_by_side(
    spec: str, sizes: dict[str, int], lines: list[str]
) -> None:
    text = eingrad.generate(spec, sizes=sizes)
    assert "".join(f"    {line}\n" for line in lines) in text
    emitted = load_text(text, "emitted")
    kept = spec.split("->")[1]
    place = tuple(slice(None) if index in kept else None for index in "abcd")
    rng = np.random.default_rng(0)
    # The counts are those of the arrays: none at all, one, primes and others.
    for counts in ((0, 5), (1, 1), (1, 7), (5, 1), (5, 7), (30, 50)):
        shape = (4, *counts, 3) if kept == "ad" else (4, 3, *counts)
        x, grad = (
            integers(rng, s, "float64")
            for s in (
                shape,
                [n for n, i in zip(shape, "abcd", strict=True) if i in kept],
            )
        )
        (found,) = emitted.vjp(x)[1](grad)
        np.testing.assert_array_equal(found, np.broadcast_to(grad[place], shape))
        assert found.flags.c_contiguous


def test_a_diagonal_is_copied_once() -> None:
    text = eingrad.generate("bii->bi")
    assert '    output = np.einsum("bii->bi", a).copy()\n' in text
    text = eingrad.generate("iji,jk->ik")
    assert 'diagonal_a_ij = np.einsum("iji->ij", a).copy()\n' in text


@st.composite
def products(draw: st.DrawFn) -> tuple[str, str, str]:
    """Draw two operands of an einsum, and an output of indices of theirs."""
    first, second = (draw(st.permutations("abcde")) for _ in range(2))
    terms = ["".join(letters[: draw(st.integers(0, 5))]) for letters in (first, second)]
    letters = sorted({*terms[0], *terms[1]})
    output = draw(st.permutations(letters))[: draw(st.integers(0, len(letters)))]
    return terms[0], terms[1], "".join(output)


@given(product=products())
@searched(400)
def test_the_memory_of_a_product_is_what_numpy_makes_of_it(
    product: tuple[str, str, str],
) -> None:
    a, b, output = product
    sizes = dict(zip("abcde", (2, 3, 4, 5, 6), strict=True))
    arrays = [np.ones([sizes[letter] for letter in term]) for term in (a, b)]
    operands, order = (tuple(a), tuple(b)), tuple(output)
    results = {"einsum": np.einsum(f"{a},{b}->{output}", *arrays)}
    if {*a, *b} == {*output}:
        results["multiply"] = np.multiply(
            *(
                array.transpose([term.index(i) for i in output if i in term])[
                    tuple(slice(None) if i in term else None for i in output)
                ]
                for term, array in zip((a, b), arrays, strict=True)
            )
        )
    expected = memory_order(operands, order)
    for name, result in results.items():
        strides = dict(zip(order, result.strides, strict=True))
        found = tuple(sorted(order, key=strides.__getitem__, reverse=True))
        assert found == expected, name


@pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.3.0", reason="NumPy buffers otherwise"
)
@given(product=products(), sizes=st.lists(st.integers(1, 40), min_size=5, max_size=5))
@searched(400)
def test_chunks_are_those_of_the_iterator(
    product: tuple[str, str, str], sizes: list[int]
) -> None:
    a, b, output = product
    size = dict(zip("abcde", sizes, strict=True))
    letters = [*output, *sorted({*a, *b}.difference(output))]
    arrays = [np.empty([size[i] for i in term], "float32") for term in (a, b)]
    axes = [
        [term.index(i) if i in term else -1 for i in letters] for term in (a, b, output)
    ]
    iterator = np.nditer(
        [*arrays, None],
        ["external_loop", "buffered", "delay_bufalloc", "grow_inner", "reduce_ok"],
        [["readonly"], ["readonly"], ["readwrite", "allocate"]],
        op_axes=axes,
        itershape=[size[i] for i in letters],
    )
    iterator.reset()
    first, second, result = looped((tuple(a), tuple(b), tuple(output)), size)
    order = iteration_order((first, second), result)
    terms = first, second, memory_order((first, second), result)
    loops = nested(terms, order, size.__getitem__)
    if len(loops.counts) > 1:
        assert len(iterator[0]) == chunk(loops).core
