"""One workload, all contestants: the times, the ratios, the fraction of the bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from machine import Machine
from peers import OURS, Contestant
from referee import admit, exact_results
from timing import Effort, Times, measure
from work import bound_seconds
from workloads import Workload, arrays_of

# A ratio under this is behind, beyond noise.
BEHIND = 0.97


@dataclass(frozen=True)
class Result:
    """``ratios`` hold each peer's time over ours: above 1 we are ahead.

    ``why_not`` says of a contestant why it took no part, ``copies`` which of its
    results were copied because they were views.
    """

    workload: Workload
    times: dict[str, Times]
    bound: float
    why_not: dict[str, str] = field(default_factory=dict)
    copies: dict[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def ours(self) -> float | None:
        """Our seconds, None where we could not run."""
        times = self.times.get(OURS.name)
        return times.median if times else None

    @property
    def ratios(self) -> dict[str, float]:
        ours = self.times.get(OURS.name)
        if ours is None:
            return {}
        others = ((n, t) for n, t in self.times.items() if n != OURS.name)
        return {name: times.ratio(ours) for name, times in others}

    @property
    def best(self) -> tuple[str, float] | None:
        """The fastest peer and its ratio."""
        return min(self.ratios.items(), key=lambda pair: pair[1], default=None)

    @property
    def of_bound(self) -> float | None:
        """The fraction of the machine's bound that we reach."""
        return self.bound / self.ours if self.ours else None


def play(
    workload: Workload,
    contestants: Sequence[Contestant],
    machine: Machine,
    effort: Effort,
    *,
    allow_views: bool = False,
) -> Result:
    """Check and time every contestant on ``workload``."""
    arrays = arrays_of(workload)
    exact = exact_results(workload, arrays)
    entries = [
        admit(contestant, workload, arrays, exact, allow_views=allow_views)
        for contestant in contestants
    ]
    runs = {e.contestant.name: e.run for e in entries if e.run is not None}
    return Result(
        workload=workload,
        times=measure(runs, effort) if runs else {},
        bound=bound_seconds(workload, machine),
        why_not={e.contestant.name: e.why_not for e in entries if e.why_not},
        copies={e.contestant.name: e.copies for e in entries if e.copies},
    )
