"""Brackets that break over lines as the formatter breaks them."""

from __future__ import annotations

import pytest

from eingrad.pretty import (
    Bracketed,
    assign_tuple,
    broken,
    call,
    fits,
    string_constant,
    tuple_of,
)


def test_docs_print_on_one_line() -> None:
    assert str(call("f", "x", call("g", "y"))) == "f(x, g(y))"
    assert str(tuple_of(["x", "y"])) == "(x, y)"
    assert str(tuple_of(["x"])) == "(x,)"
    assert str(tuple_of([])) == "()"
    assert str(Bracketed("a", (":", "None"), "[]")) == "a[:, None]"


# Prefix, doc, suffix, width, and the lines.
BROKEN = [
    ("x = ", call("f", "a", "b"), "", 20, ["x = f(a, b)"]),
    ("x = ", call("f", "aaaa", "bbbb"), "", 14, ["x = f(", "    aaaa, bbbb", ")"]),
    (
        "x = ",
        call("f", "aaaaaa", "bbbbbb"),
        "",
        14,
        ["x = f(", "    aaaaaa,", "    bbbbbb,", ")"],
    ),
    (
        "return ",
        tuple_of(["aaaa", "bbbb"]),
        "",
        16,
        ["return (", "    aaaa,", "    bbbb,", ")"],
    ),
    (
        "if x != ",
        tuple_of(["aaaa", "bbbb"]),
        ":",
        18,
        ["if x != (", "    aaaa,", "    bbbb,", "):"],
    ),
    ("name = ", "a_name", "", 12, ["name = (", "    a_name", ")"]),
    (
        "x = ",
        call("f", call("gggg", "aaaa", "bbbb"), "c"),
        "",
        16,
        [
            "x = f(",
            "    gggg(",
            "        aaaa,",
            "        bbbb,",
            "    ),",
            "    c,",
            ")",
        ],
    ),
]


@pytest.mark.parametrize(("prefix", "doc", "suffix", "width", "lines"), BROKEN)
def test_broken(prefix, doc, suffix, width, lines) -> None:  # type: ignore[no-untyped-def]
    assert broken(prefix, doc, suffix, width=width) == lines
    indented = broken(prefix, doc, suffix, indent="  ", width=width + 2)
    assert indented == ["  " + line for line in lines]


def test_wide_letters_take_two_columns() -> None:
    assert fits("a" * 10, 10)
    assert fits("漢" * 5, 10)
    assert not fits("漢" * 6, 11)


def test_tuples_are_unpacked() -> None:
    assert assign_tuple(["a", "b"], "x.shape", 30) == ["    a, b = x.shape"]
    assert assign_tuple(["a"], "x.shape", 30) == ["    (a,) = x.shape"]
    assert assign_tuple(["aaaa", "bbbb"], "x.shape", 20) == [
        "    (",
        "        aaaa,",
        "        bbbb,",
        "    ) = x.shape",
    ]


@pytest.mark.parametrize("output", ["", "a", "ab", "abcdefgh"])
@pytest.mark.parametrize("count", [1, 2, 9, 25, 26, 27, 28, 29, 30, 60])
@pytest.mark.parametrize("width", [60, 88])
def test_long_strings_are_cut_and_stay_what_they_are(
    output: str, count: int, width: int
) -> None:
    spec = f"{','.join(['ab'] * count)}->{output}"
    lines = string_constant("SPEC", spec, width)
    known: dict[str, str] = {}
    exec("\n".join(lines), known)
    assert known["SPEC"] == spec
    assert all(fits(line, width) for line in lines)
