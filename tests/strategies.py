"""Random specs with every feature of the grammar mixed, and arrays that fit them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import numpy as np
from exact import Array, integers
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

LETTERS = "ijkA\u03b1\u00f8"
MAX_CELLS = 4000
DTYPES = ("int64", "float64", "complex128")


def searched(examples: int) -> settings:
    """Try so many examples, the same in every run; EINGRAD_EXAMPLES asks for others."""
    asked = os.environ.get("EINGRAD_EXAMPLES")
    return settings(
        max_examples=int(asked or examples),
        deadline=None,
        report_multiple_bugs=False,
        derandomize=asked is None,
        suppress_health_check=list(HealthCheck),
    )


@dataclass(frozen=True)
class Case:
    """A spec, its options, and one shape for each distinct operand."""

    spec: str
    operands: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[str, ...]
    complex: str
    sizes: dict[str, int] = field(default_factory=dict)
    seed: int = 0

    @property
    def distinct(self) -> tuple[str, ...]:
        """The names of the arrays, in the order of ``forward``."""
        return tuple(dict.fromkeys(self.operands))

    def arrays(self) -> list[Array]:
        """Draw small integers, one array a distinct operand, in odd layouts too."""
        rng = np.random.default_rng(self.seed)
        pairs = zip(self.shapes, self.dtypes, strict=True)
        return [odd_layout(integers(rng, s, d), rng) for s, d in pairs]


def odd_layout(array: Array, rng: np.random.Generator) -> Array:
    """Return an equal array that may be reversed, strided, Fortran or read-only."""
    kind = rng.integers(6)
    if kind == 4:
        array = array.copy()
        array.flags.writeable = False
    elif array.ndim and kind == 1:
        array = np.asfortranarray(array)
    elif array.ndim and kind == 2:
        array = np.repeat(array, 2, axis=-1)[..., ::2]
    elif array.ndim and kind == 3:
        array = array[::-1].copy()[::-1]
    return array


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a case of one to six operands with sizes from 0 to 5."""
    letters = LETTERS[: draw(st.integers(1, len(LETTERS)))]
    count = draw(st.integers(1, 6))
    term = st.text(letters, max_size=4 if count < 3 else 3)
    terms = [draw(term) for _ in range(count)]
    names = [f"x{k}" for k in range(count)]
    shared = count > 1 and draw(st.integers(0, 3)) == 0
    if shared and draw(st.booleans()):
        terms[1] = "".join(draw(st.permutations(terms[0])))
    if shared and len(terms[0]) == len(terms[1]):
        names[1] = names[0]
    else:
        shared = False
    sizes = _draw_sizes(draw, terms, tied=shared)
    dots = not shared and draw(st.integers(0, 3)) == 0
    inside = draw(st.lists(st.integers(0, 3), max_size=2)) if dots else []
    spelled, shapes = [], []
    for text in terms:
        here = dots and draw(st.booleans())
        at = draw(st.integers(0, len(text))) if here else len(text)
        axes = _draw_axes(draw, inside) if here else []
        shape = _draw_shape(draw, text, sizes, shared)
        shapes.append((*shape[:at], *axes, *shape[at:]))
        spelled.append(text[:at] + "..." * here + text[at:])
    output, new = _draw_output(draw, "".join(terms), dots)
    count = len(set(names))
    places = [names.index(name) for name in dict.fromkeys(names)]
    return Case(
        spec=f"{','.join(spelled)}->{output}",
        operands=tuple(names),
        shapes=tuple(shapes[place] for place in places),
        dtypes=_draw_dtypes(draw, count),
        complex=draw(st.sampled_from(["adjoint", "transpose"])),
        sizes=new,
        seed=draw(st.integers(0, 2**32 - 1)),
    )


def _draw_dtypes(draw: st.DrawFn, count: int) -> tuple[str, ...]:
    """Draw a dtype for each array, or objects for all: these hold no complex parts."""
    if draw(st.integers(0, 7)) == 0:
        return ("object",) * count
    return tuple(draw(st.sampled_from(DTYPES)) for _ in range(count))


def _draw_sizes(draw: st.DrawFn, terms: list[str], *, tied: bool) -> dict[str, int]:
    """Draw a size for each letter; those of one array in two places are tied."""
    letters = sorted(set("".join(terms)))
    group = {letter: letter for letter in letters}
    if tied:
        for one, other in zip(terms[0], terms[1], strict=True):
            old, new = group[other], group[one]
            group = {i: new if g == old else g for i, g in group.items()}
    sizes: dict[str, int] = {}
    cells = 1
    for letter in letters:
        size = sizes.get(group[letter])
        if size is None:
            size = draw(st.sampled_from([2, 3, 3, 2, 4, 5, 1, 0]))
            size = size if cells * size <= MAX_CELLS // 9 else 1
            sizes[group[letter]] = size
        cells *= max(1, size)
        sizes[letter] = size
    return sizes


def _draw_shape(
    draw: st.DrawFn, term: str, sizes: dict[str, int], shared: bool
) -> list[int]:
    """Draw a shape: an index has size 1 now and then, on all its axes alike."""
    if shared:
        return [sizes[index] for index in term]
    ones = {i for i in sorted(set(term)) if draw(st.integers(0, 7)) == 0}
    return [1 if index in ones else sizes[index] for index in term]


def _draw_axes(draw: st.DrawFn, inside: list[int]) -> list[int]:
    """Draw the axes of one ellipsis: some missing in front, some of size 1."""
    axes = inside[draw(st.integers(0, len(inside))) :]
    return [1 if draw(st.integers(0, 4)) == 0 else size for size in axes]


def _draw_output(draw: st.DrawFn, known: str, dots: bool) -> tuple[str, dict[str, int]]:
    letters = sorted(set(known))
    output = draw(st.permutations(letters))[
        : draw(st.integers(0, min(4, len(letters))))
    ]
    new: dict[str, int] = {}
    if draw(st.integers(0, 7)) == 0:
        new = {"z": draw(st.integers(0, 3))}
        output.insert(draw(st.integers(0, len(output))), "z")
    if output and draw(st.integers(0, 5)) == 0:
        again = draw(st.sampled_from(output))
        output.insert(draw(st.integers(0, len(output))), again)
    if dots and draw(st.integers(0, 3)):
        output.insert(draw(st.integers(0, len(output))), "...")
    return "".join(output), new
