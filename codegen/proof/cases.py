"""What a module is tried on: the planned shapes, in every dtype and layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from ..oracle import Array
from .arrays import (
    Case,
    ExactCase,
    FloatCase,
    Source,
    complex_normals,
    drawn_case,
    dyadics,
    equal,
    exact,
    gaussians,
    integers,
    normals,
    promoted,
    scaled,
)
from .bounds import EXACT_SINGLE, reach
from .draws import SMALL_CELLS, Plan
from .views import Subject

# Up to what integers are drawn that are to be scaled: float16 holds each of them.
FINE = 64


def cases(subject: Subject, plan: Plan, seed: int, rounds: int) -> Iterator[Case]:
    """Yield every case: the main draws ``rounds`` times, then the small ones."""
    main, variations = EINSUM if subject.activation is None else ACTIVATED
    work = [(draw, kind) for kind in main for draw in plan.main * rounds]
    work += [(draw, kind) for draw in plan.small for kind in variations]
    for number, (draw, kind) in enumerate(work):
        rng = np.random.default_rng([seed, number])
        yield from kind(Source(subject, draw, number, rng))


def _integers(source: Source) -> Iterator[Case]:
    span = reach(source.subject, source.draw)
    case = exact(source.subject, drawn_case(source, "int64", integers, span))
    both = (case, _cast(case, "float64", {}))
    # Many operands take many draws: one of the two has to do for each.
    yield from [both[source.rng.integers(2)]] if source.subject.crowded else both


def _scaled(source: Source) -> Iterator[Case]:
    yield exact(source.subject, _numbers(source, reach(source.subject, source.draw)))


def _gaussians(source: Source) -> Iterator[Case]:
    span = reach(source.subject, source.draw, parts=2)
    yield exact(source.subject, drawn_case(source, "complex128", gaussians, span))


def _reals_among_complex(source: Source) -> Iterator[Case]:
    """One operand is real, the others complex, so its gradient is a real part."""
    span = reach(source.subject, source.draw, parts=2)
    case = drawn_case(source, "complex128", gaussians, span)
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
        yield exact(source.subject, real)


def _dtypes(source: Source) -> Iterator[Case]:
    """Numbers so small that every dtype holds them exactly."""
    subject = source.subject
    span = 1
    if subject.activation is not None:
        span = reach(subject, source.draw, exact=EXACT_SINGLE)
    case = exact(subject, _numbers(source, span))
    if source.draw.cells * len(subject.operands) ** subject.order <= SMALL_CELLS:
        yield _cast(case, "float16", {})
    single = _cast(case, "float32", {})
    yield single
    yield replace(
        single,
        material="float32, cotangent float64",
        grad=single.grad.astype("float64"),
    )
    whole = exact(subject, drawn_case(source, "int64", integers, 1))
    for name in _some(source) if len(subject.names) > 1 else ():
        yield _cast(case, "float64", {name: "float32"})
        yield _cast(whole, "float64", {name: "int64"})


def _all_integers(source: Source) -> Iterator[Case]:
    yield exact(source.subject, drawn_case(source, "int64", integers, 1))


def _units(source: Source) -> Iterator[Case]:
    units = exact(source.subject, drawn_case(source, "complex128", gaussians, 1))
    yield _cast(units, "complex64", {})


def _layouts(source: Source) -> Iterator[Case]:
    drawn = _numbers(source, reach(source.subject, source.draw))
    case = _cast(exact(source.subject, drawn), "float64", {})
    for title, lay in LAYOUTS.items():
        yield replace(
            case,
            material=f"float64, {title}",
            primals=tuple(map(lay, case.primals)),
            tangents=tuple(map(lay, case.tangents)),
            grad=lay(case.grad),
        )
    yield exact(source.subject, equal(drawn))


def _floats(source: Source) -> Iterator[Case]:
    """Tangents are 0 for the operands whose gradients are not asked for."""
    recipes = {"float64": normals, "complex128": complex_normals}
    if source.subject.activation is not None:
        del recipes["complex128"]
    for material, recipe in recipes.items():
        case = drawn_case(source, f"random {material}", recipe, 1)
        moved = case.point.restricted(source.subject.gradients).tangents
        yield FloatCase(**vars(replace(case, tangents=tuple(moved.values()))))


def _numbers(source: Source, span: int) -> Case:
    """Return a case of integers up to ``span``.

    With an activation they are up to `FINE`, and scaled to where it is not flat.
    """
    if source.subject.activation is None:
        return drawn_case(source, "int64", integers, span)
    case = drawn_case(source, "float64", dyadics, min(span, FINE))
    return scaled(source.subject, case)


def _some(source: Source) -> list[str]:
    """Return all names, or two of them where there are many."""
    names = source.subject.names
    if not source.subject.crowded:
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
        grad=case.grad.astype(promoted(np.dtype(d) for d in dtypes)),
    )


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
# What the main draws and the small ones are tried on, without and with an activation.
EINSUM = (
    (_integers, _gaussians),
    (_reals_among_complex, _dtypes, _units, _layouts, _floats),
)
ACTIVATED = ((_scaled,), (_dtypes, _all_integers, _layouts, _floats))
