"""Which copies of arrays are worth making for all the products that read them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from . import cost
from .array_program import Expr
from .candidate import Candidate


@dataclass(frozen=True)
class Choice:
    """A product of a program: the ways to compute it, and the one chosen."""

    ways: Sequence[Candidate]
    chosen: Candidate

    def least(self, made: Collection[Expr]) -> float:
        """Return the time of the fastest way where the copies in ``made`` are there."""
        return min(way.rest(made) for way in self.ways)


def worth_making(choices: Collection[Choice]) -> set[Expr]:
    """Return the copies that save well more than they take, each made for several.

    If all that was chosen is the fastest then too, there are none.
    """
    times: dict[Expr, float] = {}
    readers: defaultdict[Expr, list[Choice]] = defaultdict(list)
    for choice in choices:
        offered = {form: time for way in choice.ways for form, time in way.copies}
        times.update(offered)
        for form in offered:
            readers[form].append(choice)
    worth: set[Expr] = set()

    def gain(form: Expr) -> float:
        before = sum(choice.least(worth) for choice in readers[form])
        after = sum(choice.least(worth | {form}) for choice in readers[form])
        return before - after - (times[form] - cost.HOLD_CALL)

    several = [form for form in times if len(readers[form]) > 1]
    for form in sorted(several, key=gain, reverse=True):
        if gain(form) > cost.HOLD_SHARE * times[form]:
            worth.add(form)
    fastest = all(c.chosen.rest(worth) <= c.least(worth) for c in choices)
    return set() if fastest else worth
