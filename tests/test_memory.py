"""Peak memory as it is foretold, against what NumPy tells tracemalloc."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tracing import measured

from eingrad import cost
from eingrad.allocation import OPERATIONS
from eingrad.array_program import ArrayOp
from eingrad.derivation import Derivation
from eingrad.memory import peak_memory
from eingrad.options import Options
from eingrad.pipeline import derive
from eingrad.request import read_request
from eingrad.strided import Memory, Strided, contiguous, strides_like

CHAIN = "".join(map(chr, range(ord("A"), ord("Z") + 1))) + "abcdef"
PEPS = "ag,abi,bk,cgh,cdij,dkl,eh,efj,fl->"
REGULAR = "abc,ade,dfg,hij,klm,fkn,hlo,mnp,bgq,eor,ciq,jpr->"
TRAIN = "fa,agb,bhc,cid,dje,ek->fghijk"
MPS = "ia,ajb,bkc,cld,dm,ie,ejf,fkg,glh,hm->"


def chain(length: int) -> str:
    terms = ",".join(CHAIN[k : k + 2] for k in range(length))
    return f"{terms}->{CHAIN[0]}{CHAIN[length]}"


# spec, sizes (a number for all indices), options
KERNELS: dict[str, tuple[str, dict[str, int] | int, dict[str, Any]]] = {
    "matmul": ("ij,jk->ik", {"i": 500, "j": 400, "k": 300}, {}),
    "gram": ("ij,kj->ik", 500, {"operands": ["x", "x"]}),
    "attention": (
        "bqhd,bkhd->bhqk",
        {"b": 4, "q": 128, "h": 8, "d": 64, "k": 128},
        {},
    ),
    "in blocks": ("ij,jk->ik", {"i": 20000, "j": 50, "k": 50}, {}),
    "added": ("bot,bct->oc", {"b": 200, "o": 30, "c": 40, "t": 50}, {}),
    "mttkrp": ("ijk,jr,kr->ir", {"i": 100, "j": 80, "k": 60, "r": 16}, {}),
    "mttkrp, one gradient": (
        "ijk,jr,kr->ir",
        {"i": 100, "j": 80, "k": 60, "r": 64},
        {"wrt": ["b"]},
    ),
    "cp": ("ir,jr,kr->ijk", {"i": 100, "j": 80, "k": 60, "r": 16}, {}),
    "tucker": (
        "abc,ia,jb,kc->ijk",
        {"i": 90, "j": 80, "k": 70, "a": 20, "b": 15, "c": 10},
        {},
    ),
    "chain of 6": (chain(6), 200, {}),
    "chain of 30": (chain(30), 150, {}),
    "tensor train": (
        TRAIN,
        dict.fromkeys("abcde", 16) | dict.fromkeys("fghijk", 8),
        {},
    ),
    "mps": (MPS, dict.fromkeys("abcdefgh", 150) | dict.fromkeys("ijklm", 4), {}),
    "3-regular": (REGULAR, 14, {}),
    "peps 3x3": (PEPS, 15, {}),
    "diagonals": ("bii,bij->bj", {"b": 40, "i": 100, "j": 90}, {}),
    "embedding": ("bi->bii", {"b": 60, "i": 150}, {}),
    "broadcast sum": ("ijk->ik", {"i": 60, "j": 50, "k": 400}, {}),
    "spread": ("ij->ijk", {"i": 60, "j": 500, "k": 40}, {}),
    "linear gelu": (
        "bi,ij->bj",
        {"b": 2000, "i": 300, "j": 400},
        {"bias": "j", "activation": "gelu"},
    ),
    "linear leaky relu": (
        "bi,ij->bj",
        {"b": 1200, "i": 300, "j": 400},
        {"bias": "j", "activation": "leaky_relu:0.1", "order": 2},
    ),
    "attention silu": (
        "bqhd,bkhd->bhqk",
        {"b": 4, "q": 128, "h": 8, "d": 64, "k": 128},
        {"bias": "hk", "activation": "silu"},
    ),
    "tanh of a transpose": ("ij->ji", {"i": 900, "j": 800}, {"activation": "tanh"}),
    "sum with a bias": ("ijk->ik", {"i": 600, "j": 5, "k": 400}, {"bias": "i"}),
    "repeated rows": ("acd->ad", {"a": 3000, "c": 49, "d": 3}, {}),
    "rows repeated a prime number of times": (
        "acd->ad",
        {"a": 3000, "c": 47, "d": 3},
        {},
    ),
    "rows repeated along two axes": (
        "abcd->ad",
        {"a": 3000, "b": 8, "c": 6, "d": 3},
        {},
    ),
    "a copy for two": ("ae,bace->cb", {"a": 129, "e": 31, "b": 61, "c": 5}, {}),
    "hadamard": ("ijk,ijk,ijk->k", {"i": 60, "j": 50, "k": 40}, {}),
}


def derived(name: str) -> Derivation:
    spec, sizes, options = KERNELS[name]
    if isinstance(sizes, int):
        sizes = {index: sizes for index in spec if index.isalpha()}
    return derive(read_request(spec, Options(sizes=sizes, **options)))


# What Python's own objects, and a buffer or two of NumPy's, may take besides; and the
# blocks that an activation runs in.
UNCOUNTED = 200_000
BLOCKS = 8 * 2**15 * 8


@pytest.mark.parametrize("name", KERNELS)
def test_peak_is_what_tracemalloc_sees(name: str) -> None:
    derivation = derived(name)
    foretold, seen = peak_memory(derivation), measured(derivation)
    assert foretold.vjp > 2_000_000
    assert foretold.vjp == pytest.approx(seen.vjp, rel=0.03)
    uncounted = UNCOUNTED + (BLOCKS if derivation.functions else 0)
    for which in ("forward", "backward"):
        bytes_ = getattr(foretold, which)
        assert bytes_ == pytest.approx(getattr(seen, which), rel=0.03, abs=uncounted)


def test_complex_conjugates_take_memory() -> None:
    derivation = derived("matmul")
    real = peak_memory(derivation, itemsize=16)
    conjugated = peak_memory(derivation, itemsize=16, conjugates=True)
    # conj(a), when nothing else is held but grad_a
    assert conjugated.backward - real.backward == 16 * 500 * 400


def test_sizes_are_those_of_the_plan_unless_others_are_given() -> None:
    derivation = derived("matmul")
    assert peak_memory(derivation, itemsize=1).forward == 500 * 300
    other = peak_memory(derivation, {"i": 2, "k": 3}, itemsize=1)
    assert other.forward == 2 * 3
    assert other.backward == 2 * cost.ASSUMED_SIZE + cost.ASSUMED_SIZE * 3


def test_indices_of_one_size_know_it_from_each_other() -> None:
    derivation = derive(read_request("ij,kj->ik", Options(operands=["x", "x"])))
    assert peak_memory(derivation, {"i": 7, "j": 2}, itemsize=1).forward == 49


def test_every_operation_is_followed() -> None:
    assert set(OPERATIONS) == set(ArrayOp)


# A busy machine draws slowly; that is no fault.
BUSY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def arrays(draw: st.DrawFn) -> tuple[np.ndarray[Any, Any], Strided]:
    """Draw an array with its axes in any order, some of them cut, and its stand-in."""
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)))
    axes = tuple(draw(st.permutations(range(len(shape)))))
    array = np.empty(shape, np.int8).transpose(axes)
    if draw(st.booleans()):
        array = array[..., :1] if draw(st.booleans()) else array[1:]
    return array, Strided(array.shape, array.strides, Memory(0))


@BUSY
@given(arrays(), st.data())
def test_reshape_copies_where_numpy_does(
    pair: tuple[np.ndarray[Any, Any], Strided], data: st.DataObject
) -> None:
    array, strided = pair
    sizes = [n for n in array.shape for n in ((n,) if n != 4 else (2, 2))]
    cuts = data.draw(st.lists(st.integers(0, len(sizes)), max_size=3).map(sorted))
    pieces = zip([0, *cuts], [*cuts, len(sizes)], strict=True)
    shape = tuple(int(np.prod(sizes[start:stop])) for start, stop in pieces)
    view = strided.reshaped(shape)
    expected = array.reshape(shape)
    assert (view is not None) == np.shares_memory(array, expected) or not array.size
    if view is not None and array.size:
        assert all(
            ours == theirs
            for n, ours, theirs in zip(
                shape, view.strides, expected.strides, strict=True
            )
            if n > 1
        )


@BUSY
@given(arrays(), st.data())
def test_products_lie_in_memory_as_in_numpy(
    pair: tuple[np.ndarray[Any, Any], Strided], data: st.DataObject
) -> None:
    array, _ = pair
    axes = tuple(data.draw(st.permutations(range(array.ndim))))
    order = np.argsort(axes)
    other = np.empty([array.shape[a] for a in axes], np.int8).transpose(order)
    expected = array * other
    steps = [
        tuple(s if n > 1 else 0 for n, s in zip(a.shape, a.strides, strict=True))
        for a in (array, other)
    ]
    strides = strides_like(array.shape, steps)
    if array.size:
        assert [s for n, s in zip(array.shape, strides, strict=True) if n > 1] == [
            s for n, s in zip(array.shape, expected.strides, strict=True) if n > 1
        ]


def test_contiguous_is_c_order() -> None:
    assert contiguous((2, 3, 5)) == (15, 5, 1)
    assert contiguous(()) == ()
