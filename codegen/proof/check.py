"""Prove a generated module right: ``eingrad check``.

An einsum and its gradients are polynomials with integer coefficients.  So a module is
compared on integers, exactly, with brute force (`oracle`), at shapes planned from its
spec (`proof.draws`), on arrays of several dtypes and layouts (`proof.cases`), law by
law (`proof.laws`).  The first counterexample ends the check.

What that proves: at the shapes drawn, a module whose results are polynomials of the
degree they should have, and which is wrong, passes with the probability stated, by
Schwartz and Zippel.  Of other shapes it says nothing; the draws are meant to take every
branch that a generated module has.

With an activation nothing is a polynomial: what is exact still, the argument of the
activation and its tangent, is made so, and results are held to a reference within what
rounding explains (`proof.truth`).  No probability is claimed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import OptionError
from .bounds import degree, odds, reach, rounds
from .cases import cases
from .draws import Plan, plan
from .interface import RANK_LIMIT, examine
from .laws import LAWS, Law
from .reference import ROUNDING
from .trial import CONTRACT, Counterexample, DisprovedError, Trial
from .views import Draw, Subject

# What is said of a check that is not exact.
ROUNDED = (
    "numbers of few bits, so that z and its tangent dz are exact in every dtype",
    f"f, f', f'' are held to Python's math, to {ROUNDING} eps of value and argument,",
    "sums of n terms to n eps of their magnitudes more: no proof, no probability",
)


@dataclass(frozen=True)
class Proven:
    """A law that was found to hold: in words, and how often it was compared."""

    name: str
    statement: str
    count: int
    unit: str


@dataclass(frozen=True)
class Report:
    """The outcome of a check.

    ``error_probability`` bounds the chance that a wrong module passes (see the module's
    docstring), None where nothing was proven; ``reasoning`` says how it comes about.
    ``formula`` is the spec with the bias and the activation.
    """

    ok: bool
    spec: str
    formula: str = ""
    laws: tuple[Proven, ...] = ()
    reasoning: str = ""
    error_probability: float | None = None
    counterexample: Counterexample | None = None

    def __str__(self) -> str:
        if self.counterexample is not None:
            return f"wrong: {self.spec or 'no spec'}\n{self.counterexample}"
        verb = "checked" if self.error_probability is None else "proved"
        lines = [f"{verb}: {self.formula}"]
        for law in self.laws:
            count = f"{law.count:,} {law.unit}"
            lines.append(f"  {law.name:<9} {law.statement}: {count}")
        return "\n".join(
            [*lines, *("  " + line for line in self.reasoning.split("\n"))]
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the report as values that JSON has."""
        return asdict(self)


def check(module: object, *, seed: int = 0) -> Report:
    """Prove ``module`` right, or find a counterexample; the same for the same seed.

    ``module`` is a generated module, loaded.  Whatever it does, short of not returning,
    ends up in the report.  Raises OptionError for a seed below 0.
    """
    if seed < 0:
        raise OptionError(f"the seed must be 0 or more, got {seed}")
    tally = Counter[str]()
    try:
        subject = examine(module)
        laws = [law for law in LAWS if law.holds_for(subject)]
        draws = plan(subject, seed, RANK_LIMIT)
        worst = max(draws.main, key=lambda draw: odds(subject, draw))
        rounded = subject.activation is not None
        repeats = (
            1 if rounded else rounds(subject, odds(subject, worst), len(draws.main))
        )
        for case in cases(subject, draws, seed, repeats):
            for law in (law for law in laws if isinstance(case, law.kind)):
                law.test(Trial(module, subject, case, seed, law.name, tally))
    except DisprovedError as disproof:
        found = disproof.counterexample
        return Report(ok=False, spec=found.spec, counterexample=found)
    return Report(
        ok=True,
        spec=subject.spec,
        formula=subject.formula,
        laws=_proven(subject, laws, tally),
        reasoning=_reasoning(subject, draws, worst, repeats),
        error_probability=None if rounded else odds(subject, worst) ** repeats,
    )


def _proven(
    subject: Subject, laws: Sequence[Law], tally: Counter[str]
) -> tuple[Proven, ...]:
    contract = "shapes, dtypes, memory of their own; operands left as they were"
    found = [Proven(w.name, w.stated(subject), tally[w.name], w.unit) for w in laws]
    return (*found, Proven(CONTRACT, contract, tally[CONTRACT], "arrays"))


def _reasoning(subject: Subject, draws: Plan, worst: Draw, repeats: int) -> str:
    """Say how the error probability comes about, in a few lines."""
    shapes = (
        f"drawn {repeats} x for each of {len(draws.main)} sets of shapes; "
        "of other shapes nothing is said"
    )
    if subject.activation is not None:
        return "\n".join([*ROUNDED, shapes])
    real = min(reach(subject, draw) for draw in draws.main)
    part = min(reach(subject, draw, parts=2) for draw in draws.main)
    real_dtypes = "int64 or float64" if subject.crowded else "int64 and float64"
    lines = [
        f"integers up to {real:,} either side of 0 in {real_dtypes}, parts up to "
        f"{part:,} in complex128,",
        shapes,
    ]
    chance = odds(subject, worst)
    if chance == 1:
        return "\n".join([*lines, "no bound: too many operands vary at once"])
    power, span = degree(subject, worst), 2 * reach(subject, worst, parts=2)
    lines.append(
        f"a wrong polynomial of degree {power} passes with probability at most "
        f"({power} / {span:,})**{repeats} = {chance**repeats:.0e}"
    )
    if any(len(draw.varied) < len(draw.shapes) for draw in draws.main):
        lines.append("if results are linear in each operand")
    return "\n".join(lines)
