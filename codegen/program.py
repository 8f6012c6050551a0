"""The index-level IR: Value, Step, Program.

A program is a list of equations, each written once, over five operations:

    einsum   any einsum of the closed grammar, over one or more arguments
    add      the sum of two values of the same shape
    conj     the complex conjugate
    apply    an elementwise function, by name, or one of its derivatives
    zero     zeros, shaped like a value

Not supported, on purpose: control flow, mutation, layouts, dtypes, anything of a
target.  Arguments fit by position: an einsum may call the axes of its argument by
other letters than the value does (one array in two places).
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from .activations import PIECEWISE_LINEAR
from .contraction import ASSUMED_SIZE
from .errors import InternalError
from .spec import Einsum, Index, Subscripts


@dataclass(frozen=True)
class Value:
    """A tensor; two axes called by one index, anywhere in a program, agree in size."""

    name: str
    subscripts: Subscripts

    def __str__(self) -> str:
        return f"{self.name}[{''.join(self.subscripts)}]"


@dataclass(frozen=True)
class Add:
    """The elementwise sum of two values, axis by axis."""

    def __str__(self) -> str:
        return "add"


@dataclass(frozen=True)
class Conj:
    """The complex conjugate of a value."""

    def __str__(self) -> str:
        return "conj"


@dataclass(frozen=True)
class Apply:
    """The derivative of some order of an elementwise function; order 0 is itself."""

    function: str
    parameters: tuple[float, ...] = ()
    order: int = 0

    @property
    def derivative(self) -> Apply:
        """The derivative, elementwise again."""
        return replace(self, order=self.order + 1)

    @property
    def is_constant(self) -> bool:
        """Whether it is one but where it jumps, as the slope of relu is."""
        return self.order > 0 and self.function in PIECEWISE_LINEAR

    @property
    def symbol(self) -> str:
        """The function as text, such as ``leaky_relu:0.1'``."""
        return ":".join([self.function, *map(str, self.parameters)]) + "'" * self.order

    def __str__(self) -> str:
        return f"apply {self.symbol}"


@dataclass(frozen=True)
class Zero:
    """Zeros, shaped like a value."""

    def __str__(self) -> str:
        return "zero"


Op = Einsum | Add | Conj | Apply | Zero

# What acts entry by entry, so that the result can be laid out as the arguments are.
Elementwise = Add | Conj | Apply


@dataclass(frozen=True)
class Step:
    """One equation, ``result = op(arguments)``."""

    result: Value
    op: Op
    arguments: tuple[Value, ...]

    def __str__(self) -> str:
        kind = "einsum " if isinstance(self.op, Einsum) else ""
        names = ", ".join(value.name for value in self.arguments)
        return f"{self.result} = {kind}{self.op} ({names})"


@dataclass(frozen=True)
class Program:
    """Inputs, equations in order of execution, and outputs."""

    inputs: tuple[Value, ...]
    steps: tuple[Step, ...]
    outputs: tuple[Value, ...]

    def __str__(self) -> str:
        head = f"program {', '.join(map(str, self.inputs))}"
        body = [f"  {step}" for step in self.steps]
        return "\n".join([head, *body, f"  return {', '.join(map(str, self.outputs))}"])

    @property
    def names(self) -> set[str]:
        """The name of every value."""
        results = (step.result for step in self.steps)
        return {value.name for value in itertools.chain(self.inputs, results)}


class Names:
    """Hands out names that are not taken: ``grad``, then ``grad_2``, ``grad_3``."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def fresh(self, stem: str) -> str:
        """Return ``stem``, numbered where it is taken, and take it."""
        candidates = itertools.chain(
            [stem], (f"{stem}_{k}" for k in itertools.count(2))
        )
        name = next(name for name in candidates if name not in self._taken)
        self._taken.add(name)
        return name

    def copy(self) -> Names:
        """Return what hands out names of its own, from where this one is."""
        return Names(self._taken)


def monomials(steps: Iterable[Step]) -> Counter[Subscripts]:
    """Count the multiply-adds of einsums of two or more arguments, as a polynomial.

    A monomial is the indices whose sizes are multiplied, sorted; its count is the
    number of steps that cost that much.
    """
    return Counter(
        tuple(sorted(step_sizes(step).values()))
        for step in steps
        if isinstance(step.op, Einsum) and len(step.arguments) > 1
    )


def multiply_adds(
    steps: Iterable[Step], sizes: Mapping[Index, int] | None = None
) -> int:
    """Count the multiply-adds of ``steps``; unknown sizes are ``ASSUMED_SIZE``."""
    known = sizes or {}
    return sum(
        count * math.prod(known.get(index, ASSUMED_SIZE) for index in monomial)
        for monomial, count in monomials(steps).items()
    )


def step_sizes(step: Step) -> dict[Index, Index]:
    """Map each letter of an einsum step to the program's index of the same size."""
    if not isinstance(step.op, Einsum):
        raise InternalError(f"{step} is no einsum")
    pairs: Iterator[tuple[Subscripts, Value]] = itertools.chain(
        [(step.op.output, step.result)],
        zip(step.op.operands, step.arguments, strict=True),
    )
    return {
        letter: index
        for subscripts, value in pairs
        for letter, index in zip(subscripts, value.subscripts, strict=True)
    }


def letter_sizes(step: Step, sizes: Mapping[Index, int]) -> dict[Index, int]:
    """Return the size of each letter of an einsum step whose index has one."""
    return {i: sizes[n] for i, n in step_sizes(step).items() if n in sizes}


def verify(program: Program) -> None:
    """Raise InternalError unless every value is defined once, before it is used."""
    defined = {value.name: value for value in program.inputs}
    if len(defined) != len(program.inputs):
        raise InternalError("two inputs have one name")
    for step in program.steps:
        for value in step.arguments:
            if defined.get(value.name) != value:
                raise InternalError(f"{step}: {value} is not defined before")
        if step.result.name in defined:
            raise InternalError(f"{step}: {step.result.name} is defined twice")
        _verify_ranks(step)
        defined[step.result.name] = step.result
    for value in program.outputs:
        if defined.get(value.name) != value:
            raise InternalError(f"output {value} is not defined")


def _verify_ranks(step: Step) -> None:
    ranks = [len(value.subscripts) for value in step.arguments]
    result = len(step.result.subscripts)
    if isinstance(step.op, Einsum):
        fits = [len(s) for s in step.op.operands] == ranks
        fits = fits and len(step.op.output) == result
    else:
        arity = 2 if isinstance(step.op, Add) else 1
        fits = ranks == [result] * arity
    if not fits:
        raise InternalError(f"{step}: the ranks {ranks} do not fit")
