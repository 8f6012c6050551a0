"""The arrays of a case, drawn at random, and what brute force makes of them.

Integers are drawn from -R, …, -1, 1, …, R, with R as wide as keeps every sum below
2**53, so that float64 and complex128 hold each of them exactly.  Where there are many
operands R is spent on a few: see `Draw.varied`.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .. import oracle
from ..oracle import Array
from .memory import Extent, extents
from .views import Draw, Shape, Subject

UNITS = np.array([1, 1j, -1, -1j])

# Values, one for each span; arrays, one for each span and shape.
Recipe = Callable[[np.random.Generator, Array], Array]
Drawing = Callable[[Sequence[int], Sequence[Shape]], list[Array]]


@dataclass(frozen=True)
class Truth:
    """What brute force says: the output, its tangent, and the gradient of each name."""

    output: Array
    tangent: Array
    gradients: Mapping[str, Array]


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

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the output: the promotion of the operands'."""
        return promoted(array.dtype for array in self.primals)


@dataclass(frozen=True)
class ExactCase(Case):
    """A case whose results are known to the last bit."""

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


def normals(rng: np.random.Generator, spans: Array) -> Array:
    """Return float64 from the normal distribution."""
    return np.asarray(rng.standard_normal(spans.shape))


def complex_normals(rng: np.random.Generator, spans: Array) -> Array:
    """Return complex128 whose two parts are normal."""
    return np.asarray(normals(rng, spans) + 1j * normals(rng, spans))


def drawn_case(source: Source, material: str, recipe: Recipe, span: int) -> Case:
    """Return a case of ``recipe``'s values, as wide as ``span`` where it matters."""

    def draw(spans: Sequence[int], shapes: Sequence[Shape]) -> list[Array]:
        ends = list(itertools.accumulate(map(math.prod, shapes), initial=0))
        drawn = recipe(source.rng, np.repeat(spans, np.diff(ends)))
        parts = zip(itertools.pairwise(ends), shapes, strict=True)
        return [drawn[start:end].reshape(s).copy() for (start, end), s in parts]

    return _dealt(source, material, span, draw)


def equal_case(source: Source, material: str, span: int) -> Case:
    """Return a case in which every array has one value and every stride is 0."""

    def draw(spans: Sequence[int], shapes: Sequence[Shape]) -> list[Array]:
        drawn = integers(source.rng, np.array(spans)).astype(np.float64)
        pairs = zip(drawn, shapes, strict=True)
        return [np.broadcast_to(np.array(value), shape) for value, shape in pairs]

    return _dealt(source, material, span, draw)


def _dealt(source: Source, material: str, span: int, draw: Drawing) -> Case:
    """Return a case made of what ``draw`` draws; operands not varied have span 1."""
    shapes, varied = source.draw.shapes, source.draw.varied
    spans = [span if name in varied else 1 for name in shapes]
    like = list(shapes.values())
    wide = [span] * len(like)
    *drawn, grad = draw([*spans, *wide, span], [*like, *like, source.draw.output])
    primals, tangents = tuple(drawn[: len(like)]), tuple(drawn[len(like) :])
    return Case(source.number, material, source.draw, primals, tangents, grad)


def placed(subject: Subject, arrays: tuple[Array, ...]) -> list[Array]:
    """Return one array a place, given one a name."""
    by_name = dict(zip(subject.names, arrays, strict=True))
    return [by_name[name] for name in subject.operands]


def exact(subject: Subject, case: Case) -> ExactCase:
    """Return the case with what brute force makes of it."""
    primals = placed(subject, case.primals)
    found = oracle.gradients(
        subject.spec,
        primals,
        case.grad,
        subject.sizes,
        conjugate=subject.complex == "adjoint",
    )
    gradients: dict[str, Array] = {}
    for name, gradient in zip(subject.operands, found, strict=True):
        earlier = gradients.get(name, np.zeros_like(gradient))
        gradients[name] = np.asarray(earlier + gradient)
    tangent = oracle.jvp(
        subject.spec, primals, placed(subject, case.tangents), subject.sizes
    )
    output = oracle.einsum(subject.spec, primals, subject.sizes)
    truth = Truth(output, tangent, gradients)
    return ExactCase(**vars(case), truth=truth)


def promoted(dtypes: Iterable[np.dtype[Any]]) -> np.dtype[Any]:
    """Return the dtype that holds all of these, as NumPy has it."""
    # np.result_type takes no more than 64.
    return functools.reduce(np.promote_types, dtypes)
