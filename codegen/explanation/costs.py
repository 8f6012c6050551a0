"""Derivation -> what the forward pass and the gradients cost, and what else they could.

A figure that joins the costs is one more ``Fact`` of ``_facts``: every format prints
the list.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from ..contraction import ASSUMED_SIZE, contraction_trees
from ..derivation import Derivation
from ..gradient import gradient
from ..memory import full_sizes, peak_memory
from ..notation import polynomial
from ..program import monomials
from ..request import Request
from ..spec import Index, Subscripts, unique

# A polynomial of the sizes: the indices of each monomial, and how often it stands.
Polynomial = tuple[tuple[Subscripts, int], ...]

# Each gradient of a spec with more operands is not planned on its own.
MOST_PLANS = 24


@dataclass(frozen=True)
class Work:
    """Contractions by pairs, and the multiply-adds, with those by the slopes."""

    label: str
    contractions: int
    multiply_adds: Polynomial
    number: int


@dataclass(frozen=True)
class Fact:
    """A figure: its value, the unit, and the polynomial of the sizes if it is one."""

    label: str
    number: int
    unit: str
    polynomial: Polynomial = ()


@dataclass(frozen=True)
class Costs:
    """The work of each pass, figures beside it, and the sizes that numbers are for.

    assumed lists the indices whose size is not known and taken as ``ASSUMED_SIZE``.
    """

    work: tuple[Work, ...]
    facts: tuple[Fact, ...]
    sizes: tuple[tuple[Index, int], ...]
    assumed: Subscripts

    nothing = "No multiplications: entries are added or copied."

    @property
    def multiplies(self) -> bool:
        """Tell whether there is anything to count."""
        return any(work.multiply_adds for work in self.work)

    @property
    def sizes_in_words(self) -> str:
        """Say which sizes the numbers are for."""
        given = [f"{i} = {n}" for i, n in self.sizes if i not in self.assumed]
        if self.assumed:
            rest = "every other size" if given else "every size"
            return ", ".join([*given, f"{rest} {ASSUMED_SIZE}"])
        if len(given) > 1 and len({n for _, n in self.sizes}) == 1:
            return f"every size {self.sizes[0][1]}"
        return ", ".join(given) or "no index"

    @property
    def verdict(self) -> str:
        """Compare the sweep with gradients that are planned one by one."""
        forward, together, *apart = self.work
        if not forward.number or not together.number:
            return ""
        ratio = f"{together.number / forward.number:.2g}"
        much = "as much as" if ratio == "1" else f"{ratio} times"
        text = f"The gradients cost {much} the forward pass"
        ratio = f"{apart[0].number / together.number:.2g}" if apart else "1"
        if float(ratio) > 1:
            text += f"; planned one by one, they would cost {ratio} times that"
        return f"{text}."


def costs(derivation: Derivation) -> Costs:
    """Count the multiply-adds of the passes, and of gradients planned one by one."""
    request, forward = derivation.request, derivation.forward
    sizes = full_sizes(request, request.sizes)

    def work(label: str, terms: Counter[Subscripts], slopes: int) -> Work:
        merged: Counter[Subscripts] = Counter()
        for indices, count in terms.items():
            merged[tuple(sorted(request.same_size[i] for i in indices))] += count
        counted = tuple(merged.items())
        return Work(label, terms.total() - slopes, counted, value(counted, sizes))

    # A sweep multiplies the cotangent by the slope of the activation, once.
    slopes = 0 if request.activation is None else 1
    reverse = monomials(derivation.reverse_steps)
    rows = [work("forward", monomials(forward.steps), 0)]
    rows.append(work("all gradients, in one sweep", reverse, slopes))
    separate = _planned_apart(request)
    if separate is not None:
        slopes *= len(request.wrt)
        separate[unique(request.einsum.output)] += slopes
        rows.append(work("each gradient on its own", +separate, slopes))
    indices = request.einsum.indices
    return Costs(
        work=tuple(rows),
        facts=_facts(derivation, sizes),
        sizes=tuple((i, sizes[i]) for i in indices),
        assumed=tuple(i for i in indices if request.same_size[i] in request.unsized),
    )


def value(terms: Polynomial, sizes: Mapping[Index, int]) -> int:
    """Evaluate a polynomial of the sizes."""
    return sum(n * math.prod(sizes[i] for i in indices) for indices, n in terms)


def written(terms: Polynomial) -> str:
    """Write a polynomial: ``2*i*j*k + i*j``."""
    return polynomial(Counter(dict(terms)))


def _planned_apart(request: Request) -> Counter[Subscripts] | None:
    """Count the multiply-adds of one plan a gradient; None for very many operands."""
    einsum = request.einsum
    if len(einsum.operands) > MOST_PLANS:
        return None
    # A path for the forward pass is none for a gradient.
    method = request.optimize if isinstance(request.optimize, str) else "auto"
    found: Counter[Subscripts] = Counter()
    for k, name in enumerate(request.operands):
        if name in request.wrt:
            plan = contraction_trees(gradient(einsum, k), request.sizes, method)[0]
            found.update(step.einsum.indices for step in plan.contractions)
    return found


def _facts(derivation: Derivation, sizes: Mapping[Index, int]) -> tuple[Fact, ...]:
    """List the figures beside the work: intermediates, and the memory if sizes tell."""
    facts = []
    *inner, _ = derivation.forward.steps
    if inner:
        results = [((step.result.subscripts, 1),) for step in inner]
        largest = max(results, key=lambda terms: value(terms, sizes))
        entries = value(largest, sizes)
        facts.append(Fact("largest intermediate", entries, "entries", largest))
    if not derivation.request.unsized:
        peak = peak_memory(derivation).vjp
        facts.append(Fact("peak memory of vjp and pullback", peak, "bytes"))
    return tuple(facts)
