"""The part that each index plays."""

from __future__ import annotations

import pytest

from eingrad.index_sets import index_sets
from eingrad.spec import parse

FIELDS = (
    "left_kept",
    "left_lone",
    "batch",
    "contracted",
    "right_kept",
    "right_lone",
    "new",
    "repeated",
)

# A spec, an operand, and the indices of each field that is not empty.
SETS = [
    ("ij,jk->ik", 0, {"left_kept": "i", "contracted": "j", "right_kept": "k"}),
    ("ij,jk->ik", 1, {"left_kept": "k", "contracted": "j", "right_kept": "i"}),
    (
        "bqhd,bkhd->bhqk",
        0,
        {"batch": "bh", "left_kept": "q", "contracted": "d", "right_kept": "k"},
    ),
    (
        "abc,cd->ad",
        0,
        {"left_kept": "a", "left_lone": "b", "contracted": "c", "right_kept": "d"},
    ),
    ("ab,cd->", 0, {"left_lone": "ab", "right_lone": "cd"}),
    ("ab,cd->", 1, {"left_lone": "cd", "right_lone": "ab"}),
    ("iij->ij", 0, {"left_kept": "ij", "repeated": "i"}),
    ("ii->", 0, {"left_lone": "i", "repeated": "i"}),
    (
        "iji,jk->kj",
        0,
        {"left_lone": "i", "batch": "j", "right_kept": "k", "repeated": "i"},
    ),
    ("i->zi", 0, {"left_kept": "i", "new": "z"}),
    ("->", 0, {}),
    (",i->i", 0, {"right_kept": "i"}),
    (
        "ij,jk,kl->il",
        1,
        {"contracted": "jk", "right_kept": "il"},
    ),
    ("...i,i->...", 0, {"left_kept": ("...",), "contracted": "i"}),
]


@pytest.mark.parametrize(("spec", "operand", "expected"), SETS)
def test_index_sets(
    spec: str, operand: int, expected: dict[str, str | tuple[str, ...]]
) -> None:
    sets = index_sets(parse(spec, sizes="z"), operand)
    found = {name: getattr(sets, name) for name in FIELDS}
    wanted = {name: tuple(expected.get(name, ())) for name in FIELDS}
    assert found == wanted


@pytest.mark.parametrize(("spec", "operand"), [row[:2] for row in SETS])
def test_every_index_plays_one_part(spec: str, operand: int) -> None:
    einsum = parse(spec, sizes="z")
    sets = index_sets(einsum, operand)
    parts = [index for name in FIELDS[:-1] for index in getattr(sets, name)]
    assert sorted(parts) == sorted(einsum.indices)
    assert sets.only_left == sets.left_kept + sets.left_lone
    assert sets.both == sets.batch + sets.contracted
    assert sets.only_right == sets.right_kept + sets.right_lone
