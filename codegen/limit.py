"""Derivation + limit -> a derivation whose memory stays within it, at the least price.

What takes less memory, each at a price in multiply-adds:

    another tree   smaller intermediates
    recomputing    what the reverse sweep would keep is computed there again
    blocks         an index is cut: each block is computed on its own, forward and in
                   the pullback, and holds a part of everything that has the index

Each way is walked from what is cheap to what is small, guided by an estimate.  The
plans are then tried from the cheapest on, against the peak memory of the functions as
they would be emitted.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from .contraction import ContractionTree, contraction_trees
from .derivation import Derivation
from .errors import OptionError
from .liveness import Liveness, work
from .memory import full_sizes, peak_memory
from .memory_limit import Limited
from .program import Program, Value, monomials
from .recompute import recompute, residuals
from .request import Request
from .simplify import drop_unused
from .spec import Index

Programs = Callable[[Request, ContractionTree], tuple[Program, Program]]
Derive = Callable[[Request, ContractionTree, Limited], Derivation]

# Recomputing and blocks are tried on the trees of least multiply-adds: on so many, or
# on fewer, whose operands are so many together.
TREES = 3
OPERANDS = 60
# Of the residuals alive at the peak, so many of the largest are tried in each round.
RESIDUALS = 12
# How far below the estimate a peak may be: of what is written over, one copy is held.
OPTIMISM = 0.8
# Of the cuts that save this part of the best one's saving, the cheapest is made; one
# that leaves more than WORTHWHILE of the peak is none.
NEARLY_BEST = 0.5
WORTHWHILE = 0.99


@dataclass(frozen=True)
class Plan:
    """A tree and how it is limited; ``estimate`` is of its peak in elements."""

    way: str
    tree: ContractionTree
    limited: Limited
    estimate: int


def within_limit(
    derivation: Derivation, limit: int, programs: Programs, derive: Derive
) -> Derivation:
    """Return the derivation of least price whose vjp and pullback hold ``limit``.

    programs, derive: give the programs of a tree, and its derivation.  Raises
    OptionError, which says how much memory is the least found.
    """
    peak = _peak(derivation)
    if peak <= limit:
        return replace(derivation, limited=Limited(limit, peak))
    # Of one price, what saves least comes first: it is cut into the fewest blocks.
    plans = sorted(
        _plans(derivation, programs),
        key=lambda plan: (round(plan.limited.price, 3), -plan.estimate),
    )
    smallest: dict[str, Plan] = {}
    for plan in plans:
        if plan.estimate < smallest.setdefault(plan.way, plan).estimate:
            smallest[plan.way] = plan
    factor = dict.fromkeys(smallest, OPTIMISM)
    for plan in plans:
        last = plan is smallest[plan.way]
        if not last and plan.estimate * factor[plan.way] > limit:
            continue
        found = derive(derivation.request, plan.tree, plan.limited)
        reached = _peak(found)
        if reached <= limit:
            limited = replace(plan.limited, limit=limit, peak=reached)
            return replace(found, limited=limited)
        # Copies on the way are not in the estimate; the next plans will be alike.
        factor[plan.way] = max(factor[plan.way], reached / max(1, plan.estimate))
        if last:
            peak = min(peak, reached)
    raise OptionError(
        f"a memory limit of {limit} elements cannot be kept: "
        f"the least that was found is {peak}"
    )


def _peak(derivation: Derivation) -> int:
    """Return the most elements that vjp and its pullback hold."""
    return peak_memory(derivation, itemsize=1).vjp


def _plans(derivation: Derivation, programs: Programs) -> Iterator[Plan]:
    """Yield the plans of every way; none depends on the limit."""
    request = derivation.request
    sizes = full_sizes(request, request.sizes)
    base = work(monomials(derivation.joint.program.steps), sizes, {})
    trees = contraction_trees(
        request.einsum, request.sizes, request.optimize, every=True
    )
    closer = max(1, min(TREES, OPERANDS // len(request.operands)))
    for rank, tree in enumerate(trees):
        ways = _Ways(request, sizes, base, tree, *programs(request, tree))
        yield ways.plan("tree", ways.joint, ())
        if rank < closer:
            yield from ways.recomputing(f"recomputing {rank}")
            yield from ways.blocks(f"blocks {rank}")


@dataclass(frozen=True)
class _Ways:
    """The ways to save memory along one tree; ``base`` is the work of price 1."""

    request: Request
    sizes: Mapping[Index, int]
    base: int
    tree: ContractionTree
    forward: Program
    joint: Program

    @functools.cached_property
    def made(self) -> set[str]:
        """Name the values of the forward sweep."""
        return {step.result.name for step in self.forward.steps}

    def price(self, count: int) -> float:
        return count / self.base if self.base else 1.0

    def liveness(self, program: Program) -> Liveness:
        """Follow vjp, then its pullback while the residuals are held."""
        outputs = [value.name for value in program.outputs]
        return Liveness(program.steps, [*outputs, *residuals(program, self.made)])

    def plan(self, way: str, program: Program, dropped: tuple[str, ...]) -> Plan:
        """Return the plan that computes the values ``dropped`` again."""
        price = self.price(work(monomials(program.steps), self.sizes, {}))
        estimate, _ = self.liveness(program).busiest(self.sizes)
        limited = Limited(0, price=price, recomputed=dropped)
        return Plan(way, self.tree, limited, estimate)

    def entries(self, values: Iterable[Value]) -> int:
        return sum(math.prod(self.sizes[i] for i in v.subscripts) for v in values)

    def recomputing(self, way: str) -> Iterator[Plan]:
        """Drop one residual after the other, of those alive at the peak."""
        outputs = {value.name for value in self.joint.outputs}
        kept = set(residuals(self.joint, self.made)) - outputs
        values = {step.result.name: step.result for step in self.joint.steps}
        program = self.joint
        best: Plan | None = self.plan(way, program, ())
        while best is not None:
            dropped = best.limited.recomputed
            _, alive = self.liveness(program).busiest(self.sizes)
            left = kept.intersection(alive).difference(dropped)
            largest = sorted(left, key=lambda n: (-self.entries([values[n]]), n))
            tried = [
                self.plan(way, recompute(self.joint, self.made, names), names)
                for names in ((*dropped, name) for name in largest[:RESIDUALS])
            ]
            best = _next(best, tried)
            if best is not None:
                names = best.limited.recomputed
                program = recompute(self.joint, self.made, names)
                yield best

    def blocks(self, way: str) -> Iterator[Plan]:
        """Halve the blocks of one index after the other.

        In the pullback, a block computes again all that its reverse sweep reads.
        """
        output, *gradients = self.joint.outputs
        pullback = drop_unused(replace(self.joint, outputs=tuple(gradients))).steps
        there = Liveness(self.forward.steps, [output.name])
        back = Liveness(pullback, [value.name for value in gradients])
        terms = monomials([*self.forward.steps, *pullback])
        results = self.entries([output])
        steps = *self.forward.steps, *self.joint.steps
        values = [*self.joint.inputs, *(step.result for step in steps)]
        indices = {value.name: set(value.subscripts) for value in values}
        cuts = self._cuts()

        def plan(lengths: dict[Index, int]) -> tuple[Plan, set[Index]]:
            """Return a plan, and the indices of what is alive at its peak."""
            sizes = {**self.sizes, **lengths}
            before, first = there.busiest(sizes)
            after, second = back.busiest(sizes)
            peak = results + max(before, self.entries(gradients) + after)
            price = self.price(work(terms, self.sizes, lengths))
            limited = Limited(0, price=price, blocks=lengths)
            alive = set[Index]().union(*(indices[n] for n in {*first, *second}))
            return Plan(way, self.tree, limited, peak), alive

        best: Plan | None = self.plan(way, self.joint, ())
        alive = set(cuts)
        while best is not None:
            lengths = best.limited.blocks
            halved = [
                plan({**lengths, index: -(-size // 2)})
                for index in cuts
                for size in [lengths.get(index, self.sizes[index])]
                if index in alive and size > 1
            ]
            best = _next(best, [found for found, _ in halved])
            if best is not None:
                yield best
                alive = next(alive for found, alive in halved if found is best)

    def _cuts(self) -> list[Index]:
        """List the indices that can be cut: alike in all places of each operand.

        What is added or applied to the einsum goes with its whole sum, so then each
        entry of the output has to be in one block: the index stands there once.
        """
        request = self.request
        places: dict[str, set[tuple[int, Index]]] = {}
        cuts = set(request.einsum.indices) - set(request.einsum.new_indices)
        if request.bias is not None or request.activation is not None:
            output = request.einsum.output
            cuts = {index for index in cuts if output.count(index) == 1}
        for place in request.places:
            here = set(enumerate(place.subscripts))
            unlike = here ^ places.setdefault(place.name, here)
            cuts -= {index for _, index in unlike}
        return [index for index in request.einsum.indices if index in cuts]


def _next(current: Plan, plans: list[Plan]) -> Plan | None:
    """Return the cheapest of the plans that save about most, if any saves."""
    least = min((plan.estimate for plan in plans), default=current.estimate)
    if least >= WORTHWHILE * current.estimate:
        return None
    enough = current.estimate - NEARLY_BEST * (current.estimate - least)
    near = [plan for plan in plans if plan.estimate <= enough]
    return min(near, key=lambda plan: (plan.limited.price, plan.estimate))
