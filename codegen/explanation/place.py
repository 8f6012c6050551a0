"""One operand of an einsum, as its derivation sees it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..spec import Einsum, Index, Subscripts
from .formula import Delta, Entry, Formula, Mark, Turned

# Where the one entry of an axis of size 1 stands.
ZERO = Mark("0")


@dataclass(frozen=True)
class Place:
    """One operand of an einsum, and what formulas call everything.

    arrays names every operand; broadcast has for each the indices along which it has
    size 1 against a larger size.
    """

    einsum: Einsum
    operand: int
    arrays: tuple[Entry, ...]
    output: str
    cotangent: str
    loss: str
    broadcast: tuple[Subscripts, ...]

    @property
    def subscripts(self) -> Subscripts:
        """The operand's subscripts."""
        return self.einsum.operands[self.operand]

    @property
    def others(self) -> tuple[Subscripts, ...]:
        """The subscripts of the other operands."""
        terms = self.einsum.operands
        return terms[: self.operand] + terms[self.operand + 1 :]

    @property
    def array(self) -> Entry:
        """The operand."""
        return self.arrays[self.operand]

    @property
    def starred(self) -> tuple[Mark, ...]:
        """The indices of the entry asked about; numbered where an index repeats."""
        found: list[Mark] = []
        for axis, index in enumerate(self.subscripts):
            repeated = self.subscripts.count(index) > 1
            number = self.subscripts[: axis + 1].count(index) if repeated else 0
            found.append(Mark(index, starred=True, number=number))
        return tuple(found)

    @property
    def first(self) -> dict[Index, Mark]:
        """Map each index of the operand to its first starred one."""
        first: dict[Index, Mark] = {}
        for index, star in zip(self.subscripts, self.starred, strict=True):
            first.setdefault(index, star)
        return first

    @property
    def asked(self) -> Entry:
        """The entry that is asked about."""
        return entry(self.array, self.starred)

    @property
    def deltas(self) -> tuple[Delta, ...]:
        """Compare each axis of the operand with the starred index."""
        pairs = zip(self.subscripts, self.starred, strict=True)
        return tuple(Delta(Mark(index), star) for index, star in pairs)

    @property
    def diagonal(self) -> tuple[Delta, ...]:
        """Compare the axes that share an index with the first of them."""
        pairs = zip(self.subscripts, self.starred, strict=True)
        return tuple(
            Delta(self.first[i], star) for i, star in pairs if self.first[i] != star
        )

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entry of each array, 0 along the indices that broadcast."""
        rows = zip(self.arrays, self.einsum.operands, self.broadcast, strict=True)
        return tuple(
            entry(array, put(dict.fromkeys(broadcast, ZERO), term))
            for array, term, broadcast in rows
        )

    def factors(
        self, chosen: Mapping[Index, Mark], *, conjugated: bool = False
    ) -> list[Formula]:
        """Write an entry of each other operand, with the chosen indices put in."""
        others = self.arrays[: self.operand] + self.arrays[self.operand + 1 :]
        entries = (
            entry(array, put(chosen, term))
            for array, term in zip(others, self.others, strict=True)
        )
        return [Turned(e, conjugated=True) if conjugated else e for e in entries]


def entry(array: Entry, at: Iterable[Mark]) -> Entry:
    """Return the entry of an array."""
    return Entry(array.name, tuple(at), array.place)


def put(chosen: Mapping[Index, Mark], term: Iterable[Index]) -> tuple[Mark, ...]:
    """Mark the indices of a term, with the chosen ones put in."""
    return tuple(chosen.get(index, Mark(index)) for index in term)
