"""What a user reads who got something wrong: the whole text of each message."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest

import eingrad
from eingrad.api import check
from eingrad.cli import main, terminal
from eingrad.options import Options

LETTERS_ONLY = "a spec is made of letters, ',', '...' and '->'"
ARROW = "the output follows '->'; did you mean"
ONE_ARROW = "a spec has one '->', between the operands and the output"
DOTS = "an ellipsis is three dots"
ONE_ELLIPSIS = "a term has at most one '...'"
TWO_PLACES = "operand 'x' stands in two places of 'ij,jk->ik'"
SIZE = [
    "  or give {0} a size, and the output is constant along it: --sizes {0}=8",
    "  or, in a configuration, sizes = {{ {0} = 8 }}",
]

# The spec, and the lines of the message; the caret stands under the culprit.
SPECS: list[tuple[str, list[str]]] = [
    (
        "i1->i",
        ["unknown character '1'", "  i1->i", "   ^", f"  {LETTERS_ONLY}"],
    ),
    (
        "ij;jk->ik",
        ["unknown character ';'", "  ij;jk->ik", "    ^", f"  {LETTERS_ONLY}"],
    ),
    (
        "i_j->i",
        ["unknown character '_'", "  i_j->i", "   ^", f"  {LETTERS_ONLY}"],
    ),
    (
        "(ij)->i",
        ["unknown character '('", "  (ij)->i", "  ^", f"  {LETTERS_ONLY}"],
    ),
    (
        "'ij->i'",
        ['unknown character "\'"', "  'ij->i'", "  ^", f"  {LETTERS_ONLY}"],
    ),
    (
        "a, b -> 9c",
        ["unknown character '9'", "  a, b -> 9c", "          ^", f"  {LETTERS_ONLY}"],
    ),
    (
        "日本1->日",
        ["unknown character '1'", "  日本1->日", "      ^", f"  {LETTERS_ONLY}"],
    ),
    (
        "i\nj1->i",
        ["unknown character '1'", "  i j1->i", "     ^", f"  {LETTERS_ONLY}"],
    ),
    (
        "i\x00->i",
        [r"unknown character '\x00'", "  i ->i", "   ^", f"  {LETTERS_ONLY}"],
    ),
    (
        "Ⅷ->",
        ["unknown character 'Ⅷ'", "  Ⅷ->", "  ^", f"  {LETTERS_ONLY}"],
    ),
    (
        "ij…->i",
        ["unknown character '…'", "  ij…->i", "    ^", "  write '...'"],
    ),
    (
        "ij,jk-ik",
        ["malformed arrow '-'", "  ij,jk-ik", "       ^", f"  {ARROW} 'ij,jk->ik'?"],
    ),
    (
        "ij,jk>ik",
        ["malformed arrow '>'", "  ij,jk>ik", "       ^", f"  {ARROW} 'ij,jk->ik'?"],
    ),
    (
        "ij,jk=>ik",
        ["malformed arrow '=>'", "  ij,jk=>ik", "       ^^", f"  {ARROW} 'ij,jk->ik'?"],
    ),
    (
        "ij,jk<-ik",
        ["malformed arrow '<-'", "  ij,jk<-ik", "       ^^", f"  {ARROW} 'ij,jk->ik'?"],
    ),
    (
        "ij,jk-->ik",
        [
            "malformed arrow '-->'",
            "  ij,jk-->ik",
            "       ^^^",
            f"  {ARROW} 'ij,jk->ik'?",
        ],
    ),
    (
        "ij,jk→ik",
        ["malformed arrow '→'", "  ij,jk→ik", "       ^", f"  {ARROW} 'ij,jk->ik'?"],
    ),
    (
        "ij, jk - ik",
        [
            "malformed arrow '-'",
            "  ij, jk - ik",
            "         ^",
            f"  {ARROW} 'ij, jk->ik'?",
        ],
    ),
    (
        "ij,jk - > ik",
        [
            "malformed arrow '- >'",
            "  ij,jk - > ik",
            "        ^^^",
            f"  {ARROW} 'ij,jk->ik'?",
        ],
    ),
    (
        "ij,jk- >ik",
        [
            "malformed arrow '- >'",
            "  ij,jk- >ik",
            "       ^^^",
            f"  {ARROW} 'ij,jk->ik'?",
        ],
    ),
    (
        "ij,jk->ik->il",
        ["second arrow", "  ij,jk->ik->il", "           ^^", f"  {ONE_ARROW}"],
    ),
    (
        "ij->->i",
        ["second arrow", "  ij->->i", "      ^^", f"  {ONE_ARROW}"],
    ),
    (
        "ij..->i",
        ["malformed ellipsis '..'", "  ij..->i", "    ^^", f"  {DOTS}"],
    ),
    (
        "i.j->i",
        ["malformed ellipsis '.'", "  i.j->i", "   ^", f"  {DOTS}"],
    ),
    (
        "i....->i",
        ["malformed ellipsis '....'", "  i....->i", "   ^^^^", f"  {DOTS}"],
    ),
    (
        "...i...->i",
        ["second ellipsis in a term", "  ...i...->i", "      ^^^", f"  {ONE_ELLIPSIS}"],
    ),
    (
        "i->...i...",
        [
            "second ellipsis in a term",
            "  i->...i...",
            "         ^^^",
            f"  {ONE_ELLIPSIS}",
        ],
    ),
    (
        "bqhd,bkhd->bhqz",
        [
            "output index 'z' appears in no operand",
            "  bqhd,bkhd->bhqz",
            "                ^",
            "  the operands have b, q, h, d, k",
            *[line.format("z") for line in SIZE],
        ],
    ),
    (
        "->i",
        [
            "output index 'i' appears in no operand",
            "  ->i",
            "    ^",
            "  the operands have no index",
            *[line.format("i") for line in SIZE],
        ],
    ),
    (
        "ij->i,",
        [
            "',' after the arrow",
            "  ij->i,",
            "       ^",
            "  the output is one term; operands stand before '->'",
        ],
    ),
]


@pytest.mark.parametrize(("spec", "lines"), SPECS, ids=[spec for spec, _ in SPECS])
def test_spec_error(spec: str, lines: list[str]) -> None:
    for read in (eingrad.gradient_specs, eingrad.generate):
        with pytest.raises(eingrad.SpecError) as caught:
            read(spec)
        assert str(caught.value).split("\n") == lines


def test_empty_spec_says_what_a_scalar_is() -> None:
    with pytest.raises(eingrad.SpecError) as caught:
        eingrad.gradient_specs("")
    first, *_, last = str(caught.value).split("\n")
    assert first == "the spec is empty"
    assert last == "  name at least one operand; a scalar operand is '->'"


@pytest.mark.parametrize("spec", [None, 5, b"ij->i", ["ij", "jk"]])
def test_spec_that_is_no_string(spec: Any) -> None:
    kind = type(spec).__name__
    for read in (eingrad.gradient_specs, eingrad.generate, eingrad.load):
        with pytest.raises(eingrad.OptionError) as caught:
            read(spec)
        text = f"a spec is a string such as 'ij,jk->ik', got {kind}"
        assert str(caught.value) == text


IS_NO_NAME = "is no name: use ASCII letters, digits and '_', and start with a letter"
METHODS = "auto, optimal, branch-all, branch-2, branch-1, dp, greedy, cotengra"

# The options of a generation of ij,jk->ik, and the message.
OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"operand": ["x"]}, "unknown option 'operand'; did you mean 'operands'?"),
    ({"target": "torch"}, "unknown target 'torch'; it is numpy"),
    ({"complex": "adjont"}, "unknown complex 'adjont'; did you mean 'adjoint'?"),
    ({"complex": "x"}, "unknown complex 'x'; it is adjoint or transpose"),
    (
        {"operands": ["a"]},
        "ij,jk->ik has 2 operands, but the names given are: a",
    ),
    (
        {"operands": ["a", "b", "c"]},
        "ij,jk->ik has 2 operands, but the names given are: a, b, c",
    ),
    (
        {"operands": []},
        "ij,jk->ik has 2 operands, but the names given are: none",
    ),
    ({"operands": ["", "b"]}, f"operand name '' {IS_NO_NAME}"),
    ({"operands": ["1a", "b"]}, f"operand name '1a' {IS_NO_NAME}"),
    ({"operands": ["_a", "b"]}, f"operand name '_a' {IS_NO_NAME}"),
    ({"operands": ["a-b", "b"]}, f"operand name 'a-b' {IS_NO_NAME}"),
    ({"operands": ["α", "b"]}, f"operand name 'α' {IS_NO_NAME}"),
    ({"operands": [None, "b"]}, f"operand name None {IS_NO_NAME}"),
    ({"operands": ["class", "b"]}, "operand name 'class' is a keyword of Python"),
    (
        {"operands": ["np", "b"]},
        "operand name 'np' is a name that the generated module needs itself",
    ),
    (
        {"operands": ["a" * 29, "b"]},
        f"operand name '{'a' * 29}' is longer than 28 characters",
    ),
    ({"output": "a"}, "the output and an operand are both called 'a'"),
    ({"output": "lambda"}, "output name 'lambda' is a keyword of Python"),
    ({"output": "a b"}, f"output name 'a b' {IS_NO_NAME}"),
    ({"sizes": {"z": 3}}, "size of unknown index 'z'; ij,jk->ik has i, j, k"),
    ({"sizes": {"ij": 3}}, "size of unknown index 'ij'; ij,jk->ik has i, j, k"),
    ({"sizes": {"i": -1}}, "the size of index 'i' is -1, not a count"),
    (
        {"sizes": {"i": 2**63}},
        f"the size of index 'i' is more than {2**63 - 1}, "
        "the most that an axis can have",
    ),
    ({"sizes": {"i": 2.5}}, "the size of index 'i' is 2.5, not a count"),
    ({"sizes": {"i": "3"}}, "the size of index 'i' is '3', not a count"),
    ({"sizes": {"i": True}}, "the size of index 'i' is True, not a count"),
    (
        {"shapes": [(2, 3, 4), (3, 4)]},
        "shape (2, 3, 4) does not fit the operand 'ij', which has 2 axes",
    ),
    (
        {"shapes": [(2, 3), (4, 5)]},
        "index 'j' has size 4 in the shape (4, 5) of 'jk', "
        "but size 3 in the shape (2, 3) of 'ij'",
    ),
    (
        {"shapes": [(2, 3)]},
        "ij,jk->ik needs a shape for each operand: 2 in all, got 1",
    ),
    (
        {"operands": ["x", "x"], "shapes": [(2, 3), (3, 2)]},
        f"{TWO_PLACES}, but the shapes (2, 3) and (3, 2) are given",
    ),
    (
        {"operands": ["x", "x"], "shapes": [(1, 3), (1, 3)]},
        f"{TWO_PLACES}, where (1, 3) would be broadcast to both [1, 3] and [3, 3]",
    ),
    ({"wrt": ["c"]}, "wrt names no operand: 'c'; there are a, b"),
    (
        {"operands": ["query", "key"], "wrt": ["qeury"]},
        "wrt names no operand: 'qeury'; did you mean 'query'?",
    ),
    ({"wrt": []}, "wrt is a list of one or more operand names, got []"),
    ({"wrt": "a"}, "wrt is a list of one or more operand names, got 'a'"),
    ({"wrt": ["a", "a"]}, "wrt names an operand twice: a, a"),
    ({"optimize": "gredy"}, "unknown optimize method 'gredy'; did you mean 'greedy'?"),
    ({"optimize": "x"}, f"unknown optimize method 'x'; there are {METHODS}"),
    (
        {"optimize": [(0, 2)]},
        "path step [0, 2] does not fit: 2 tensors are left, numbered from 0",
    ),
    (
        {"optimize": [(0, 0)]},
        "path step [0, 0] does not fit: 2 tensors are left, numbered from 0",
    ),
    ({"optimize": []}, "the path leaves 2 tensors; it must leave one"),
    ({"name": "import"}, "kernel name 'import' is a keyword of Python"),
    ({"name": "../x"}, f"kernel name '../x' {IS_NO_NAME}"),
    (
        {"license": "MIT\nimport os"},
        r"license must be one line of text, got 'MIT\nimport os'",
    ),
    ({"license": None}, "license must be one line of text, got None"),
    ({"regenerate": "a\rb"}, r"regenerate must be one line of text, got 'a\rb'"),
    ({"line_length": 59}, "line length must be from 88 to 120, got 59"),
    ({"line_length": "88"}, "line length must be from 88 to 120, got '88'"),
]


@pytest.mark.parametrize(("options", "text"), OPTIONS, ids=[str(o) for o, _ in OPTIONS])
def test_option_error(options: dict[str, Any], text: str) -> None:
    with pytest.raises(eingrad.OptionError) as caught:
        eingrad.generate("ij,jk->ik", **options)
    assert str(caught.value) == text


# Values of no use at all; whatever the message is, it is one of ours.
NONSENSE: list[dict[str, Any]] = [
    {"operands": 5},
    {"operands": {"a"}},
    {"sizes": 3},
    {"sizes": [("i", 3)]},
    {"sizes": "i=3"},
    {"shapes": 3},
    {"shapes": [2, 3]},
    {"shapes": [("a", "b"), ("b", "c")]},
    {"shapes": [(2, -3), (-3, 5)]},
    {"shapes": [(2, 3.0), (3, 5)]},
    {"shapes": [(2, 3), (3, 5)], "sizes": {"i": 7}},
    {"wrt": 0},
    {"wrt": [0]},
    {"wrt": [np.array([1, 2])]},
    {"optimize": None},
    {"optimize": True},
    {"optimize": [0, 1]},
    {"target": ["numpy"]},
    {"complex": None},
]


@pytest.mark.parametrize("options", NONSENSE, ids=str)
def test_nonsense_is_refused_as_an_option(options: dict[str, Any]) -> None:
    with pytest.raises(eingrad.OptionError):
        eingrad.generate("ij,jk->ik", **options)


@pytest.mark.parametrize("option", [f.name for f in dataclasses.fields(Options)])
def test_array_as_an_option(option: str) -> None:
    with pytest.raises(eingrad.EingradError):
        eingrad.generate("ij,jk->ik", **{option: np.array([1.5, 2.5])})


def test_arrays_that_fit_are_lists_and_numbers() -> None:
    given = {"order": np.int64(2), "shapes": np.array([[2, 3], [3, 4]])}
    text = eingrad.generate("ij,jk->ik", wrt=np.array(["a"]), **given)
    like = {"order": 2, "shapes": [[2, 3], [3, 4]]}
    assert text == eingrad.generate("ij,jk->ik", wrt=["a"], **like)


@pytest.mark.parametrize(
    ("spec", "names"), [("ij,k->ik", ["x", "x"]), ("i...,ij->j", ["x", "x"])]
)
def test_terms_that_one_array_cannot_fit(spec: str, names: list[str]) -> None:
    first, second = spec.split("->")[0].split(",")
    with pytest.raises(eingrad.OptionError) as caught:
        eingrad.generate(spec, operands=names)
    assert f"operand 'x' stands for '{first}' and '{second}'" in str(caught.value)


@functools.cache
def load(spec: str, *names: str, output: str = "output", z: int | None = None) -> Any:
    sizes = None if z is None else {"z": z}
    return eingrad.load(spec, operands=names, output=output, sizes=sizes)


def zeros(*shape: int) -> Any:
    return np.zeros(shape)


matmul = functools.partial(load, "ij,jk->ik", "x", "weight", output="y")
diagonal = functools.partial(load, "ii->i", "x")
batched = functools.partial(load, "...ij,...j->...i", "u", "v")

J_DISAGREES = (
    "index 'j' has size 4 on axis 0 of operand 'weight', "
    "but size 3 on axis 1 of operand 'x'"
)

# A call that is wrong, and the text of its ValueError.
CALLS: dict[str, tuple[Callable[[], Any], str]] = {
    "a row for a matrix": (
        lambda: matmul().forward(zeros(2), zeros(3, 4)),
        "operand 'x' has the indices 'ij', which do not fit its shape (2,)",
    ),
    "a number for a matrix": (
        lambda: matmul().forward(zeros(2, 3), 1.0),
        "operand 'weight' has the indices 'jk', which do not fit its shape ()",
    ),
    "a number for a bias": (
        lambda: eingrad.load("bi,ij->bj", bias="j").forward(*PAIR, 1.0),
        "operand 'bias' has the indices 'j', which do not fit its shape ()",
    ),
    "cotangents for operands that have no gradient": (
        lambda: eingrad.load("i,i->", wrt=["a"], order=2).double_backward(
            [zeros(2)] * 2, zeros(), zeros(2), zeros(2)
        ),
        "double_backward takes a cotangent for each of ('a',), got 2",
    ),
    "sizes that disagree": (
        lambda: matmul().forward(zeros(2, 3), zeros(4, 5)),
        J_DISAGREES,
    ),
    "sizes that disagree, in backward": (
        lambda: matmul().backward(zeros(2, 5), zeros(2, 3), zeros(4, 5)),
        J_DISAGREES,
    ),
    "sizes that disagree, in vjp": (
        lambda: matmul().vjp(zeros(2, 3), zeros(4, 5)),
        J_DISAGREES,
    ),
    "sizes that disagree, in jvp": (
        lambda: matmul().jvp([zeros(2, 3), zeros(4, 5)], [zeros(2, 3), zeros(4, 5)]),
        J_DISAGREES,
    ),
    "sizes that disagree, in lists": (
        lambda: matmul().forward([[1, 2, 3]], [[1], [2], [3], [4]]),
        J_DISAGREES,
    ),
    "an empty axis against a full one": (
        lambda: matmul().forward(zeros(2, 0), zeros(4, 5)),
        J_DISAGREES.replace("size 3", "size 0"),
    ),
    "text": (
        lambda: matmul().forward(np.array([["a"]]), zeros(1, 4)),
        "operand 'x' has dtype <U1, which is no number",
    ),
    "rows of several lengths": (
        lambda: matmul().forward(zeros(2, 3), [[1], [2, 3]]),
        "operand 'weight' is no array: setting an array element with a sequence. "
        "The requested array has an inhomogeneous shape after 1 dimensions. "
        "The detected shape was (2,) + inhomogeneous part.",
    ),
    "dates": (
        lambda: matmul().forward(zeros(2, 3), np.zeros((3, 4), "M8[s]")),
        "operand 'weight' has dtype datetime64[s], which is no number",
    ),
    "a diagonal that is not square": (
        lambda: diagonal().forward(zeros(2, 3)),
        "index 'i' has size 3 on axis 1 of operand 'x', "
        "but size 2 on axis 0 of operand 'x'",
    ),
    "a diagonal broadcast, 1 first": (
        lambda: diagonal().forward(zeros(1, 3)),
        "index 'i' has size 3 on axis 1 of operand 'x', "
        "but size 1 on axis 0 of operand 'x'",
    ),
    "a diagonal broadcast, 1 last": (
        lambda: diagonal().forward(zeros(3, 1)),
        "index 'i' has size 1 on axis 1 of operand 'x', "
        "but size 3 on axis 0 of operand 'x'",
    ),
    "a cotangent of another rank": (
        lambda: matmul().backward(zeros(2), zeros(2, 3), zeros(3, 4)),
        "grad_y has shape (2,), but it must be (2, 4)",
    ),
    "a cotangent of another size": (
        lambda: matmul().backward(zeros(2, 5), zeros(2, 3), zeros(3, 4)),
        "index 'k' has size 5 on axis 1 of grad_y, but size 4 in the operands",
    ),
    "a transposed cotangent": (
        lambda: matmul().backward(zeros(4, 2), zeros(2, 3), zeros(3, 4)),
        "index 'i' has size 4 on axis 0 of grad_y, but size 2 in the operands",
    ),
    "a cotangent that would broadcast": (
        lambda: matmul().backward(zeros(2, 1), zeros(2, 3), zeros(3, 4)),
        "index 'k' has size 1 on axis 1 of grad_y, but size 4 in the operands",
    ),
    "a number as the cotangent": (
        lambda: matmul().backward(1.0, zeros(2, 3), zeros(3, 4)),
        "grad_y has shape (), but it must be (2, 4)",
    ),
    "text as the cotangent": (
        lambda: matmul().backward("a", zeros(2, 3), zeros(3, 4)),
        "grad_y has dtype <U1, which is no number",
    ),
    "a pullback's cotangent of another size": (
        lambda: matmul().vjp(zeros(2, 3), zeros(3, 4))[1](zeros(2, 5)),
        "index 'k' has size 5 on axis 1 of grad_y, but size 4 in the operands",
    ),
    "a pullback's cotangent of another size, where operands broadcast": (
        lambda: matmul().vjp(zeros(2, 1), zeros(3, 4))[1](zeros(2, 5)),
        "index 'k' has size 5 on axis 1 of grad_y, but size 4 in the operands",
    ),
    "a tangent of another size": (
        lambda: matmul().jvp([zeros(2, 3), zeros(3, 4)], [zeros(2, 3), zeros(3, 5)]),
        "index 'k' has size 5 on axis 1 of the tangent of 'weight', "
        "but size 4 in the operands",
    ),
    "a tangent of another rank": (
        lambda: matmul().jvp([zeros(2, 3), zeros(3, 4)], [zeros(3), zeros(3, 4)]),
        "the tangent of 'x' has shape (3,), but it must be (2, 3)",
    ),
    "a tangent that would broadcast": (
        lambda: matmul().jvp([zeros(2, 3), zeros(3, 4)], [zeros(2, 3), zeros(3, 1)]),
        "index 'k' has size 1 on axis 1 of the tangent of 'weight', "
        "but size 4 in the operands",
    ),
    "text as a tangent": (
        lambda: matmul().jvp([zeros(2, 3), zeros(3, 4)], ["q", zeros(3, 4)]),
        "the tangent of 'x' has dtype <U1, which is no number",
    ),
    "a cotangent of a gradient of another size": (
        lambda: eingrad.load("i,i->", order=2).double_backward(
            [zeros(2), zeros(3)], zeros(), zeros(2), zeros(2)
        ),
        "index 'i' has size 3 on axis 0 of the cotangent of the gradient of 'b', "
        "but size 2 in the operands",
    ),
    "too few axes for an ellipsis": (
        lambda: batched().forward(zeros(2), zeros(3)),
        "operand 'u' has the indices '...ij', which do not fit its shape (2,)",
    ),
    "sizes that disagree beside an ellipsis": (
        lambda: batched().forward(zeros(4, 2, 3), zeros(4, 5)),
        "index 'j' has size 5 on axis 1 of operand 'v', "
        "but size 3 on axis 2 of operand 'u'",
    ),
    "sizes that disagree within an ellipsis": (
        lambda: batched().forward(zeros(4, 2, 3), zeros(5, 3)),
        "index '...[-1]' has size 5 on axis 0 of operand 'v', "
        "but size 4 on axis 0 of operand 'u'",
    ),
    "a cotangent within an ellipsis": (
        lambda: batched().backward(zeros(5, 2), zeros(4, 2, 3), zeros(4, 3)),
        "index '...[-1]' has size 5 on axis 0 of grad_output, "
        "but size 4 in the operands",
    ),
    "one array broadcast in two ways": (
        lambda: load("ij,jk->ik", "x", "x").forward(zeros(1, 3)),
        "operand 'x' stands in two places of 'ij,jk->ik', where (1, 3) "
        "would be broadcast to both [1, 3] and [3, 3]",
    ),
    "one array that disagrees with itself": (
        lambda: load("ij,jk,ki->", "x", "x", "x").forward(zeros(2, 3)),
        "index 'j' has size 2 on axis 0 of operand 'x', "
        "but size 3 on axis 1 of operand 'x'",
    ),
    "a cotangent along a new index": (
        lambda: load("i->iz", "x", z=4).backward(zeros(3, 5), zeros(3)),
        "index 'z' has size 5 on axis 1 of grad_output, but size 4 in SIZES",
    ),
}


@pytest.mark.parametrize("what", CALLS)
def test_wrong_call(what: str) -> None:
    call, text = CALLS[what]
    with pytest.raises(ValueError) as caught:
        call()
    assert str(caught.value) == text


PAIR = [zeros(2, 3), zeros(3, 4)]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_number_of_primals_and_tangents(count: int) -> None:
    """Counts are told apart from the two that the operands are."""
    some = [*PAIR, zeros(1)][:count]
    for primals, tangents in [(some, PAIR), (PAIR, some)]:
        with pytest.raises(ValueError, match=r"2"):
            matmul().jvp(primals, tangents)


def test_check_of_a_file_that_is_no_module(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    with pytest.raises(eingrad.EingradError) as caught:
        check(path)
    assert str(caught.value) == f"cannot read {path}: No such file or directory"
    path.write_text("x = 1\n")
    with pytest.raises(eingrad.EingradError) as caught:
        check(path)
    lacks = "it lacks SPEC, OPERANDS, GRADIENTS"
    assert str(caught.value) == f"{path} is not a generated module: {lacks}"


def test_check_is_still_a_function_after_it_ran() -> None:
    for _ in range(2):
        assert eingrad.check("i->i").ok


def test_unknown_attribute_of_the_package() -> None:
    with pytest.raises(AttributeError) as caught:
        eingrad.frobnicate  # noqa: B018
    assert str(caught.value) == "module 'eingrad' has no attribute 'frobnicate'"


def test_every_error_is_an_eingrad_error_and_a_value_error() -> None:
    kinds = ("Config", "Internal", "Option", "Refused", "Spec")
    for kind in kinds:
        assert issubclass(getattr(eingrad, f"{kind}Error"), eingrad.EingradError)
    assert issubclass(eingrad.EingradError, ValueError)


# Arguments, the exit code, and all of stderr.
COMMANDS: list[tuple[list[str], int, str]] = [
    (
        ["ij,jk-ik"],
        2,
        "error: malformed arrow '-'\n  ij,jk-ik\n       ^\n"
        "  the output follows '->'; did you mean 'ij,jk->ik'?\n",
    ),
    (
        ["gradients", "ij->iz"],
        2,
        "error: output index 'z' appears in no operand\n  ij->iz\n       ^\n"
        "  the operands have i, j\n"
        "  or give z a size, and the output is constant along it: --sizes z=8\n"
        "  or, in a configuration, sizes = { z = 8 }\n",
    ),
    (
        ["ij->i", "--operands", "class"],
        2,
        "error: operand name 'class' is a keyword of Python\n",
    ),
    (
        ["ij->i", "--operands", ""],
        2,
        "error: ij->i has 1 operand, but the names given are: none\n",
    ),
    (
        ["ij->i", "--sizes", "i"],
        2,
        "error: cannot read size 'i'; write --sizes i=8,j=16\n",
    ),
    (
        ["ij->i", "--sizes", "i=-3"],
        2,
        "error: cannot read size 'i=-3'; write --sizes i=8,j=16\n",
    ),
    *(
        (
            ["ij->i", option, value],
            2,
            f"error: the size of index 'i' is more than {2**63 - 1}, "
            "the most that an axis can have\n",
        )
        for option, value in [
            ("--sizes", "i=" + "9" * 5000),
            ("--sizes", f"i=1{'0' * 400},j=3"),
            ("--shapes", f"{2**63}x3"),
        ]
    ),
    (
        ["ij->i", "--shapes", "axb"],
        2,
        "error: cannot read shape 'axb'; write --shapes 2x3,3x4\n",
    ),
    (
        ["ij,j->i", "--optimize", "[(0,1"],
        2,
        "error: cannot read path '[(0,1'; write --path '(0,1),(0,1)'\n",
    ),
    (
        ["check", "nofile.py"],
        2,
        "error: cannot read nofile.py: No such file or directory\n",
    ),
    (
        ["check", "mine"],
        2,
        "error: 'mine' reads as a name, not as a spec\n"
        "  for a file: eingrad check mine.py\n"
        "  if it is a spec, write its output: eingrad check 'mine->eimn'\n",
    ),
    (
        ["check", "kernels"],
        2,
        "error: 'kernels' reads as a name, not as a spec\n"
        "  for a file: eingrad check kernels/*.py\n"
        "  if it is a spec, write its output: eingrad check 'kernels->klnrs'\n",
    ),
    (
        ["version"],
        2,
        "error: unknown command 'version'; did you mean '--version'?\n"
        "  if it is a spec, write its output: eingrad 'version->einorsv'\n",
    ),
    (
        ["build"],
        2,
        "error: no configuration in .; run `eingrad init`, "
        "or write [tool.eingrad] in pyproject.toml\n",
    ),
    (
        ["ij->i", "-o", "mine.py"],
        3,
        "error: nothing was written\n"
        "  mine.py is not a file that eingrad wrote; move it, or choose another name\n",
    ),
    (
        ["check", "mine.py"],
        2,
        "error: mine.py is not a generated module: "
        "it lacks SPEC, OPERANDS, GRADIENTS\n",
    ),
]


@pytest.mark.parametrize(
    ("args", "code", "stderr"),
    COMMANDS,
    ids=[" ".join(args)[:60] for args, _, _ in COMMANDS],
)
def test_command_line_error(
    args: list[str],
    code: int,
    stderr: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("x = 1\n")
    (tmp_path / "kernels").mkdir()
    with pytest.raises(SystemExit) as left:
        main(args)
    talk = capsys.readouterr()
    assert (left.value.code, talk.out, talk.err) == (code, "", stderr)
    assert (tmp_path / "mine.py").read_text() == "x = 1\n"


@pytest.mark.parametrize(
    ("args", "command", "said"),
    [
        (
            ["ij->i", "--complex", "both"],
            "generate",
            [
                "Invalid value for '--complex': "
                "'both' is not one of 'adjoint', 'transpose'."
            ],
        ),
        (
            ["ij->i", "--frob"],
            "generate",
            ["No such option '--frob'.", "No such option: --frob"],
        ),
        (["gradients"], "gradients", ["Missing argument 'SPEC'."]),
    ],
)
def test_usage_error_in_the_words_of_click(
    args: list[str],
    command: str,
    said: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """They differ in the versions of click that we allow."""
    with pytest.raises(SystemExit) as left:
        main(args)
    talk = capsys.readouterr()
    assert (left.value.code, talk.out) == (2, "")
    assert talk.err in [
        f"Usage: eingrad {command} [OPTIONS] SPEC\n"
        f"Try 'eingrad {command} {option}' for help.\n\nError: {words}\n"
        for option in ("--help", "-h")
        for words in said
    ]


MODULE = "# Code generated by eingrad. DO NOT EDIT."


@pytest.mark.parametrize(
    ("args", "first"),
    [
        (["ba"], MODULE),
        (["generate", "matmul"], MODULE),
        (["check", "ii"], "proved: ii->"),
        (["build->b"], MODULE),
        (["--license", "", "ij->i"], MODULE),
        (["--line-length", "99", "ij->i"], MODULE),
        (["-h"], "Usage: eingrad [OPTIONS] COMMAND [ARGS]..."),
        (["help"], "Usage: eingrad [OPTIONS] COMMAND [ARGS]..."),
        (["help", "vendor", "add"], "Usage: eingrad vendor add [OPTIONS] [SPEC]"),
    ],
    ids=" ".join,
)
def test_words_that_are_understood(
    args: list[str], first: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with contextlib.suppress(SystemExit):
        main(args)
    assert capsys.readouterr().out.splitlines()[0] == first


def test_the_value_of_an_option_is_no_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    main(["-o", "checks.py", "ij,jk->ik"])
    main(["--name", "init", "ij->ji"])
    assert {path.name for path in tmp_path.iterdir()} == {"checks.py", "init.py"}


def test_command_line_reports_a_wrong_module(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wrong.py"
    text = eingrad.generate("ij,jk->ik")
    path.write_text(text.replace("a.dot(b)", "a.dot(b) + 1"))
    with pytest.raises(SystemExit) as left:
        main(["check", str(path)])
    talk = capsys.readouterr()
    assert left.value.code == 1
    assert talk.out.startswith("wrong: ij,jk->ik\n")
    assert talk.err == ""


def test_check_of_several_files(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    text = eingrad.generate("ij,jk->ik")
    Path("right.py").write_text(text)
    Path("wrong.py").write_text(text.replace("a.dot(b)", "a.dot(b) + 1"))
    for args, code in [
        (["wrong.py", "right.py"], 1),
        (["right.py", "right.py"], 0),
    ]:
        with pytest.raises(SystemExit) as left:
            main(["check", *args])
        assert left.value.code == code
        verdicts = {"wrong.py": "wrong", "right.py": "proved"}
        talk = capsys.readouterr().out
        heads = [line for line in talk.splitlines() if ".py: " in line]
        assert heads == [f"{name}: {verdicts[name]}: ij,jk->ik" for name in args]
    with pytest.raises(SystemExit) as left:
        main(["check", "--json", "wrong.py", "right.py"])
    assert left.value.code == 1
    found = json.loads(capsys.readouterr().out)
    assert [report["ok"] for report in found] == [False, True]


def test_what_a_module_prints_is_no_part_of_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "loud.py"
    text = eingrad.generate("ij->i")
    text = text.replace("    adapted = None", "    adapted = print(2)", 1)
    path.write_text(f"{text}\nprint(1)\n")
    with pytest.raises(SystemExit) as left:
        main(["check", "--json", str(path)])
    talk = capsys.readouterr()
    assert left.value.code == 0 and json.loads(talk.out)["ok"]
    assert talk.err.startswith("1\n2\n")


def test_command_line_refuses_a_negative_seed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["check", "ij->i", "--seed", "-1"])
    assert left.value.code == 2
    assert capsys.readouterr().err


WRITING = ["--help", "check --help", "schema", "gradients ij,jk->ik", "ij,jk->ik"]


@pytest.mark.parametrize("command", WRITING)
def test_a_closed_pipe_is_left_quietly(command: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb") as stdout:
        assert leaves(command, stdout) == (0, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize("command", WRITING)
def test_a_full_disk_is_one_line(command: str) -> None:
    message = b"error: cannot write to stdout: No space left on device\n"
    with open("/dev/full", "wb") as stdout:
        assert leaves(command, stdout) == (2, message)


@pytest.mark.parametrize("why", ["Bad file descriptor", "it is closed"])
def test_a_stdin_that_cannot_be_read_is_one_line(
    why: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with open(os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)) as unreadable:
        monkeypatch.setattr(sys, "stdin", None if "closed" in why else unreadable)
        with pytest.raises(SystemExit) as left:
            main(["gradients", "-"])
    message = f"error: cannot read stdin: {why}\n"
    assert (left.value.code, *capsys.readouterr()) == (2, "", message)


def test_a_byte_order_mark_on_stdin_is_no_part_of_a_spec(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin = io.StringIO("\N{BYTE ORDER MARK}ij->i\nij->j\n")
    monkeypatch.setattr(sys, "stdin", stdin)
    main(["gradients", "-"])
    assert capsys.readouterr().out == "i->ij\nj->ij\n"


@pytest.mark.parametrize("words", ["check -", "check - --json"])
def test_a_check_of_no_spec_proves_nothing(
    words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))
    with pytest.raises(SystemExit) as left:
        main(words.split())
    message = "error: there is no spec on stdin, so nothing is proved\n"
    assert (left.value.code, *capsys.readouterr()) == (2, "", message)


def leaves(command: str, stdout: BinaryIO) -> tuple[int, bytes]:
    """Run a command in its own process; return its exit code and stderr."""
    words = [sys.executable, "-m", "eingrad", *command.split()]
    done = subprocess.run(words, stdout=stdout, stderr=subprocess.PIPE)
    return done.returncode, done.stderr


@pytest.mark.parametrize("error", [eingrad.InternalError, RuntimeError])
def test_a_bug_of_ours_leaves_with_70(
    error: type[Exception],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A verifier that says no stands for any stage that broke its promise."""

    def broken(_: Any) -> None:
        raise error("a broken promise")

    monkeypatch.setattr("eingrad.pipeline.verify", broken)
    with pytest.raises(SystemExit) as left:
        main(["ij->i"])
    talk = capsys.readouterr()
    assert (left.value.code, talk.out) == (70, "")
    assert "a broken promise" in talk.err
    assert "this is a bug of eingrad; please report the command" in talk.err


@pytest.mark.parametrize("arrow", ["->>", "—", "=>", ">", "→"])
def test_another_arrow_is_named_whole(arrow: str) -> None:
    with pytest.raises(eingrad.SpecError) as caught:
        eingrad.generate(f"ij,jk{arrow}ik")
    assert str(caught.value) == (
        f"malformed arrow {arrow!r}\n"
        f"  ij,jk{arrow}ik\n"
        f"       {'^' * len(arrow)}\n"
        "  the output follows '->'; did you mean 'ij,jk->ik'?"
    )


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_what_takes_long_says_so_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = Terminal()
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setattr(terminal, "PATIENCE", 0.0)
    with terminal.at_work():
        end = time.monotonic() + 10
        while not stderr.getvalue().endswith("\n") and time.monotonic() < end:
            time.sleep(0.001)
    assert stderr.getvalue() == "at work; Ctrl-C stops it\n"


@pytest.mark.parametrize("stderr", [io.StringIO(), None])
def test_what_takes_long_is_silent_elsewhere(
    stderr: io.StringIO | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setattr(threading, "Timer", None)
    with terminal.at_work():
        pass


def test_what_is_over_in_a_moment_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = Terminal()
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setattr(terminal, "PATIENCE", 0.05)
    with terminal.at_work():
        pass
    time.sleep(0.1)
    assert stderr.getvalue() == ""
