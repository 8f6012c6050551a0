"""What a generated module says of itself."""

from __future__ import annotations

import re
from typing import Any

import pytest

import eingrad
from eingrad.notation import roles
from eingrad.spec import parse


def docstring(spec: str, **options: Any) -> str:
    """Return the docstring of a module."""
    return str(eingrad.load(spec, **options).__doc__)


def table(spec: str, **options: Any) -> list[str]:
    """Return the lines that list the specs."""
    return docstring(spec, **options).split("\n\n")[1].splitlines()


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("bhqk,bkhd->bqhd", "batch b h, contracted k"),
        (",bqhd,bkhd->bhqk", "batch b h, contracted d"),
        ("ij,jk,kl,l->i", "contracted j k l"),
        ("ij,jk->k", "contracted j, summed i"),
        ("ij,j,k->j", "batch j, summed i k"),
        ("...j->j", "summed ..."),
        ("i->iij", "constant along j, on the diagonal of i"),
    ],
)
def test_an_index_plays_one_part_whatever_the_number_of_operands(
    spec: str, expected: str
) -> None:
    assert roles(parse(spec, sizes="j")) == expected


def test_the_places_of_an_array_add_up() -> None:
    options = {"operands": ["x", "y", "x"], "output": "z"}
    assert table(",ij,->ij", **options) == [
        "    forward    ,ij,->ij",
        "    grad_x     ij,ij,->    contracted i j",
        "      +        ,ij,ij->    contracted i j",
        "    grad_y     ,ij,->ij",
    ]
    said = "x stands in 2 places: its gradient is the sum of what each gives."
    assert said in docstring(",ij,->ij", **options)
    assert "stands in" not in docstring(",ij,->ij", wrt=["y"], **options)


def test_a_size_that_no_operand_tells_is_stated() -> None:
    told = "An index of the output alone has a fixed size: j = 3, k = 5."
    found = docstring("i->ijk", sizes={"i": 2, "j": 3, "k": 5})
    assert told in " ".join(found.split())
    assert "fixed size" not in docstring("i->i", sizes={"i": 2})


def test_the_parameter_of_a_function_stands_in_its_slope() -> None:
    module = eingrad.load("i->i", activation="leaky_relu:0.1")
    text = " ".join(str(module.__doc__).split())
    assert text.startswith("output[i] = leaky_relu(a[i]), and its gradients.")
    assert "leaky_relu'(x) = 1 for x >= 0, 0.1 for x < 0." in text
    assert module.forward.__doc__.startswith("Compute ``leaky_relu(i->i)``.")


def test_no_line_breaks_within_a_pair_of_the_path() -> None:
    text = docstring(",".join(["ij", "jk"] * 16) + "->ik")
    pairs = re.search(r"Contraction path: ([(),\d\s]*)\.", text)
    assert pairs is not None
    assert "\n" in pairs[1]
    lines = pairs[1].split("\n")
    assert all(re.fullmatch(r"(\(\d+, \d+\),? ?)+", line) for line in lines)


def test_a_cost_that_no_size_changes_is_a_number() -> None:
    assert "Multiply-adds: 2 forward, 4 for the gradients." in docstring(",,->")
    assert "Multiply-adds: 1 forward, 2 for the gradients." in docstring(",->")


@pytest.mark.parametrize(
    ("spec", "bias", "broadcasts"),
    [
        ("ii->", None, False),
        ("...i->...", None, False),
        ("ij,kl->ijkl", None, False),
        ("ij->ij", "j", True),
        ("ij,jk->ik", None, True),
        ("...i,...->i", None, True),
    ],
)
def test_axes_of_size_1_broadcast_where_two_arrays_share_an_index(
    spec: str, bias: str | None, broadcasts: bool
) -> None:
    assert ("An axis of size 1" in docstring(spec, bias=bias)) == broadcasts
