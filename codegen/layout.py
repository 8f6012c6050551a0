"""Program -> the order in which every intermediate holds its axes.

A product of two values costs more where its arguments are laid out for something
else, and an intermediate is read by several steps: by the next contraction, and by two
of the reverse sweep.  So the order of its axes is chosen for all of them together:
each intermediate in turn takes the order that makes the step that writes it and the
steps that read it cheapest, until nothing changes.

What is computed entry by entry is held like what it is made of; inputs come as they
are, and outputs leave in the order of their subscripts.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from . import loops, pairwise
from .program import Add, Elementwise, Program, Step, Value, letter_sizes
from .spec import Einsum, Index, Subscripts

Axes = tuple[int, ...]

# More sweeps change little.
SWEEPS = 2
# Of more products than this, operands are not tried the other way round.
FEW_PRODUCTS = 40


def choose_layouts(program: Program, sizes: Mapping[Index, int]) -> dict[str, Axes]:
    """Return the axes of each value in memory order; ``(1, 0)`` is transposed."""
    layouts = _Layouts(program, sizes)
    layouts.settle()
    return {value: layouts.axes(value) for value in layouts.leader}


def exact_values(program: Program) -> set[str]:
    """Name the values whose axes must stand in their own order.

    They are the outputs, and what becomes an output without a new layout.
    """
    exact = {value.name for value in program.outputs}
    for step in reversed(program.steps):
        if step.result.name in exact and isinstance(step.op, Elementwise):
            exact.update(value.name for value in step.arguments)
    return exact


def broadcast_values(steps: Sequence[Step], outputs: Collection[str]) -> set[str]:
    """Name the values that need no array of their own, since a sum broadcasts.

    They are einsums of one argument with new axes and no diagonal, and are only added
    to a value that has those axes.
    """
    found = {
        step.result.name
        for step in steps
        if isinstance(step.op, Einsum)
        and len(step.arguments) == 1
        and len(set(step.op.output)) == len(step.op.output)
        and set(step.op.operands[0]) < set(step.op.output)
    }
    for step in steps:
        read = [v.name for v in step.arguments if v.name in found]
        if not isinstance(step.op, Add) or len(read) == len(step.arguments):
            found.difference_update(read)
    return found.difference(outputs)


@dataclass
class _Layouts:
    """The layouts chosen so far.

    leader: for each value, the one whose layout it shares; order: that layout.
    writer: the products whose results may be laid out freely; readers: the steps that
    read them; exact: the values whose axes stand in their own order.
    """

    program: Program
    sizes: Mapping[Index, int]
    leader: dict[str, str] = field(default_factory=dict)
    order: dict[str, Axes] = field(default_factory=dict)
    writer: dict[str, tuple[Step, Einsum]] = field(default_factory=dict)
    readers: dict[str, list[Step]] = field(default_factory=lambda: defaultdict(list))
    exact: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.exact = exact_values(self.program)
        for value in self.program.inputs:
            self._lead(value)
        for step in self.program.steps:
            shares = (
                isinstance(step.op, Elementwise) and step.result.name not in self.exact
            )
            if shares:
                self.leader[step.result.name] = self.leader[step.arguments[0].name]
            else:
                self._lead(step.result)
            for value in step.arguments:
                self.readers[self.leader[value.name]].append(step)
            einsum = _product(step)
            if einsum and step.result.name not in self.exact:
                self.writer[step.result.name] = step, einsum

    def _lead(self, value: Value) -> None:
        self.leader[value.name] = value.name
        self.order[value.name] = tuple(range(len(value.subscripts)))

    def axes(self, value: str) -> Axes:
        return self.order[self.leader[value]]

    def settle(self) -> None:
        """Give every intermediate its cheapest order, until none changes."""
        for _ in range(SWEEPS):
            before = dict(self.order)
            for name in self.writer:
                least = math.inf
                for axes in dict.fromkeys(self._options(name)):
                    time = self._time(name, axes, least)
                    if time < least:
                        least, self.order[name] = time, axes
            if self.order == before:
                return

    def _options(self, name: str) -> Iterator[Axes]:
        """Yield the order so far, and those that the writer or a reader would like."""
        yield self.order[name]
        yield from self._given(*self.writer[name])
        for step in self.readers[name]:
            if einsum := _product(step):
                for k, value in enumerate(step.arguments):
                    if self.leader[value.name] == name:
                        yield from self._liked(step, einsum, k)
            else:
                yield tuple(range(len(self.order[name])))

    def _given(self, step: Step, einsum: Einsum) -> Iterator[Axes]:
        """Yield the orders in which a product of matrices has its result."""
        a, b = (self._letters(step, einsum, k) for k in (0, 1))
        kept = einsum.output
        batch = [i for i in a if i in b and i in kept]
        rows, columns = ([i for i in x if i in kept and i not in batch] for x in (a, b))
        yield tuple(map(kept.index, (*batch, *rows, *columns)))
        if len(self.writer) <= FEW_PRODUCTS:
            yield tuple(map(kept.index, (*batch, *columns, *rows)))

    def _liked(self, step: Step, einsum: Einsum, k: int) -> Iterator[Axes]:
        """Yield the orders in which a product reads argument ``k`` as matrices."""
        own = einsum.operands[k]
        other = self._letters(step, einsum, 1 - k)
        batch = [i for i in other if i in own and i in einsum.output]
        summed = [i for i in other if i in own and i not in einsum.output]
        rows = [i for i in einsum.output if i in own and i not in other]
        for parts in (
            (batch, rows, summed),
            (batch, summed, rows),
            (summed, rows, batch),
            (rows, summed, batch),
        ):
            yield tuple(own.index(index) for part in parts for index in part)

    def _letters(self, step: Step, einsum: Einsum, k: int) -> Subscripts:
        """Return the letters of argument ``k`` in memory order."""
        term = einsum.operands[k]
        return tuple(term[axis] for axis in self.axes(step.arguments[k].name))

    def _time(self, name: str, axes: Axes, least: float) -> float:
        """Estimate the steps that write and read ``name`` if it is held as ``axes``.

        As soon as it is more than ``least``, it does not matter how much more.
        """
        kept, self.order[name] = self.order[name], axes
        time = 0.0
        writer, _ = self.writer[name]
        for step in (writer, *self.readers[name]):
            if time > least:
                break
            if einsum := _product(step):
                time += self._multiplied(step, einsum)
            elif isinstance(step.op, Add):
                time += self._added(step)
            elif isinstance(step.op, Einsum):
                time += self._spread(step, step.op)
        self.order[name] = kept
        return time

    def _added(self, step: Step) -> float:
        """Estimate a sum, which is slow where its arguments are laid out unlike."""
        subscripts = step.result.subscripts
        first, second = (
            tuple(subscripts[axis] for axis in self.axes(value.name))
            for value in step.arguments
        )
        return loops.multiply((first, second), first, self.sizes)

    def _spread(self, step: Step, einsum: Einsum) -> float:
        """Estimate the copy that writing along new axes takes, if laid out unlike."""
        letters = self._letters(step, einsum, 0)
        order = tuple(index for index in einsum.output if index in letters)
        once = sorted(letters) == sorted(order) == sorted({*order})
        spreads = once and len(order) < len(einsum.output)
        if not spreads or order[-1:] == letters[-1:]:
            return 0.0
        return loops.copy(letters, order, letter_sizes(step, self.sizes))

    def _multiplied(self, step: Step, einsum: Einsum) -> float:
        """Estimate a product."""
        a, b = (self._letters(step, einsum, k) for k in (0, 1))
        wanted = tuple(einsum.output[axis] for axis in self.axes(step.result.name))
        any_memory = step.result.name in self.exact
        sizes = letter_sizes(step, self.sizes)
        return pairwise.estimate(a, b, wanted, sizes, any_memory=any_memory)


def _product(step: Step) -> Einsum | None:
    """Return the einsum of a step that multiplies two values."""
    op = step.op
    return op if isinstance(op, Einsum) and len(step.arguments) == 2 else None
