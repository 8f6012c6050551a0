"""Parsing: the canonical text, its parts, and what shapes and sizes make of it."""

from __future__ import annotations

import pytest
from stages import request

from eingrad.errors import OptionError, SpecError, display_width
from eingrad.spec import Einsum, parse, parse_sized, resolve_shapes, unique

CANONICAL = {
    "ij,jk->ik": "ij,jk->ik",
    " i j , j k  ->  i k ": "ij,jk->ik",
    "ij,\tjk->\nik": "ij,jk->ik",
    "ij,jk": "ij,jk->ik",
    "ba": "ba->ab",
    "bA": "bA->Ab",
    "ii": "ii->",
    "iij": "iij->j",
    "i": "i->i",
    "->": "->",
    ",": ",->",
    ",->": ",->",
    ",,": ",,->",
    ",ij->ij": ",ij->ij",
    "ij,": "ij,->ij",
    "aB,BC": "aB,BC->Ca",
    "...": "...->...",
    "i...j": "i...j->...ij",
    "...i,i...": "...i,i...->...",
    ". . .": None,
    "i ... -> ... i": "i...->...i",
    "ij->...": "ij->",
    "i->i...": "i->i",
    "i->ii": "i->ii",
    "αβ,βγ": "αβ,βγ->αγ",
    "éa": "éa->aé",
    "漢字->字": "漢字->字",
    "𝐚𝐛->𝐛": "𝐚𝐛->𝐛",
    "ijji,kji,jj->kj": "ijji,kji,jj->kj",
}


@pytest.mark.parametrize(("text", "canonical"), CANONICAL.items())
def test_canonical_text(text: str, canonical: str | None) -> None:
    if canonical is None:
        with pytest.raises(SpecError):
            parse(text)
        return
    assert str(parse(text)) == canonical
    assert parse(canonical) == parse(text)


def test_parts() -> None:
    einsum = parse("...iij,k->k...i")
    assert einsum.operands == (("...", "i", "i", "j"), ("k",))
    assert einsum.output == ("k", "...", "i")
    assert einsum.indices == ("...", "i", "j", "k")
    assert einsum.new_indices == ()


def test_an_empty_term_is_a_scalar() -> None:
    assert parse("->") == Einsum(((),), ())
    assert parse(",i->i") == Einsum(((), ("i",)), ("i",))


def test_a_new_index_needs_its_size() -> None:
    assert parse("i->zi", sizes="z").new_indices == ("z",)
    assert parse("->zzy", sizes={"z": 2, "y": 3}).new_indices == ("z", "y")
    with pytest.raises(SpecError):
        parse("i->zi", sizes="y")


def test_the_span_is_the_culprit() -> None:
    with pytest.raises(SpecError) as caught:
        parse("ab, cd -> a!")
    error = caught.value
    assert error.spec[slice(*error.span)] == "!"
    with pytest.raises(SpecError) as caught:
        parse("ab,cd => ad")
    assert caught.value.spec[slice(*caught.value.span)] == "=>"


def test_unique_keeps_the_first() -> None:
    assert unique("abcab") == ("a", "b", "c")


@pytest.mark.parametrize(
    ("text", "width"), [("ab", 2), ("漢a", 3), ("e\u0301", 1), ("", 0)]
)
def test_display_width(text: str, width: int) -> None:
    assert display_width(text) == width


# A spec, shapes, what the ellipsis becomes, and the sizes.
RESOLVED = [
    ("ij,jk->ik", [(2, 3), (3, 4)], "ij,jk->ik", {"i": 2, "j": 3, "k": 4}),
    ("ij,jk->ik", [(2, 1), (3, 4)], "ij,jk->ik", {"i": 2, "j": 3, "k": 4}),
    ("i,i->i", [(1,), (0,)], "i,i->i", {"i": 0}),
    ("...i->i...", [(5, 6, 2)], "ABi->iAB", {"A": 5, "B": 6, "i": 2}),
    ("...i,...->...", [(5, 2), (7, 5)], "Bi,AB->AB", {"A": 7, "B": 5, "i": 2}),
    ("...i->...", [(2,)], "i->", {"i": 2}),
    ("...A->...", [(3, 2)], "BA->B", {"B": 3, "A": 2}),
]


@pytest.mark.parametrize(("spec", "shapes", "text", "sizes"), RESOLVED)
def test_shapes_resolve_the_ellipsis(
    spec: str, shapes: list[tuple[int, ...]], text: str, sizes: dict[str, int]
) -> None:
    einsum, found = resolve_shapes(parse(spec), shapes)
    assert (str(einsum), found) == (text, sizes)


@pytest.mark.parametrize(
    ("spec", "shapes"),
    [
        ("ij->i", [(2,)]),
        ("ij->i", [(2, 3), (4,)]),
        ("i,i->i", [(2,), (3,)]),
        ("ii->i", [(1, 3)]),
        ("ij...->i", [(2,)]),
        ("...,...->...", [(2,), (3,)]),
    ],
)
def test_shapes_that_do_not_fit(spec: str, shapes: list[tuple[int, ...]]) -> None:
    with pytest.raises(OptionError):
        resolve_shapes(parse(spec), shapes)


def test_sizes_are_counts_of_known_indices() -> None:
    sizes = {"i": 0, "j": 5}
    assert parse_sized("ij->i", sizes) == (parse("ij->i"), sizes)
    for sizes in ({"k": 1}, {"i": -1}, {"i": 1.5}, {"i": True}):
        with pytest.raises(OptionError):
            parse_sized("ij->i", sizes)


def test_default_names_leave_out_what_reads_like_a_digit() -> None:
    names = request(",".join("i" * 52) + "->i").operands
    assert names[:3] == ("a", "b", "c")
    assert names[10:12] == ("k", "m")
    assert names[24:27] == ("z", "a1", "b1")
    assert len(set(names)) == 52


# What generates a module, and the command that its header states.
COMMANDS = [
    ("ij,jk->ik", {}, "eingrad 'ij,jk->ik'"),
    (" ij ", {}, "eingrad generate ij"),
    ("ij->i", {"operands": ["x"]}, "eingrad 'ij->i' --operands x"),
    ("ij->i", {"output": "y"}, "eingrad 'ij->i' --output y"),
    ("ij->i", {"sizes": {"i": 3, "j": 4}}, "eingrad 'ij->i' --sizes i=3,j=4"),
    (
        "...i,->i",
        {"shapes": [(2, 3), ()]},
        "eingrad '...i,->i' --shapes 2x3,",
    ),
    ("i,i->", {"wrt": ["b"]}, "eingrad 'i,i->' --wrt b"),
    ("i->i", {"complex": "transpose"}, "eingrad 'i->i' --complex transpose"),
    ("i,i->", {"optimize": [(0, 1)]}, "eingrad 'i,i->' --optimize '[(0,1)]'"),
    ("i->i", {"regenerate": "make kernels"}, "make kernels"),
]


@pytest.mark.parametrize(("spec", "options", "command"), COMMANDS)
def test_the_command_that_regenerates(
    spec: str, options: dict[str, object], command: str
) -> None:
    assert request(spec, **options).regenerate == command
