"""Steps -> which values are alive at once: a quick estimate of the peak memory.

It sees a value as its entries, held from the step that makes it to its last reader;
``memory.py`` sees what is emitted, with the copies on the way.
"""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from .layout import broadcast_values
from .program import Conj, Step
from .spec import Einsum, Index, Subscripts, unique


@dataclass(frozen=True)
class Liveness:
    """The values that steps make, and those of them that are ``kept`` to the end."""

    steps: Sequence[Step]
    kept: Collection[str]

    @functools.cached_property
    def _events(self) -> list[tuple[str, Subscripts, list[str]]]:
        """List for each step the memory it takes, and what it is the last to read."""
        roots: dict[str, str] = {}
        last: dict[str, int] = {}
        spread = broadcast_values(self.steps, self.kept)
        for place, step in enumerate(self.steps):
            result, (argument, *_) = step.result.name, step.arguments
            seen = roots.get(argument.name, argument.name)
            roots[result] = seen if result in spread or is_view(step) else result
            for value in (*step.arguments, step.result):
                last[roots.get(value.name, value.name)] = place
        kept = {roots.get(name, name) for name in self.kept}
        dying = defaultdict(list)
        for name, place in last.items():
            if name not in kept:
                dying[place].append(name)
        return [
            (
                step.result.name if roots[step.result.name] == step.result.name else "",
                step.result.subscripts,
                dying[place],
            )
            for place, step in enumerate(self.steps)
        ]

    def busiest(self, sizes: Mapping[Index, int]) -> tuple[int, Collection[str]]:
        """Return the most entries alive at once, and the values that hold them."""
        alive: dict[str, int] = {}
        total, most, holders = 0, 0, set[str]()
        for made, subscripts, dying in self._events:
            if made:
                alive[made] = math.prod(sizes[index] for index in subscripts)
                total += alive[made]
            if total > most:
                most, holders = total, set(alive)
            for name in dying:
                total -= alive.pop(name, 0)
        return most, holders


def is_view(step: Step) -> bool:
    """Tell whether the result shares the argument's memory, if that is real."""
    if not isinstance(step.op, Einsum) or len(step.arguments) > 1:
        return isinstance(step.op, Conj)
    output = step.op.output
    return set(step.op.operands[0]) == set(output) and unique(output) == output


def work(
    terms: Mapping[Subscripts, int],
    sizes: Mapping[Index, int],
    blocks: Mapping[Index, int],
) -> int:
    """Count the multiply-adds of steps, by their monomials, that run for every block.

    A step that has the index that is cut computes a part of its result in each block;
    one that has it not computes the same again.
    """
    repeats = {i: -(-sizes[i] // length) for i, length in blocks.items()}
    return sum(
        count
        * math.prod(sizes[index] for index in monomial)
        * math.prod(n for index, n in repeats.items() if index not in monomial)
        for monomial, count in terms.items()
    )
