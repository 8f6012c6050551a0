"""The laws that a generated module must keep, each a small function on one case.

`LAWS` lists them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import oracle
from ..oracle import Array
from .arrays import Case, ExactCase, FloatCase, placed
from .trial import Trial
from .views import Subject

# What rounding may leave of an identity: so many eps, times the number of terms in a
# sum, times the sum of their magnitudes.
ROUNDING = 8


@dataclass(frozen=True)
class Law:
    """A law, in words, and the test of it on every case of one kind."""

    name: str
    statement: str
    unit: str
    kind: type[Case]
    test: Callable[[Trial[Any]], None]


def forward(trial: Trial[ExactCase]) -> None:
    """Hold ``forward`` to brute force."""
    case = trial.case
    got = trial.call("forward", trial.module.forward, *case.primals)
    trial.compare("forward", trial.output("the output", got, case.truth.output))


def backward(trial: Trial[ExactCase]) -> None:
    """Hold every gradient of ``backward`` to its definition."""
    case = trial.case
    got = trial.call("backward", trial.module.backward, case.grad, *case.primals)
    trial.compare("backward", *trial.gradients("backward", got, _wanted(trial)))


def vjp(trial: Trial[ExactCase]) -> None:
    """Hold ``vjp`` and its pullback to the same."""
    case = trial.case
    got = trial.call("vjp", trial.module.vjp, *case.primals)
    output, pullback = trial.two("vjp", got)
    trial.compare("vjp", trial.output("the output", output, case.truth.output))
    got = trial.call("the pullback", pullback, case.grad)
    trial.compare("the pullback", *trial.gradients("the pullback", got, _wanted(trial)))


def jvp(trial: Trial[ExactCase]) -> None:
    """Hold ``jvp`` to the sum over the operands, each replaced by its tangent."""
    case = trial.case
    got = trial.call("jvp", trial.module.jvp, case.primals, case.tangents)
    output, tangent = trial.two("jvp", got)
    trial.compare(
        "jvp",
        trial.output("the output", output, case.truth.output),
        trial.output("the tangent", tangent, case.truth.tangent),
    )


def again(trial: Trial[FloatCase]) -> None:
    """Hold a pullback that is called again to what it returned at first."""
    case = trial.case
    _, pullback = trial.two("vjp", trial.call("vjp", trial.module.vjp, *case.primals))
    likes = [
        case.primals[trial.subject.names.index(n)] for n in trial.subject.gradients
    ]
    first = trial.call("the pullback", pullback, case.grad)
    second = trial.call("the pullback", pullback, case.grad)
    before = trial.gradients("the pullback", first, likes)
    trial.receive("the pullback", *before)
    kept = [result.got.copy() for result in before]
    after = trial.gradients("the pullback called again", second, kept)
    trial.compare("the pullback called again", *after)


def adjoint(trial: Trial[FloatCase]) -> None:
    """Hold <g, J t> to <J* g, t>, which is exact but for rounding."""
    case, subject = trial.case, trial.subject
    got = trial.call("jvp", trial.module.jvp, case.primals, case.tangents)
    _, tangent = trial.two("jvp", got)
    trial.receive("jvp", trial.output("the tangent", tangent, case.grad))
    got = trial.call("backward", trial.module.backward, case.grad, *case.primals)
    moved = dict(zip(subject.names, case.tangents, strict=True))
    wanted = [moved[name] for name in subject.gradients]
    gradients = trial.gradients("backward", got, wanted)
    trial.receive("backward", *gradients)

    left = _inner(subject, case.grad, tangent)
    right = sum(
        _inner(subject, g.got, t) for g, t in zip(gradients, wanted, strict=True)
    )
    tolerance = _tolerance(subject, case)
    if not abs(left - right) <= tolerance:
        message = f"<g, J t> and <J* g, t> differ by more than {tolerance:.1e}"
        trial.refute("jvp, backward", message, expected=f"{left}", got=f"{right}")
    trial.tally[trial.law] += 1


LAWS = (
    Law("forward", "the sum over all indices", "entries", ExactCase, forward),
    Law(
        "backward",
        "each gradient is <g, einsum(.., unit tensor, ..)>, entry by entry",
        "entries",
        ExactCase,
        backward,
    ),
    Law("vjp", "forward, then backward", "entries", ExactCase, vjp),
    Law(
        "jvp",
        "forward, and the sum over the operands, each replaced by its tangent",
        "entries",
        ExactCase,
        jvp,
    ),
    Law("again", "a pullback can be called again", "entries", FloatCase, again),
    Law(
        "adjoint",
        f"<g, J t> = <J* g, t> on random floats, to {ROUNDING} n eps sum|terms|",
        "identities",
        FloatCase,
        adjoint,
    ),
)


def _wanted(trial: Trial[ExactCase]) -> list[Array]:
    return [trial.case.truth.gradients[name] for name in trial.subject.gradients]


def _inner(subject: Subject, left: Array, right: Array) -> Any:
    """Return Re <left, right> for the adjoint, the plain sum for the transpose."""
    if subject.complex == "adjoint":
        return np.vdot(left, right).real
    return (left * right).sum()


def _tolerance(subject: Subject, case: Case) -> float:
    primals = [np.abs(array) for array in placed(subject, case.primals)]
    tangents = [np.abs(array) for array in placed(subject, case.tangents)]
    moved = oracle.jvp(subject.spec, primals, tangents, subject.sizes)
    magnitude = float(np.vdot(np.abs(case.grad), moved))
    terms = case.draw.cells + 2 * len(subject.operands)
    return ROUNDING * terms * float(np.finfo(np.float64).eps) * magnitude
