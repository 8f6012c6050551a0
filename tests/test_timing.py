"""The benchmark gives nobody the same predecessor every time."""

from __future__ import annotations

import importlib
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

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
