"""Arrays to check a module with, each set beside what brute force makes of it.

Integers are drawn from -R, …, -1, 1, …, R, with R as wide as keeps every sum below
2**53, so that float64 and complex128 hold each of them exactly.  Where there are many
operands R is spent on a few: see `Draw.varied`.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from .. import oracle
from ..oracle import Array
from .bounds import reach
from .draws import SMALL_CELLS, Plan
from .memory import Extent, extents
from .views import VARIED, Draw, Shape, Subject

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
        return _promoted(array.dtype for array in self.primals)


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


def cases(subject: Subject, plan: Plan, seed: int, rounds: int) -> Iterator[Case]:
    """Yield every case: the main draws ``rounds`` times, then the small ones."""
    work = [(draw, kind) for kind in MAIN for draw in plan.main * rounds]
    work += [(draw, kind) for draw in plan.small for kind in VARIATIONS]
    for number, (draw, kind) in enumerate(work):
        rng = np.random.default_rng([seed, number])
        yield from kind(Source(subject, draw, number, rng))


# --- values


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


def _case(source: Source, material: str, recipe: Recipe, span: int) -> Case:
    def draw(spans: Sequence[int], shapes: Sequence[Shape]) -> list[Array]:
        ends = list(itertools.accumulate(map(math.prod, shapes), initial=0))
        drawn = recipe(source.rng, np.repeat(spans, np.diff(ends)))
        parts = zip(itertools.pairwise(ends), shapes, strict=True)
        return [drawn[start:end].reshape(s).copy() for (start, end), s in parts]

    return _dealt(source, material, span, draw)


def _equal_case(source: Source, material: str, span: int) -> Case:
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
    drawn = draw(
        [*spans, *[span] * len(like), span], [*like, *like, source.draw.output]
    )
    primals, tangents = drawn[: len(like)], drawn[len(like) : -1]
    return Case(
        source.number,
        material,
        source.draw,
        tuple(primals),
        tuple(tangents),
        drawn[-1],
    )


# --- brute force


def placed(subject: Subject, arrays: tuple[Array, ...]) -> list[Array]:
    """Return one array a place, given one a name."""
    by_name = dict(zip(subject.names, arrays, strict=True))
    return [by_name[name] for name in subject.operands]


def _exact(subject: Subject, case: Case) -> ExactCase:
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


# --- materials


def _integers(source: Source) -> Iterator[Case]:
    span = reach(source.subject, source.draw)
    case = _exact(source.subject, _case(source, "int64", integers, span))
    yield case
    yield _cast(case, "float64", {})


def _gaussians(source: Source) -> Iterator[Case]:
    span = reach(source.subject, source.draw, parts=2)
    yield _exact(source.subject, _case(source, "complex128", gaussians, span))


def _reals_among_complex(source: Source) -> Iterator[Case]:
    """One operand is real, the others complex, so its gradient is a real part."""
    span = reach(source.subject, source.draw, parts=2)
    case = _case(source, "complex128", gaussians, span)
    names = source.subject.names
    for chosen in _some(source) if len(names) > 1 else ():
        primals, tangents = (
            # For a unit this is 1 or -1.
            tuple(
                np.asarray(a.real + a.imag) if n == chosen else a
                for n, a in zip(names, arrays, strict=True)
            )
            for arrays in (case.primals, case.tangents)
        )
        material = f"complex128, operand {chosen!r} float64"
        real = replace(case, material=material, primals=primals, tangents=tangents)
        yield _exact(source.subject, real)


def _dtypes(source: Source) -> Iterator[Case]:
    """Numbers so small that every dtype holds them exactly."""
    case = _exact(source.subject, _case(source, "int64", integers, 1))
    if source.draw.cells * len(source.subject.operands) <= SMALL_CELLS:
        yield _cast(case, "float16", {})
    single = _cast(case, "float32", {})
    yield single
    yield replace(
        single,
        material="float32, cotangent float64",
        grad=single.grad.astype("float64"),
    )
    units = _exact(source.subject, _case(source, "complex128", gaussians, 1))
    yield _cast(units, "complex64", {})
    for name in _some(source) if len(source.subject.names) > 1 else ():
        for dtype in ("float32", "int64"):
            yield _cast(case, "float64", {name: dtype})


def _layouts(source: Source) -> Iterator[Case]:
    span = reach(source.subject, source.draw)
    drawn = _exact(source.subject, _case(source, "int64", integers, span))
    case = _cast(drawn, "float64", {})
    for title, lay in LAYOUTS.items():
        yield replace(
            case,
            material=f"float64, {title}",
            primals=tuple(map(lay, case.primals)),
            tangents=tuple(map(lay, case.tangents)),
            grad=lay(case.grad),
        )
    equal = _equal_case(source, "float64, every stride 0", span)
    yield _exact(source.subject, equal)


def _floats(source: Source) -> Iterator[Case]:
    """Tangents are 0 for the operands whose gradients are not asked for."""
    for material, recipe in (("float64", normals), ("complex128", complex_normals)):
        case = _case(source, f"random {material}", recipe, 1)
        tangents = tuple(
            tangent if name in source.subject.gradients else np.zeros_like(tangent)
            for name, tangent in zip(source.subject.names, case.tangents, strict=True)
        )
        yield FloatCase(**vars(replace(case, tangents=tangents)))


def _some(source: Source) -> list[str]:
    """Return all names, or two of them where there are many."""
    names = source.subject.names
    if len(names) <= VARIED:
        return list(names)
    return [str(name) for name in source.rng.choice(names, 2, replace=False)]


def _cast(case: ExactCase, dtype: str, other: Mapping[str, str]) -> ExactCase:
    """Carry the same numbers in ``dtype``; ``other`` has the names that differ."""
    material = dtype + "".join(f", operand {n!r} {d}" for n, d in other.items())
    dtypes = [other.get(name, dtype) for name in case.draw.shapes]
    return replace(
        case,
        material=material,
        primals=tuple(a.astype(d) for a, d in zip(case.primals, dtypes, strict=True)),
        tangents=tuple(a.astype(d) for a, d in zip(case.tangents, dtypes, strict=True)),
        grad=case.grad.astype(_promoted(np.dtype(d) for d in dtypes)),
    )


def _promoted(dtypes: Iterable[np.dtype[Any]]) -> np.dtype[Any]:
    # np.result_type takes no more than 64.
    return functools.reduce(np.promote_types, dtypes)


def _strided(array: Array) -> Array:
    if array.ndim == 0:
        return array.copy()
    *outer, last = array.shape
    view = np.zeros((*outer, 2 * last), array.dtype)[..., ::2]
    view[...] = array
    return view


def _reversed(array: Array) -> Array:
    return np.asarray(np.flip(np.flip(array).copy()))


def _read_only(array: Array) -> Array:
    copy = array.copy()
    copy.setflags(write=False)
    return copy


LAYOUTS: Mapping[str, Callable[[Array], Array]] = {
    "Fortran order": lambda array: array.copy(order="F"),
    "reversed": _reversed,
    "strided": _strided,
    "read-only": _read_only,
}
MAIN = (_integers, _gaussians)
VARIATIONS = (_reals_among_complex, _dtypes, _layouts, _floats)
