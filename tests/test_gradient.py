"""The swap."""

from __future__ import annotations

from typing import Any

import pytest

import eingrad
from eingrad.gradient import gradient, gradients
from eingrad.spec import parse

GRADIENTS = {
    "ij,jk->ik": ("ik,jk->ij", "ij,ik->jk"),
    "ij,jk": ("ik,jk->ij", "ij,ik->jk"),
    "u,v->w": None,
    "bqhd,bkhd->bhqk": ("bhqk,bkhd->bqhd", "bqhd,bhqk->bkhd"),
    "ij->ji": ("ji->ij",),
    "ij->": ("->ij",),
    "ii->i": ("i->ii",),
    "ii->": ("->ii",),
    "i->ii": ("ii->i",),
    "abc,cd->ad": ("ad,cd->abc", "abc,ad->cd"),
    "iij,k->i": ("i,k->iij", "iij,i->k"),
    "ij,jk,kl->il": ("il,jk,kl->ij", "ij,il,kl->jk", "ij,jk,il->kl"),
    "->": ("->",),
    ",->": (",->", ",->"),
    ",ij->ij": ("ij,ij->", ",ij->ij"),
    "...i,i->...": ("...,i->...i", "...i,...->i"),
    "αβ,βγ->αγ": ("αγ,βγ->αβ", "αβ,αγ->βγ"),
}


@pytest.mark.parametrize("spec", [s for s, found in GRADIENTS.items() if found])
def test_gradient_specs(spec: str) -> None:
    assert eingrad.gradient_specs(spec) == GRADIENTS[spec]


@pytest.mark.parametrize("spec", [s for s, found in GRADIENTS.items() if found])
def test_the_swap_undoes_itself(spec: str) -> None:
    einsum = parse(spec)
    for k, swapped in enumerate(gradients(einsum)):
        assert gradient(swapped, k) == einsum


def test_an_output_index_of_no_operand_is_an_error() -> None:
    with pytest.raises(eingrad.SpecError):
        eingrad.gradient_specs("u,v->w")


@pytest.mark.parametrize("sizes", [{"z": 3}, {"i": -1}, {"i": "3"}, 3, "i=3"])
def test_sizes_are_held_to_the_spec_as_those_of_a_module(sizes: Any) -> None:
    with pytest.raises(eingrad.OptionError) as caught:
        eingrad.gradient_specs("ij->i", sizes=sizes)
    with pytest.raises(eingrad.OptionError) as expected:
        eingrad.generate("ij->i", sizes=sizes)
    assert str(caught.value) == str(expected.value)
