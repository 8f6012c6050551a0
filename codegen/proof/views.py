"""A spec with its ellipses bound, so that every axis of every operand has an index."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..oracle import ELLIPSIS, Subscripts, resolve, split, written

Shape = tuple[int, ...]
Sizes = Mapping[str, int]

# With more places varying at once, the integers that float64 holds leave too little
# room for each.
VARIED = 6
# How many axes more than it must an ellipsis binds, for the names in turn.
ELLIPSIS_RANKS = ((0,), (1,), (2,), (2, 1, 0), (0, 2, 1))


@dataclass(frozen=True)
class Subject:
    """What a module says it computes: its attributes, found to be well formed.

    ``bias`` has the subscripts of the last of ``operands``, which is added; it and
    ``activation`` are None where the einsum is all.  ``order`` is the highest order of
    derivatives; ``into`` tells whether results can be written into arrays given.
    """

    spec: str
    operands: tuple[str, ...]
    gradients: tuple[str, ...]
    complex: str
    sizes: Sizes
    bias: Subscripts | None = None
    activation: str | None = None
    order: int = 1
    into: bool = False

    @property
    def formula(self) -> str:
        """What the module computes: ``gelu(bi,ij->bj + j)``."""
        text = self.spec
        for bias in self.added:
            text += f" + {''.join(bias) or self.operands[-1]}"
        return f"{self.activation}({text})" if self.activation else text

    @property
    def terms(self) -> tuple[Subscripts, ...]:
        """The subscripts of each of ``operands``."""
        return (*split(self.spec)[0], *self.added)

    @property
    def joined(self) -> str:
        """The spec with a term for each of ``operands``: the bias is one."""
        return written(self.terms, split(self.spec)[1])

    @property
    def added(self) -> tuple[Subscripts, ...]:
        """The subscripts of the bias, if there is one."""
        return () if self.bias is None else (self.bias,)

    @property
    def factors(self) -> tuple[str, ...]:
        """The operands that the einsum multiplies."""
        return self.operands[: len(self.operands) - len(self.added)]

    @property
    def names(self) -> tuple[str, ...]:
        """The distinct operands, in the order in which the module takes them."""
        return tuple(dict.fromkeys(self.operands))

    @property
    def crowded(self) -> bool:
        """Whether there are too many factors for all of them to vary at once."""
        return len(self.factors) > VARIED


@dataclass(frozen=True)
class Draw:
    """One set of shapes, one a name, and the output's.

    ``cells`` is the product of all sizes.
    The entries of the names in ``varied`` are to be drawn widely, those of the others
    from -1 and 1.
    """

    title: str
    shapes: Mapping[str, Shape]
    output: Shape
    cells: int
    varied: frozenset[str]


@dataclass(frozen=True)
class View:
    """A subject whose operands have ranks, so that every axis has an index.

    ``kin`` maps each index to the one that stands for all which must agree with it,
    because one name stands in two places.
    """

    subject: Subject
    places: tuple[tuple[str, Subscripts], ...]
    output: Subscripts
    kin: Mapping[str, str]

    @cached_property
    def free(self) -> tuple[str, ...]:
        """The indices whose sizes are ours to choose, one of each kin."""
        fixed = self.subject.sizes
        return tuple(i for i in dict.fromkeys(self.kin.values()) if i not in fixed)

    @cached_property
    def holders(self) -> Mapping[str, tuple[str, ...]]:
        """The names that hold each index, in order; the bias may hold a new one."""
        return {
            index: tuple(dict.fromkeys(n for n, held in self.places if index in held))
            for index in self.kin
        }

    def cells(self, sizes: Sizes) -> int:
        """Return the product of the sizes of all indices."""
        return math.prod(sizes[kin] for kin in self.kin.values())

    def largest(self, sizes: Sizes) -> int:
        """Return the number of entries of the largest array, or of all cells."""
        held = (self.output, *(subscripts for _, subscripts in self.places))
        entries = (math.prod(sizes[self.kin[i]] for i in term) for term in held)
        return max(self.cells(sizes), *entries)

    def touched(self, sizes: Sizes) -> int:
        """Return how many places hold an index of a size above 1."""
        return sum(any(sizes[self.kin[i]] > 1 for i in held) for _, held in self.places)

    def draw(
        self,
        title: str,
        sizes: Sizes,
        rng: random.Random,
        ones: Iterable[tuple[str, str]] = (),
    ) -> Draw:
        """Return the draw in which the pairs of a name and an index have size 1."""
        single = frozenset(ones)
        shapes = {
            name: tuple(1 if (name, i) in single else sizes[self.kin[i]] for i in held)
            for name, held in self.places
        }
        output = tuple(sizes[self.kin[i]] for i in self.output)
        varied = self._varied(shapes, rng)
        return Draw(title, shapes, output, self.cells(sizes), varied)

    def _varied(
        self, shapes: Mapping[str, Shape], rng: random.Random
    ) -> frozenset[str]:
        """Pick names for at most `VARIED` factors, first those of several entries.

        A bias is no factor, so that there is always room for it.
        """
        factors = self.subject.factors
        room, chosen = VARIED, set[str]()
        shuffled = rng.sample(list(shapes), len(shapes))
        for name in sorted(shuffled, key=lambda n: math.prod(shapes[n]) <= 1):
            places = factors.count(name)
            if places <= room or not chosen.intersection(factors):
                chosen.add(name)
                room -= places
        return frozenset(chosen)


def views_of(subject: Subject, rank_limit: int) -> Iterator[View]:
    """Yield the subject once for each choice of ellipsis ranks."""
    terms = subject.terms
    least = {name: 0 for name in subject.names}
    for name, term in zip(subject.operands, terms, strict=True):
        least[name] = max(least[name], len(term) - term.count(ELLIPSIS))
    rigid = {
        n
        for n, term in zip(subject.operands, terms, strict=True)
        if ELLIPSIS not in term
    }
    flexible = [name for name in subject.names if name not in rigid]
    seen = set[tuple[int, ...]]()
    for extra in ELLIPSIS_RANKS:
        more = dict(zip(flexible, itertools.cycle(extra), strict=False))
        ranks = tuple(least[n] + more.get(n, 0) for n in subject.operands)
        spelled = resolve(subject.joined, ranks)
        fits = max(*ranks, len(spelled[1])) <= rank_limit
        if ranks not in seen and (fits or not seen):
            seen.add(ranks)
            yield _view(subject, *spelled)


def _view(subject: Subject, operands: Sequence[Subscripts], output: Subscripts) -> View:
    kin = {index: index for held in (*operands, output) for index in held}
    places = tuple(zip(subject.operands, operands, strict=True))
    for (name, held), (other, held_too) in itertools.combinations(places, 2):
        if name == other:
            for one, two in zip(held, held_too, strict=True):
                merged = {kin[one], kin[two]}
                kin = {i: min(merged) if k in merged else k for i, k in kin.items()}
    return View(subject, places, output, kin)
