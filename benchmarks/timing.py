"""Interleaved timing, so that drift hits everybody alike.

So does what the one before leaves behind in caches and memory: the order of a round is
a row of Williams' design (1949), in which everybody follows everybody else in turn.
"""

from __future__ import annotations

import gc
import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

Run = Callable[[], object]


@dataclass(frozen=True)
class Effort:
    """How long to measure: rounds, seconds of a block, seconds between blocks.

    Who needs more than ``slow`` seconds for one call is timed in ``few`` rounds.
    """

    rounds: int = 9
    block: float = 0.02
    pause: float = 0.0
    slow: float = 0.25
    few: int = 3


QUICK = Effort(rounds=5, block=0.01, few=2)


@dataclass(frozen=True)
class Times:
    """Seconds a call, one entry for each round that the contestant took part in."""

    rounds: tuple[float, ...]
    loops: int

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    def ratio(self, ours: Times) -> float:
        """Return the median over rounds of this time over ``ours`` of that round."""
        pairs = zip(self.rounds, ours.rounds, strict=False)
        return statistics.median(theirs / our for theirs, our in pairs)


def measure(runs: Mapping[str, Run], effort: Effort) -> dict[str, Times]:
    """Time every run, block by block, in another order each round."""
    gc.collect()
    gc.freeze()
    loops = {name: _loops(run, effort) for name, run in runs.items()}
    slow = {name for name in runs if not loops[name]}
    times: dict[str, list[float]] = {name: [] for name in runs}
    names = list(runs)
    for k in range(effort.rounds):
        for name in (names[place] for place in balanced_order(k, len(names))):
            if name in slow and k >= effort.few:
                continue
            # Idle workers of the one before spin for a while.
            time.sleep(effort.pause)
            if name not in slow:
                runs[name]()
            times[name].append(_call(runs[name], loops[name] or 1))
    gc.unfreeze()
    return {name: Times(tuple(times[name]), loops[name] or 1) for name in names}


def balanced_order(row: int, count: int) -> list[int]:
    """Return a row of Williams' design: 0 1 6 2 5 3 4 for 7, moved on by one a row.

    With an odd count every other row is reversed, for the balance.
    """
    steps = [(k + 1) // 2 if k % 2 else -(k // 2) for k in range(count)]
    places = [(row + step) % count for step in steps]
    return places[::-1] if count % 2 and row % 2 else places


def _loops(run: Run, effort: Effort) -> int:
    """Return how many calls fill a block, 0 for a slow run."""
    if _call(run, 1) > effort.slow:
        return 0
    loops = 1
    while (seconds := _call(run, loops)) * loops < effort.block / 10:
        loops *= 2
    return max(1, round(effort.block / seconds))


def _call(run: Run, loops: int) -> float:
    """Time ``loops`` calls, and return the seconds of one."""
    with _uncollected():
        start = time.perf_counter()
        for _ in itertools.repeat(None, loops):
            run()
        return (time.perf_counter() - start) / loops


@contextmanager
def _uncollected() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
