"""Tables put into TOML and taken out of it, where the rest of the text stays."""

from __future__ import annotations

import tomllib

import pytest

from eingrad.errors import ConfigError
from eingrad.toml_text import with_table, without_table

KEYS = ("tool", "eingrad", "vendor", "mm")
TABLE = {"spec": "ij,jk->ik", "sizes": {"i": 2}, "shapes": [[2, 3], [3, 4]]}
BLOCK = """\
[tool.eingrad.vendor.mm]
spec = "ij,jk->ik"
sizes = {i = 2}
shapes = [[2, 3], [3, 4]]
"""

TEXTS = {
    "nothing": "",
    "another table": '# mine\n[project]\nname = "x"  # its name\n',
    "no last newline": '[project]\nname = "x"',
    "ours": '[tool.eingrad]\nout = "gen"\n\n[tool.eingrad.kernels.a]\nspec = "i->"\n',
    "out of order": '[tool.ruff]\nx = 1\n\n[project]\nname = "x"\n\n[tool.b]\ny = 1\n',
    "a sibling": '[tool.eingrad.vendor.a]\nspec = "i->"\n\n[tool.ruff]\nx = 1\n',
}

# Where no table of its own can stand at the end of the file.
AWKWARD = {
    "dotted": '[tool.eingrad]\nvendor.a.spec = "i->"\n',
    "inline": '[tool]\neingrad = { vendor = { a = { spec = "i->" } } }\n',
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=list(TEXTS))
def test_a_table_is_added_at_the_end_and_taken_out(text: str) -> None:
    added = with_table(text, KEYS, TABLE)
    assert added == f"{text}{added[len(text) : -len(BLOCK)]}{BLOCK}"
    assert added[len(text) : -len(BLOCK)].strip() == ""
    ended = text if not text or text.endswith("\n") else f"{text}\n"
    assert without_table(added, KEYS) == ended


@pytest.mark.parametrize("text", TEXTS.values(), ids=list(TEXTS))
def test_line_ends_stay_as_they_are(text: str) -> None:
    crlf = text.replace("\n", "\r\n")
    added = with_table(crlf, KEYS, TABLE)
    if crlf.count("\n"):
        assert added == with_table(text, KEYS, TABLE).replace("\n", "\r\n")


@pytest.mark.parametrize("text", AWKWARD.values(), ids=list(AWKWARD))
def test_a_table_finds_its_place_among_others(text: str) -> None:
    added = with_table(text, KEYS, TABLE)
    tables = tomllib.loads(added)["tool"]["eingrad"]["vendor"]
    assert tables == {"a": {"spec": "i->"}, "mm": TABLE}
    left = tomllib.loads(without_table(added, KEYS))
    assert left == tomllib.loads(text)


def test_what_cannot_be_done_is_said() -> None:
    with pytest.raises(ConfigError) as error:
        with_table("tool = 1\n", KEYS, TABLE)
    assert str(error.value) == (
        "the configuration cannot be changed as it stands; add it by hand:\n"
        + BLOCK.rstrip()
    )
