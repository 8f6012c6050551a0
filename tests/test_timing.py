"""The benchmark is fair to all in the order of its blocks, and knows what it times."""

from __future__ import annotations

import importlib
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from eingrad.options import Options
from eingrad.request import read_request

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
    assert len({workload.name for workload in workloads}) == len(workloads) == 160
    for workload in workloads:
        request = read_request(workload.spec, Options(shapes=workload.shapes))
        assert request.sizes == workload.sizes
