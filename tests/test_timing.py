"""The benchmark is fair to all in the order of its blocks, and knows what it times."""

from __future__ import annotations

import importlib
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from eingrad.options import Options
from eingrad.request import read_request
from eingrad.spec import parse

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.mark.parametrize("count", [1, 2, 3, 6, 7])
def test_everybody_follows_everybody_else_equally_often(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    balanced_order = importlib.import_module("timing").balanced_order
    rounds = [balanced_order(row, count) for row in range(2 * count)]
    assert all(sorted(order) == list(range(count)) for order in rounds)
    pairs = Counter(pair for order in rounds for pair in pairwise(order))
    assert len(pairs) == count * (count - 1)
    assert set(pairs.values()) <= {2}


def test_the_further_workloads_are_different_specs_with_all_their_sizes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    workloads = [*importlib.import_module("further").further_workloads()]
    assert len({workload.name for workload in workloads}) == len(workloads) == 204
    for workload in workloads:
        request = read_request(workload.spec, Options(shapes=workload.shapes))
        assert request.sizes == workload.sizes


@pytest.mark.parametrize(
    ("spec", "sizes"),
    [
        ("ij,jk->ki", {"i": 500, "j": 129, "k": 32}),
        ("bij,bjk->bik", {"b": 3, "i": 4, "j": 5, "k": 6}),
        ("ac,bd->abcd", {"a": 9, "b": 30, "c": 3, "d": 2}),
        ("ij,ji->ij", {"i": 7, "j": 8}),
    ],
)
def test_every_candidate_is_timed(
    spec: str, sizes: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    regret = importlib.import_module("regret")
    case = regret.Case(parse(spec), sizes)
    rng = np.random.default_rng(0)
    arrays = [rng.integers(9, size=[sizes[i] for i in t]) for t in case.einsum.operands]
    functions = regret.compiled(case)
    assert len({primitive for primitive, _, _ in functions}) > 1
    for _, _, function in functions:
        np.testing.assert_array_equal(function(*arrays), np.einsum(spec, *arrays))
