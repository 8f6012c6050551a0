"""What a module must return, by brute force: z, a function f of it, and derivatives.

z is the einsum, plus the bias spread over the output.  It is a sum of einsums, so its
derivatives are `oracle`'s, and those of f(z) follow by the chain rule, entry by entry:

    output                  f(z)
    gradient                that of z at g f'(z), where g is the cotangent
    tangent of the output   dz f'(z), where dz is the tangent of z
    tangent of a gradient   that of z at g f'(z), plus the gradient of z at g f''(z) dz

Without an activation f(z) is z, and all of it is exact.  With one, z and dz are exact
in every dtype (see `cases`), and everything that is rounded is counted in units of
eps: what f, f' and f'' may be off, n roundings in a sum and its products, and the
magnitudes of the terms, which the same four lines make of absolute values.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from .. import oracle
from ..oracle import Array
from .reference import Activation, Identity, Values, read
from .views import Subject

Named = Mapping[str, Array]


@dataclass(frozen=True)
class Known:
    """An array, and by how much each entry may be off in units of eps; None: exact."""

    value: Array
    slack: Array | None = None


def times(count: int, known: Known) -> Known:
    """Return so many times an array."""
    slack = None if known.slack is None else count * known.slack
    return Known(count * known.value, slack)


@dataclass(frozen=True)
class Results:
    """The output and the gradient of each name, or the tangents of all of these."""

    output: Known
    gradients: Mapping[str, Known]


@dataclass(frozen=True)
class Truth:
    """What brute force says.

    ``tangent`` is along all tangents, ``partial`` along those of the names whose
    gradients are asked for.  Their gradients are empty where the order is 1.
    """

    primal: Results
    tangent: Results
    partial: Results


@dataclass(frozen=True)
class Point:
    """An array and a tangent for each name, and a cotangent."""

    primals: Named
    tangents: Named
    grad: Array

    def restricted(self, names: Collection[str]) -> Point:
        """Return the point with tangents of 0 but for these names."""
        moved = {
            name: tangent if name in names else np.zeros_like(tangent)
            for name, tangent in self.tangents.items()
        }
        return replace(self, tangents=moved)

    def absolute(self) -> Point:
        """Return the absolute values."""
        primals = {name: np.abs(array) for name, array in self.primals.items()}
        tangents = {name: np.abs(array) for name, array in self.tangents.items()}
        return Point(primals, tangents, np.abs(self.grad))


@dataclass(frozen=True)
class Summand:
    """An einsum of the arrays of ``names``, and of ones with the output's sizes.

    The ones broadcast the others, and give the output's new indices their sizes.
    """

    spec: str
    names: tuple[str, ...]
    ones: Array
    conjugate: bool

    def _placed(self, arrays: Named, last: Array) -> list[Array]:
        return [*(arrays[name] for name in self.names), last]

    def output(self, at: Point) -> Array:
        """Return the einsum."""
        return oracle.einsum(self.spec, self._placed(at.primals, self.ones))

    def tangent(self, at: Point) -> Array:
        """Return its tangent."""
        primals = self._placed(at.primals, self.ones)
        tangents = self._placed(at.tangents, 0 * self.ones)
        return oracle.jvp(self.spec, primals, tangents)

    def gradients(self, at: Point, grad: Array) -> Iterator[tuple[str, Array]]:
        """Yield the gradient of each place, by name."""
        primals = self._placed(at.primals, self.ones)
        found = oracle.gradients(self.spec, primals, grad, conjugate=self.conjugate)
        yield from zip(self.names, found, strict=False)

    def hvp(self, at: Point, grad: Array) -> Iterator[tuple[str, Array]]:
        """Yield the tangent of each of these gradients."""
        primals = self._placed(at.primals, self.ones)
        tangents = self._placed(at.tangents, 0 * self.ones)
        found = oracle.hvp(self.spec, primals, grad, tangents, conjugate=self.conjugate)
        yield from zip(self.names, found, strict=False)


@dataclass(frozen=True)
class Layer:
    """A function of a sum of einsums."""

    summands: tuple[Summand, ...]
    activation: Activation | Identity

    def output(self, at: Point) -> Array:
        """Return z."""
        return np.asarray(sum(part.output(at) for part in self.summands))

    def tangent(self, at: Point) -> Array:
        """Return the tangent of z."""
        return np.asarray(sum(part.tangent(at) for part in self.summands))

    def gradients(self, at: Point, grad: Array) -> dict[str, Array]:
        """Return the gradient of z of each name, summed over its places."""
        return _added(part.gradients(at, grad) for part in self.summands)

    def hvp(self, at: Point, grad: Array) -> dict[str, Array]:
        """Return the tangents of these gradients."""
        return _added(part.hvp(at, grad) for part in self.summands)


# What is computed of a layer, from f, f' and f'' at z: an output, and gradients.
Rule = Callable[[Layer, Point, Values], tuple[Array, dict[str, Array]]]


def _primal(layer: Layer, at: Point, f: Values) -> tuple[Array, dict[str, Array]]:
    """Compute the output and the gradients."""
    return f.value, layer.gradients(at, at.grad * f.first)


def _tangent(layer: Layer, at: Point, f: Values) -> tuple[Array, dict[str, Array]]:
    """Compute the tangent of the output alone."""
    return layer.tangent(at) * f.first, {}


def _second(layer: Layer, at: Point, f: Values) -> tuple[Array, dict[str, Array]]:
    """Compute the tangents of the output and of the gradients."""
    moved = layer.tangent(at)
    parts = (
        layer.hvp(at, at.grad * f.first),
        layer.gradients(at, at.grad * f.second * moved),
    )
    return moved * f.first, _added(part.items() for part in parts)


def truth(subject: Subject, at: Point, cells: int) -> Truth:
    """Return what the module must return at a point; ``cells`` bounds a sum's terms."""
    layer = layer_of(subject, at)
    z = layer.output(at)
    f = layer.activation.at(z)
    terms = max(cells, at.grad.size) + 2 * len(subject.operands)
    slack = layer.activation.slack(z, terms)

    def known(rule: Rule, point: Point) -> Results:
        output, gradients = rule(layer, point, f)
        if slack is None:
            return Results(Known(output), {n: Known(g) for n, g in gradients.items()})
        off, each = rule(layer, point.absolute(), slack)
        pairs = {name: Known(g, each[name]) for name, g in gradients.items()}
        return Results(Known(output, off), pairs)

    rule = _tangent if subject.order == 1 else _second
    tangent = partial = known(rule, at)
    if subject.order > 1 and set(subject.gradients) < set(subject.names):
        partial = known(rule, at.restricted(subject.gradients))
    return Truth(known(_primal, at), tangent, partial)


def magnitude(subject: Subject, at: Point) -> float:
    """Return the sum of the magnitudes of the terms of <g, J t>.

    The rounding of z, a sum as well, counts by f''.
    """
    layer = layer_of(subject, at)
    f, size = layer.activation.at(layer.output(at)), at.absolute()
    slope = np.abs(f.first) + np.abs(f.second) * layer.output(size)
    return float(np.vdot(size.grad * slope, layer.tangent(size)))


def layer_of(subject: Subject, at: Point) -> Layer:
    """Return the layer that ``subject`` is at operands of these ranks."""
    ranks = [at.primals[name].ndim for name in subject.operands]
    _, output = oracle.resolve(subject.joined, ranks)
    sizes = dict(zip(output, at.grad.shape, strict=True))
    ones = np.ones(tuple(sizes.values()), np.int64)
    factors, held = oracle.split(subject.spec)
    parts = [(factors, subject.factors)]
    parts += [((bias,), subject.operands[-1:]) for bias in subject.added]
    summands = (
        Summand(
            oracle.written([*terms, tuple(dict.fromkeys(held))], held),
            names,
            ones,
            conjugate=subject.complex == "adjoint",
        )
        for terms, names in parts
    )
    return Layer(tuple(summands), read(subject.activation))


def _added(parts: Iterable[Iterable[tuple[str, Array]]]) -> dict[str, Array]:
    """Add up what stands under one name."""
    total: dict[str, Array] = {}
    for name, array in itertools.chain.from_iterable(parts):
        total[name] = np.asarray(total[name] + array) if name in total else array
    return total
