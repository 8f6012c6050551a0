"""The arrays of a case, drawn at random.

Integers are drawn from -R, …, -1, 1, …, R, with R as wide as keeps every sum below
2**53, so that float64 and complex128 hold each of them exactly.  Where there are many
factors R is spent on a few: see `Draw.varied`.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..oracle import Array
from .memory import Extent, extents
from .truth import Point, Truth, truth
from .views import Draw, Subject

UNITS = np.array([1, 1j, -1, -1j])
# How large the argument of an activation is, in the mean.
MODERATE = 3.0

# Values, one for each span.
Recipe = Callable[[np.random.Generator, Array], Array]


@dataclass(frozen=True)
class Case:
    """An array and a tangent for each name, and a cotangent.

    They are drawn from ``numpy.random.default_rng([seed, number])``.
    """

    number: int
    material: str
    draw: Draw
    primals: tuple[Array, ...]
    tangents: tuple[Array, ...]
    grad: Array

    @cached_property
    def inputs(self) -> list[tuple[str, Array]]:
        """Every array that a module is given, with what to call it."""
        primals = [f"operand {name!r}" for name in self.draw.shapes]
        tangents = [f"tangent of {name!r}" for name in self.draw.shapes]
        arrays = (*self.primals, *self.tangents, self.grad)
        return list(zip([*primals, *tangents, "the cotangent"], arrays, strict=True))

    @cached_property
    def extents(self) -> list[Extent]:
        """Where these arrays lie in memory."""
        return extents(self.inputs)

    @property
    def point(self) -> Point:
        """The primals and the tangents by name, and the cotangent."""
        primals, tangents = (
            dict(zip(self.draw.shapes, arrays, strict=True))
            for arrays in (self.primals, self.tangents)
        )
        return Point(primals, tangents, self.grad)


@dataclass(frozen=True)
class ExactCase(Case):
    """A case whose results are known: to the last bit, but for an activation."""

    truth: Truth


@dataclass(frozen=True)
class FloatCase(Case):
    """A case whose results are right to rounding."""


@dataclass(frozen=True)
class Source:
    """What the arrays of one case are drawn for, and from."""

    subject: Subject
    draw: Draw
    number: int
    rng: np.random.Generator


def integers(rng: np.random.Generator, spans: Array) -> Array:
    """Return an int64 between -span and span, without 0, for each span."""
    drawn = rng.integers(2 * spans)
    return np.asarray(drawn - spans + (drawn >= spans))


def gaussians(rng: np.random.Generator, spans: Array) -> Array:
    """Return complex128 whose two parts are such integers; for a span of 1, units."""
    units = UNITS[rng.integers(4, size=spans.shape)]
    drawn = integers(rng, spans) + 1j * integers(rng, spans)
    return np.where(spans == 1, units, drawn)


def dyadics(rng: np.random.Generator, spans: Array) -> Array:
    """Return float64 between -2 and 2: such integers, over a power of 2."""
    return np.asarray(integers(rng, spans) / 2.0 ** np.floor(np.log2(spans)))


def normals(rng: np.random.Generator, spans: Array) -> Array:
    """Return float64 from the normal distribution."""
    return np.asarray(rng.standard_normal(spans.shape))


def complex_normals(rng: np.random.Generator, spans: Array) -> Array:
    """Return complex128 whose two parts are normal."""
    return np.asarray(normals(rng, spans) + 1j * normals(rng, spans))


def drawn_case(source: Source, material: str, recipe: Recipe, span: int) -> Case:
    """Return a case of ``recipe``'s values, as wide as ``span`` where it matters.

    Operands that are not varied have span 1.
    """
    shapes, varied = source.draw.shapes, source.draw.varied
    like = [*shapes.values()]
    spans = [*(span if name in varied else 1 for name in shapes), *[span] * len(like)]
    ends = [0, *itertools.accumulate(map(math.prod, [*like, *like]))]
    ends.append(ends[-1] + math.prod(source.draw.output))
    values = recipe(source.rng, np.repeat([*spans, span], np.diff(ends)))
    parts = zip(
        itertools.pairwise(ends), [*like, *like, source.draw.output], strict=True
    )
    *drawn, grad = (values[start:end].reshape(s).copy() for (start, end), s in parts)
    primals, tangents = tuple(drawn[: len(like)]), tuple(drawn[len(like) :])
    return Case(source.number, material, source.draw, primals, tangents, grad)


def equal(case: Case) -> Case:
    """Return the case in float64 with one value in each array, and every stride 0."""

    def repeated(array: Array) -> Array:
        value = float(array.flat[0]) if array.size else 0.0
        return np.broadcast_to(np.array(value), array.shape)

    return replace(
        case,
        material="float64, every stride 0",
        primals=tuple(map(repeated, case.primals)),
        tangents=tuple(map(repeated, case.tangents)),
        grad=repeated(case.grad),
    )


def scaled(subject: Subject, case: Case) -> Case:
    """Return the case with its first operand times a power of 2.

    The sums are then about as large as `MODERATE`, where an activation is not flat,
    and as exact as they were.
    """
    first, *others = case.primals
    terms = case.draw.cells / max(1, case.grad.size)
    each = (_mean(case.point.primals[name]) for name in subject.factors)
    size = math.sqrt(max(1.0, terms)) * math.prod(each)
    places = subject.factors.count(subject.names[0])
    power = round(math.log2(size / MODERATE) / places)
    primals = (np.asarray(first / 2.0**power), *others)
    return replace(case, primals=primals)


def _mean(array: Array) -> float:
    """Return the root of the mean square of the entries."""
    return math.sqrt(np.mean(np.square(array))) if array.size else 1.0


def placed(subject: Subject, arrays: tuple[Array, ...]) -> list[Array]:
    """Return one array a place, given one a name."""
    by_name = dict(zip(subject.names, arrays, strict=True))
    return [by_name[name] for name in subject.operands]


def exact(subject: Subject, case: Case) -> ExactCase:
    """Return the case with what brute force makes of it."""
    known = truth(subject, case.point, case.draw.cells)
    return ExactCase(**vars(case), truth=known)


def computed(subject: Subject, arrays: Iterable[Array]) -> np.dtype[Any]:
    """Return the dtype of the output at these arrays: that which holds them all.

    An activation makes float64 of integers.
    """
    dtype = promoted(array.dtype for array in arrays)
    floats = subject.activation is None or dtype.kind == "f"
    return dtype if floats else np.dtype(np.float64)


def promoted(dtypes: Iterable[np.dtype[Any]]) -> np.dtype[Any]:
    """Return the dtype that holds all of these, as NumPy has it."""
    # np.result_type takes no more than 64.
    return functools.reduce(np.promote_types, dtypes)
