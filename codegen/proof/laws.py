"""The laws that a generated module must keep, each a small function on one case.

`LAWS` lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..oracle import Array
from .arrays import Case, ExactCase, FloatCase
from .trial import Result, Trial
from .truth import Known, magnitude, times
from .views import Subject

# What rounding may leave of an identity: so many eps, times the number of terms in a
# sum, times the sum of their magnitudes.
ROUNDING = 8


@dataclass(frozen=True)
class Law:
    """A law, in words, and the test of it on every case of one kind.

    ``statement`` has places for the words of `_words`.  It is a law of the modules that
    ``holds_for`` tells.
    """

    name: str
    statement: str
    unit: str
    kind: type[Case]
    test: Callable[[Trial[Any]], None]
    holds_for: Callable[[Subject], bool] = lambda subject: True

    def stated(self, subject: Subject) -> str:
        """Return the statement about ``subject``."""
        return self.statement.format_map(_words(subject))


def _words(subject: Subject) -> dict[str, str]:
    """Say what the output is, what z is given back, and how dz counts."""
    total = "the sum over all indices" + ", plus the bias" * len(subject.added)
    if subject.activation is None:
        return {"output": total, "g": "g", "slope": "", "bend": ""}
    f, _, _ = subject.activation.partition(":")
    return {
        "output": f"{f}(z), where z is {total}",
        "g": f"g {f}'(z)",
        "slope": f", times {f}'(z)",
        "bend": f", and the gradient at g {f}''(z) dz",
    }


def forward(trial: Trial[ExactCase]) -> None:
    """Hold ``forward`` to brute force."""
    case = trial.case
    got = trial.call("forward", trial.module.forward, *case.primals)
    output = case.truth.primal.output
    trial.compare("forward", trial.output("the output", got, output))


def backward(trial: Trial[ExactCase]) -> None:
    """Hold every gradient of ``backward`` to its definition."""
    case = trial.case
    got = trial.call("backward", trial.module.backward, case.grad, *case.primals)
    gradients = case.truth.primal.gradients
    trial.compare("backward", *trial.gradients("backward", got, gradients))


def vjp(trial: Trial[ExactCase]) -> None:
    """Hold ``vjp`` and its pullback to the same."""
    case, known = trial.case, trial.case.truth.primal
    got = trial.call("vjp", trial.module.vjp, *case.primals)
    output, pullback = trial.parts("vjp", got, 2)
    trial.compare("vjp", trial.output("the output", output, known.output))
    got = trial.call("the pullback", pullback, case.grad)
    gradients = trial.gradients("the pullback", got, known.gradients)
    trial.compare("the pullback", *gradients)


def jvp(trial: Trial[ExactCase]) -> None:
    """Hold ``jvp`` to the sum over the operands, each replaced by its tangent."""
    case = trial.case
    got = trial.call("jvp", trial.module.jvp, case.primals, case.tangents)
    output, tangent = trial.parts("jvp", got, 2)
    trial.compare(
        "jvp",
        trial.output("the output", output, case.truth.primal.output),
        trial.output("the tangent", tangent, case.truth.tangent.output),
    )


def hvp(trial: Trial[ExactCase]) -> None:
    """Hold ``hvp`` to the tangents of the gradients."""
    case, module = trial.case, trial.module
    got = trial.call("hvp", module.hvp, case.primals, case.grad, case.tangents)
    known = case.truth.tangent.gradients
    trial.compare("hvp", *trial.gradients("hvp", got, known, "hvp"))


def double(trial: Trial[ExactCase]) -> None:
    """Hold ``double_backward`` to ``jvp`` and ``hvp`` along what it is given."""
    case, what = trial.case, "double_backward"
    moved = case.point.tangents
    cotangents = tuple(moved[name] for name in trial.subject.gradients)
    function = trial.module.double_backward
    got = trial.call(what, function, cotangents, case.grad, *case.primals)
    first, *rest = trial.parts(what, got, 1 + len(cotangents))
    known, beside = case.truth.partial, (case.grad, *cotangents)
    trial.compare(
        what,
        trial.output("gradient of the cotangent", first, known.output, *beside),
        *trial.gradients(what, tuple(rest), known.gradients, "hvp"),
    )


def again(trial: Trial[FloatCase]) -> None:
    """Hold a pullback that is called again to what it returned at first."""
    case = trial.case
    _, pullback = trial.parts(
        "vjp", trial.call("vjp", trial.module.vjp, *case.primals), 2
    )
    likes = {name: Known(array) for name, array in case.point.primals.items()}
    first = trial.call("the pullback", pullback, case.grad)
    second = trial.call("the pullback", pullback, case.grad)
    before = trial.gradients("the pullback", first, likes)
    trial.receive("the pullback", *before)
    names = trial.subject.gradients
    kept = {n: Known(r.got.copy()) for n, r in zip(names, before, strict=True)}
    after = trial.gradients("the pullback called again", second, kept)
    trial.compare("the pullback called again", *after)


def into(trial: Trial[ExactCase]) -> None:
    """Hold what is written into arrays, and then added to it, to the same."""
    case, known, module = trial.case, trial.case.truth.primal, trial.module
    what = "forward with out"
    room = _room(trial.output("the output", None, known.output))
    got = trial.call(what, partial(module.forward, out=room), *case.primals)
    trial.compare(what, trial.output("the output", got, known.output))
    _hold_written(trial, what, [got], [room])
    nothing = (None,) * len(trial.subject.gradients)
    rooms = [_room(result) for result in trial.gradients("", nothing, known.gradients)]
    for what, total in (("backward with out", 1), ("backward with accumulate", 2)):
        function = partial(module.backward, out=rooms, accumulate=total > 1)
        got = trial.call(what, function, case.grad, *case.primals)
        wanted = {name: times(total, array) for name, array in known.gradients.items()}
        trial.compare(what, *trial.gradients(what, got, wanted))
        _hold_written(trial, what, got, rooms)


def _hold_written(
    trial: Trial[ExactCase], what: str, got: Sequence[Any], rooms: Sequence[Array]
) -> None:
    """Hold what is returned to be the arrays that were given."""
    if any(array is not room for array, room in zip(got, rooms, strict=True)):
        trial.refute(what, f"{what} returns another array than the one given")


def _room(result: Result) -> Array:
    """Return an array to write a result into, full of what is none."""
    return np.full(result.expected.value.shape, 7, result.dtype)


def adjoint(trial: Trial[FloatCase]) -> None:
    """Hold <g, J t> to <J* g, t>, which is exact but for rounding."""
    case, subject = trial.case, trial.subject
    got = trial.call("jvp", trial.module.jvp, case.primals, case.tangents)
    _, tangent = trial.parts("jvp", got, 2)
    trial.receive("jvp", trial.output("the tangent", tangent, Known(case.grad)))
    got = trial.call("backward", trial.module.backward, case.grad, *case.primals)
    moved = {name: Known(array) for name, array in case.point.tangents.items()}
    gradients = trial.gradients("backward", got, moved)
    trial.receive("backward", *gradients)

    left = _inner(subject, case.grad, tangent)
    right = sum(_inner(subject, g.got, g.expected.value) for g in gradients)
    tolerance = _tolerance(subject, case)
    if not abs(left - right) <= tolerance:
        message = f"<g, J t> and <J* g, t> differ by more than {tolerance:.1e}"
        trial.refute("jvp, backward", message, expected=f"{left}", got=f"{right}")
    trial.tally[trial.law] += 1


def _is_twice_derived(subject: Subject) -> bool:
    return subject.order == 2


LAWS = (
    Law("forward", "{output}", "entries", ExactCase, forward),
    Law(
        "backward",
        "each gradient is <{g}, einsum(.., unit tensor, ..)>, entry by entry",
        "entries",
        ExactCase,
        backward,
    ),
    Law("vjp", "forward, then backward", "entries", ExactCase, vjp),
    Law(
        "jvp",
        "forward, and the sum over the operands, each replaced by its tangent{slope}",
        "entries",
        ExactCase,
        jvp,
    ),
    Law(
        "hvp",
        "each gradient, its other operands in turn replaced by their tangents{bend}",
        "entries",
        ExactCase,
        hvp,
        _is_twice_derived,
    ),
    Law(
        "double",
        "double_backward: jvp's tangent and hvp, along the cotangents",
        "entries",
        ExactCase,
        double,
        _is_twice_derived,
    ),
    Law(
        "out",
        "forward and backward, written into given arrays, and added to them",
        "entries",
        ExactCase,
        into,
        lambda subject: subject.into,
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


def _inner(subject: Subject, left: Array, right: Array) -> Any:
    """Return Re <left, right> for the adjoint, the plain sum for the transpose."""
    if subject.complex == "adjoint":
        return np.vdot(left, right).real
    return (left * right).sum()


def _tolerance(subject: Subject, case: Case) -> float:
    terms = case.draw.cells + 2 * len(subject.operands)
    size = magnitude(subject, case.point)
    return ROUNDING * terms * float(np.finfo(np.float64).eps) * size
