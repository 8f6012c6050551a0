"""How a contraction path is found, pinned and printed."""

from __future__ import annotations

import importlib.util
import itertools
import math
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from click.testing import CliRunner
from stages import request

import eingrad
from eingrad.cli import commands
from eingrad.contraction import contraction_trees

CHAIN = "ab,bc,cd,de,ef,fg,gh,hi,ij,jk,kl,lm,mn->an"
REGULAR = "abc,ade,dfg,hij,klm,fkn,hlo,mnp,bgq,eor,ciq,jpr->"


def printed(text: str) -> str:
    """Return the path that a module's docstring prints, as it stands there."""
    found = re.search(r"Contraction path: ([^.]*\.)", text)
    assert found
    return found[1]


@pytest.mark.parametrize("option", ["--path", "--optimize"])
@pytest.mark.parametrize("spec", ["ij,jk,kl->il", "i,i,i->", CHAIN])
def test_the_printed_path_can_be_pasted(spec: str, option: str) -> None:
    text = eingrad.generate(spec, sizes={"i": 7})
    path = printed(text)
    result = CliRunner().invoke(commands, ["generate", spec, option, path])
    assert result.exit_code == 0, result.output
    assert printed(result.output) == path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("(1, 2), (0, 1)", [(1, 2), (0, 1)]),
        ("(1,2),(0,1)", [(1, 2), (0, 1)]),
        ("[(1, 2), (0, 1)]", [(1, 2), (0, 1)]),
        ("[[1, 2], [0, 1]]", [(1, 2), (0, 1)]),
        ("((1, 2), (0, 1))", [(1, 2), (0, 1)]),
        ("(1,\n2), (0, 1).", [(1, 2), (0, 1)]),
        ("(0, 1, 2)", [(0, 1, 2)]),
        ("[0, 1, 2]", [(0, 1, 2)]),
    ],
)
def test_ways_to_write_a_path(text: str, path: list[tuple[int, ...]]) -> None:
    given = CliRunner().invoke(commands, ["generate", "ij,jk,kl->il", "--path", text])
    assert given.output == eingrad.generate("ij,jk,kl->il", optimize=path)


@pytest.mark.parametrize("text", ["(1)", "(a,b)", "(0,1),2", "(0,1", "[]x"])
def test_what_is_no_path(text: str) -> None:
    args = ["generate", "ij,jk,kl->il", "--path", text]
    with pytest.raises(eingrad.OptionError, match="cannot read path"):
        commands.main(args, standalone_mode=False)


class TestCotengra:
    """Its plans: no worse than opt_einsum's, and one for every seed of hashes."""

    @pytest.fixture(autouse=True)
    def installed(self) -> None:
        if importlib.util.find_spec("cotengra") is None:
            pytest.skip("cotengra is not installed")

    def test_networks_take_no_more_work(self) -> None:
        asked: Any = request(REGULAR, sizes=dict.fromkeys("abcdefghijklmnopqr", 4))
        ours = contraction_trees(asked.einsum, asked.sizes, "cotengra")[0]
        other = contraction_trees(asked.einsum, asked.sizes, "auto")[0]
        assert ours.multiply_adds(asked.sizes) <= other.multiply_adds(asked.sizes)

    @pytest.mark.parametrize("spec", ["i,i,i->", ",,->", "ii,jj,kk->", "a,b,c->cab"])
    def test_odd_specs(self, spec: str) -> None:
        assert eingrad.check(spec, optimize="cotengra").ok

    def test_the_path_is_always_the_same(self) -> None:
        script = (
            f"import eingrad\nprint(eingrad.generate({REGULAR!r}, optimize='cotengra'))"
        )
        texts = {
            subprocess.run(
                [sys.executable, "-c", script],
                env={**os.environ, "PYTHONHASHSEED": seed},
                check=True,
                capture_output=True,
            ).stdout
            for seed in ("1", "2")
        }
        assert len(texts) == 1


def test_cotengra_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cotengra", None)
    with pytest.raises(eingrad.OptionError, match="pip install cotengra"):
        eingrad.generate("ij,jk,kl->il", optimize="cotengra")


def test_sizes_of_all_indices_may_multiply_to_more_than_a_float_holds() -> None:
    letters = [chr(ord("Ā") + k) for k in range(161)]
    spec = ",".join(map("".join, itertools.pairwise(letters)))
    sizes = dict.fromkeys(letters, 100)
    text = eingrad.generate(f"{spec}->{letters[0]}{letters[-1]}", sizes=sizes)
    assert math.prod(sizes.values()) > sys.float_info.max
    assert text.count("    grad_") >= 160
