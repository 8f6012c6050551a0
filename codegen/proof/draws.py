"""The shapes that a module is checked at, planned from its spec alone.

Sizes that are different primes catch any mixed-up axis; axes of size 1 against larger
ones, sizes 0 and 1, and ellipses of rank 0, 1 and 2, alike and unlike, cover what a
spec means beyond that.  The product of all sizes stays under `CELLS`, so that brute
force is quick: a spec with too many indices or operands for that is taken in runs, a
few indices at 2 or 3 and the rest at 1, until every index has had its turn.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .views import VARIED, Draw, Sizes, Subject, View, views_of

CELLS = 20_000
# float16 counts exactly up to 2048; small draws are checked in it too.
SMALL_CELLS = 2_048

PRIMES = tuple(p for p in range(2, 200) if all(p % q for q in range(2, p)))
KEEPERS = ("first", "last", "random", "random")
SCATTERED = 6
ZEROS = 4


@dataclass(frozen=True)
class Plan:
    """The draws of the exact proof, and small ones for the variations on it."""

    main: tuple[Draw, ...]
    small: tuple[Draw, ...]


def plan(subject: Subject, seed: int, rank_limit: int) -> Plan:
    """Return the draws of ``subject``: the same ones for the same ``seed``.

    Where an ellipsis leaves the choice, no array has more axes than ``rank_limit``.
    """
    rng = random.Random(seed)
    views = list(views_of(subject, rank_limit))
    main = [draw for view in views for draw in _main(view, rng)]
    main += _zeros(views[-1], rng)
    small = [draw for view in views for draw in _small(view, rng)]
    return Plan(_distinct(main), _distinct(small))


def _main(view: View, rng: random.Random) -> Iterator[Draw]:
    if whole := _whole(view, rng):
        choices = whole
        kept = list(zip(itertools.cycle(whole), KEEPERS, strict=False))
    else:
        choices = [*_neighbours(view, shared=1), *_scattered(view, rng)]
        kept = list(itertools.product(_neighbours(view, shared=0), KEEPERS[:2]))
    for sizes in choices:
        yield view.draw("distinct sizes", sizes, rng)
    for sizes, keeper in kept:
        if ones := _ones(view, sizes, keeper, rng):
            yield view.draw(
                f"broadcast, {keeper} holder keeps its size", sizes, rng, ones
            )
    yield view.draw("every size 1", _all(view, 1), rng)


def _distinct(draws: Iterable[Draw]) -> tuple[Draw, ...]:
    return tuple({tuple(draw.shapes.items()): draw for draw in draws}.values())


def _all(view: View, size: int) -> dict[str, int]:
    return dict.fromkeys(view.free, size) | dict(view.subject.sizes)


def _whole(view: View, rng: random.Random) -> list[Sizes]:
    """Return sizes above 1 for all indices at once; none if that is too much."""
    if view.subject.crowded or (least := _least(view)) is None:
        return []
    larger = _larger(view, least)
    return [
        _dealt(view, least),
        _shuffled(view, least, rng),
        _shuffled(view, larger, rng),
    ]


def _dealt(view: View, values: Sequence[int]) -> dict[str, int]:
    return _all(view, 1) | dict(zip(view.free, values, strict=True))


def _shuffled(view: View, values: list[int], rng: random.Random) -> Sizes:
    sizes = _dealt(view, rng.sample(values, len(values)))
    return sizes if _fits(view, sizes, CELLS) else _dealt(view, values)


def _fits(view: View, sizes: Sizes, cells: int) -> bool:
    return view.largest(sizes) <= max(cells, view.largest(_all(view, 1)))


def _least(view: View) -> list[int] | None:
    """Return the least sizes above 1, distinct primes if there is room for them."""
    count = len(view.free)
    for values in (PRIMES, (2, 3, 5), (2, 3), (2,)):
        dealt = list(itertools.islice(itertools.cycle(values), count))
        if _fits(view, _dealt(view, dealt), CELLS):
            return dealt
    return None


def _larger(view: View, least: list[int]) -> list[int]:
    """Return the largest consecutive primes that there is room for."""
    count = len(view.free)
    for start in range(len(PRIMES) - count, 0, -1):
        values = list(PRIMES[start : start + count])
        if _fits(view, _dealt(view, values), CELLS):
            return values
    return least


def _neighbours(view: View, shared: int) -> Iterator[Sizes]:
    """Yield sizes with a run of indices above 1, until every index had its turn.

    Runs that share an index let any two neighbours meet, as a chain's matrices need.
    """
    start = 0
    while start < len(view.free):
        sizes = _run(view, view.free[start:], CELLS)
        yield sizes
        end = start + sum(sizes[index] > 1 for index in view.free)
        start = end if end == len(view.free) else max(start + 1, end - shared)


def _scattered(view: View, rng: random.Random) -> Iterator[Sizes]:
    """Yield sizes with a few indices above 1 that chance picks."""
    for _ in range(SCATTERED):
        yield _run(view, rng.sample(view.free, len(view.free)), CELLS)


def _run(view: View, order: Sequence[str], cells: int) -> dict[str, int]:
    """Give 2, 3, 2, 3, … to the indices of ``order`` until there is no more room."""
    sizes = _all(view, 1)
    for position, index in enumerate(order):
        wider = sizes | {index: 2 + position % 2}
        crowded = position > 0 and view.touched(wider) > VARIED
        if crowded or not _fits(view, wider, cells):
            break
        sizes = wider
    return sizes


def _ones(
    view: View, sizes: Sizes, keeper: str, rng: random.Random
) -> list[tuple[str, str]]:
    """Return which names are to have size 1 at which index; the others keep its size.

    A name that stands in two places keeps its sizes, and so does the output those that
    are its own.
    """
    ones = []
    for index in (i for i, kin in view.kin.items() if sizes[kin] != 1):
        own = ("the output",) if index in view.subject.sizes else ()
        holders = (*own, *view.holders[index])
        dropped = {
            "first": holders[1:],
            "last": holders[:-1],
            "random": rng.sample(holders, rng.randrange(max(1, len(holders)))),
        }[keeper]
        ones += [(n, index) for n in dropped if view.subject.operands.count(n) == 1]
    return ones


def _zeros(view: View, rng: random.Random) -> Iterator[Draw]:
    """Yield draws in which one index has size 0, whole or against axes of size 1."""
    chosen = rng.sample(view.free, min(ZEROS, len(view.free)))
    for index in chosen:
        order = [i for i in rng.sample(view.free, len(view.free)) if i != index]
        sizes = _run(view, order, CELLS) | {index: 0}
        yield view.draw(f"size 0 at {index}", sizes, rng)
        for keeper in KEEPERS[:2]:
            ones = _ones(view, sizes, keeper, rng)
            yield view.draw(f"size 0 at {index}, broadcast", sizes, rng, ones)


def _small(view: View, rng: random.Random) -> Iterator[Draw]:
    sizes = _run(view, view.free, SMALL_CELLS // len(view.places))
    yield view.draw("small sizes", sizes, rng)
    for keeper in KEEPERS[:2]:
        if ones := _ones(view, sizes, keeper, rng):
            yield view.draw(
                f"small sizes, {keeper} holder keeps its size", sizes, rng, ones
            )
