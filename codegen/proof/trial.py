"""A law put to a case: the module is called, and what comes back is held to the truth.

On the way every array is held to the contract: its shape, its dtype, and memory of its
own.  The first thing found wrong is raised as a `DisprovedError`.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, NoReturn, TypeVar

import numpy as np

from .. import oracle
from ..oracle import Array
from .arrays import Case, computed, placed
from .memory import extents, overlap, shares_entries
from .truth import Known
from .views import Subject

CONTRACT = "contract"

C = TypeVar("C", bound=Case)


@dataclass(frozen=True)
class Counterexample:
    """One thing found wrong, with what it takes to see it again.

    ``array`` says which array or function; ``index`` is a position in it, as pairs of
    an index and its value, empty where no single entry is at fault.  ``seed`` and
    ``draw`` give the arrays as `cases.Case` says.
    """

    spec: str
    law: str
    array: str
    message: str
    index: tuple[tuple[str, int], ...] = ()
    expected: str = ""
    got: str = ""
    shapes: tuple[tuple[str, tuple[int, ...]], ...] = ()
    material: str = ""
    seed: int = 0
    draw: int = 0

    def __str__(self) -> str:
        lines = [f"{self.law}: {self.message}"]
        if self.expected:
            lines += [f"  expected {self.expected}", f"  got      {self.got}"]
        if self.material:
            shapes = ", ".join(f"{name} {shape}" for name, shape in self.shapes)
            lines.append(f"  with {shapes}")
            lines.append(f"  in {self.material}, draw {self.draw} of seed {self.seed}")
        return "\n".join(lines)


class DisprovedError(Exception):
    """Raised where a law does not hold."""

    def __init__(self, counterexample: Counterexample) -> None:
        super().__init__(counterexample)
        self.counterexample = counterexample


class Result(NamedTuple):
    """An array that came back, and what it should be.

    ``operand`` names the operand that has its shape; for the output it is None.
    """

    array: str
    got: Any
    expected: Known
    dtype: np.dtype[Any]
    operand: str | None = None


@dataclass(frozen=True)
class Trial(Generic[C]):
    """One law on one case; ``tally`` counts what was compared, law by law."""

    module: Any
    subject: Subject
    case: C
    seed: int
    law: str
    tally: Counter[str]

    def refute(self, array: str, message: str, **details: Any) -> NoReturn:
        """Raise a `DisprovedError` of the law on this case."""
        facts = {"law": self.law} | details
        raise DisprovedError(
            Counterexample(
                self.subject.spec,
                array=array,
                message=message,
                shapes=tuple(self.case.draw.shapes.items()),
                material=self.case.material,
                seed=self.seed,
                draw=self.case.number,
                **facts,
            )
        )

    def call(self, what: str, function: Any, *arguments: Any) -> Any:
        """Call a function of the module, which must not raise nor write to an input."""
        before = [array.tobytes() for _, array in self.case.inputs]
        try:
            # What is too large for float16 becomes infinite, as it should.
            with np.errstate(over="ignore"):
                result = function(*arguments)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self.refute(what, f"{what} raised {_described(error)}")
        for (name, array), content in zip(self.case.inputs, before, strict=True):
            if array.tobytes() != content:
                self.refute(name, f"{what} writes to {name}", law=CONTRACT)
        return result

    def parts(self, what: str, got: Any, count: int) -> tuple[Any, ...]:
        """Take apart what must be a tuple of ``count``."""
        if not isinstance(got, tuple) or len(got) != count:
            self.refute(what, f"{what} returns {_kind(got)}, not a tuple of {count}")
        return got

    def output(self, what: str, got: Any, expected: Known, *beside: Array) -> Result:
        """Expect an array of the output's shape, and dtype with these arrays beside."""
        dtype = computed(self.subject, (*self.case.primals, *beside))
        return Result(what, got, expected, dtype)

    def gradients(
        self,
        what: str,
        got: Any,
        expected: Mapping[str, Known],
        kind: str = "gradient",
    ) -> list[Result]:
        """Expect a tuple of gradients, or of another kind, each like its operand."""
        names = self.subject.gradients
        dtype = computed(self.subject, self.case.primals)
        parts = self.parts(what, got, len(names))
        arrays = dict(zip(self.subject.names, self.case.primals, strict=True))
        return [
            Result(
                f"{kind} of operand {name!r}",
                gradient,
                expected[name],
                arrays[name].dtype if arrays[name].dtype.kind in "fc" else dtype,
                name,
            )
            for name, gradient in zip(names, parts, strict=True)
        ]

    def receive(self, what: str, *results: Result) -> None:
        """Hold each array to the contract; ``what`` returned them."""
        for result in results:
            if complaint := _complaint(result):
                message = f"{result.array}, from {what}, {complaint}"
                self.refute(result.array, message, law=CONTRACT)
        owned = extents((result.array, result.got) for result in results)
        if shared := overlap(self.case.extents, owned):
            message = f"{shared[0]}, from {what}, shares memory with {shared[1]}"
            self.refute(shared[0], message, law=CONTRACT)
        self.tally[CONTRACT] += len(results)

    def compare(self, what: str, *results: Result) -> None:
        """Hold each array to the contract and to its value, entry by entry."""
        self.receive(what, *results)
        for result in results:
            wrong = self.wrong(result)
            if wrong.any():
                self.refute_entry(what, result, np.argwhere(wrong)[0])
            self.tally[self.law] += result.expected.value.size

    def wrong(self, result: Result) -> Array:
        """Tell of each entry whether it is off, by more than it may be.

        What is too large for its dtype may be infinite.
        """
        value, tolerance = result.expected.value, self.tolerance(result)
        if tolerance is None:
            return np.asarray(~(result.got == value))
        largest = float(np.finfo(result.dtype).max)
        beyond = np.abs(value) + tolerance > largest
        overflown = beyond & (result.got == np.copysign(np.inf, value))
        return np.asarray(~(overflown | (np.abs(result.got - value) <= tolerance)))

    def tolerance(self, result: Result) -> Array | None:
        """Return by how much each entry may be off, in its dtype; None: not at all."""
        value, slack = result.expected.value, result.expected.slack
        if slack is None:
            return None
        dtype = computed(self.subject, self.case.primals)
        # What is float16 is computed in float32.
        fine = np.finfo(np.promote_types(dtype, np.float32))
        last = np.finfo(result.dtype)
        tiny = float(last.smallest_subnormal)
        return slack * float(fine.eps) + np.abs(value) * float(last.eps) + tiny

    def refute_entry(self, what: str, result: Result, position: Array) -> NoReturn:
        """Raise a `DisprovedError` that points at one entry."""
        ranks = [array.ndim for array in placed(self.subject, self.case.primals)]
        terms, output = oracle.resolve(self.subject.joined, ranks)
        held = output
        if result.operand is not None:
            held = terms[self.subject.operands.index(result.operand)]
        index = tuple(zip(held, position.tolist(), strict=True))
        shown = ", ".join(f"{name}={value}" for name, value in index)
        entry = tuple(position)
        expected = str(result.expected.value[entry])
        if (tolerance := self.tolerance(result)) is not None:
            expected += f", to within {tolerance[entry]:.1e}"
        self.refute(
            result.array,
            f"{result.array}, from {what}, is wrong at [{shown}]",
            index=index,
            expected=expected,
            got=str(result.got[entry]),
        )


def _complaint(result: Result) -> str | None:
    """Say what is wrong with an array before its values are looked at."""
    got = result.got
    if not isinstance(got, np.ndarray):
        return f"is {_kind(got)}, not an ndarray"
    if got.shape != result.expected.value.shape:
        return f"has shape {got.shape}, expected {result.expected.value.shape}"
    if got.dtype != result.dtype:
        return f"has dtype {got.dtype}, expected {result.dtype}"
    if not got.flags.writeable:
        return "is read-only"
    if shares_entries(got):
        return "has entries that share memory (a stride of 0)"
    return None


def _described(error: BaseException) -> str:
    """Return the text of an exception and the line that raised it."""
    text = "".join(traceback.format_exception_only(error)).strip()
    *_, frame = traceback.extract_tb(error.__traceback__)
    called = frame.filename != __file__
    return text + (f" ({frame.filename}, line {frame.lineno})" if called else "")


def _kind(got: object) -> str:
    if isinstance(got, (tuple, list)):
        return f"a {type(got).__name__} of {len(got)}"
    return f"a {type(got).__name__}"
