"""Where the numbers in templates/numpy/activations.py come from; it prints them.

    python benchmarks/fit_activations.py

Rational functions are fitted with the Remez exchange for ratios (W. J. Cody, W. Fraser,
J. F. Hart, Numer. Math. 12, 1968), in 60 digits.  A zero is given as two doubles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mpmath import findroot, lu_solve, matrix, mp, mpf, polyval

mp.dps = 60

Real = Callable[[Any], Any]


@dataclass(frozen=True)
class Fit:
    """P/Q closest to f on (0, end]: the error is meant relative to ``weight``."""

    name: str
    f: Real
    weight: Real
    degrees: tuple[int, int]
    end: str


def ratio(a: Any) -> Any:
    """Return Φ(-a) / φ(a), Mills' ratio."""
    return mp.sqrt(mp.pi / 2) * mp.exp(a * a / 2) * mp.erfc(a / mp.sqrt(2))


ZERO = findroot(lambda a: ratio(a) - a, mpf("0.75"))
NORMAL = 1 / mp.sqrt(2 * mp.pi)
# What the doubles that stand for them lose of φ(0) and √(2π), the fits make up for.
ROUNDED = mpf(float(NORMAL))
GROWTH = mpf(float(1 / NORMAL))


def divisor(a: Any) -> Any:
    """Return e^(-a²/2) / Φ(-a)."""
    return 1 / (NORMAL * ratio(a))


def tail(a: Any) -> Any:
    """Return how much less than 2 + √(2π) a that is, divided by a > 0."""
    return (2 + GROWTH * a - divisor(a)) / a


def slope(a: Any) -> Any:
    """Return (Φ(-a) - a φ(a)) / (z - a) / e^(-a²/2), where z is the zero."""
    if abs(a - ZERO) < mpf(10) ** -20:
        return NORMAL * (2 - a * ratio(a))
    return NORMAL * (ratio(a) - a) / (ZERO - a)


FITS = [
    Fit(f"_GELU_{name}_{bits}", f, weight, degrees, end)
    for name, f, weight in (
        ("TAIL", tail, lambda a: divisor(a) / a),
        ("SLOPE", lambda a: slope(a) - ROUNDED, slope),
    )
    for bits, degrees, end in ((32, (3, 4), "14.6"), (64, (9, 10), "38.7"))
]


def remez(fit: Fit) -> tuple[Any, list[Any], list[Any]]:
    """Return the greatest error, and the coefficients of P and Q, lowest first."""
    count = sum(fit.degrees) + 2
    # Points are dense where the function bends: in t = (a - 2) / (a + 2).
    last = (mpf(fit.end) - 2) / (mpf(fit.end) + 2)

    def spread(n: int) -> list[Any]:
        angles = (mp.cos(mp.pi * k / (n - 1)) for k in range(n))
        ts = ((last - 1) / 2 - (last + 1) / 2 * cosine for cosine in angles)
        return [max(2 * (1 + t) / (1 - t), mpf(10) ** -20) for t in ts]

    grid = [(a, fit.f(a), fit.weight(a)) for a in spread(30 * count)]
    points = [(a, fit.f(a), fit.weight(a)) for a in spread(count)]
    p, q = [mpf(0)], [mpf(1)]
    for _ in range(16):
        p, q, level = _levelled(points, fit.degrees, q)
        errors = [
            (polyval(p[::-1], a) / polyval(q[::-1], a) - f) / w for a, f, w in grid
        ]
        greatest = max(map(abs, errors))
        peaks = _peaks(errors, count)
        if abs(greatest - abs(level)) < greatest * mpf("0.03") or len(peaks) < count:
            break
        points = [grid[k] for k in peaks]
    return greatest, p, q


def _levelled(
    points: list[Any], degrees: tuple[int, int], q: list[Any]
) -> tuple[list[Any], list[Any], Any]:
    """Solve P - f Q = ±E w Q at the points, the Q on the right from the time before."""
    n, m = degrees
    size = n + m + 2
    level = None
    for _ in range(15):
        left, right = matrix(size, size), matrix(size, 1)
        for i, (a, f, weight) in enumerate(points):
            row = [a**j for j in range(n + 1)] + [-f * a**j for j in range(1, m + 1)]
            row.append(-((-1) ** i) * weight * polyval(q[::-1], a))
            for j, entry in enumerate(row):
                left[i, j] = entry
            right[i] = f
        found = list(lu_solve(left, right))
        p, q, new = found[: n + 1], [mpf(1), *found[n + 1 : -1]], found[-1]
        if level is not None and abs(new - level) < abs(new) * mpf(10) ** -6:
            break
        level = new
    return p, q, new


def _peaks(errors: list[Any], count: int) -> list[int]:
    """Return where the error is greatest between changes of sign, the best in a row."""
    peaks, start = [], 0
    for k in range(1, len(errors) + 1):
        if k == len(errors) or (errors[k] > 0) != (errors[start] > 0):
            peaks.append(max(range(start, k), key=lambda j: abs(errors[j])))
            start = k
    while len(peaks) > count:
        smaller = abs(errors[peaks[0]]) < abs(errors[peaks[-1]])
        del peaks[0 if smaller else -1]
    return peaks


def _two(value: Any) -> str:
    return f"{float(value)!r} + {float(value - mpf(float(value)))!r}"


def _row(values: list[Any]) -> str:
    return f"({', '.join(repr(float(value)) for value in values)})"


def main() -> None:
    """Print every number."""
    for fit in FITS:
        error, p, q = remez(fit)
        print(f"{fit.name}: error 2^{mp.nstr(mp.log(error, 2), 4)}")
        print(f"  {_row(p[::-1])}\n  {_row(q[::-1])}")
    print("zero of gelu':", _two(-ZERO))
    logarithm = mp.log(2 * mp.pi) / 2
    print("log √(2π):", float(logarithm), "split", _split(logarithm, 41))
    silu = findroot(lambda a: 1 + mp.exp(-a) - a, mpf("1.3"))
    print("zero of silu':", _two(-silu), "e^z", float(mp.exp(-silu)))

    def bracket(a: Any) -> Any:
        return 2 - a + mp.exp(-a) * (2 + a)

    bend = findroot(bracket, mpf("2.4"))
    print("zero of silu'':", float(bend), "e^-z", float(mp.exp(-bend)))
    print("  the bracket there:", float(bracket(mpf(float(bend)))))
    _gelu_tanh()


def _gelu_tanh() -> None:
    """Print the numbers of gelu_tanh, in v = b a + c a³, for z the zero at hand."""
    b = mp.sqrt(8 / mp.pi)
    c = b * mpf("0.044715")
    print("v:", float(b), float(c), "c split", _split(c, 17), "b split", _split(b, 33))

    def v(a: Any) -> Any:
        return b * a + c * a**3

    z = findroot(lambda a: 1 + mp.exp(-v(a)) - a * (b + 3 * c * a**2), mpf("0.75"))
    print("zero of gelu_tanh':", _two(-z), "e^-v(z)", float(mp.exp(-v(z))))
    print(" ", _row([c, c * z, b + c * z**2]))
    print(" ", _row([3 * c, 3 * c * z, b + 3 * c * z**2]))

    def bracket(a: Any) -> Any:
        first, second = 2 * b + 12 * c * a**2, a * (b + 3 * c * a**2) ** 2
        return first - second + mp.exp(-v(a)) * (first + second)

    z = findroot(bracket, mpf("1.4"))
    e = mp.exp(-v(z))
    print("zero of gelu_tanh'':", _two(z))
    print(" ", _row([c, c * z, b + c * z**2]))
    print(" ", _row([e * k for k in (9 * c**2, 0, 6 * b * c, 12 * c, b**2, 2 * b)]))
    # (1 - e) (B(z) - B(a)) / (z - a) - (1 + e) (A(z) - A(a)) / (z - a)
    change = [9 * c**2 * z**k for k in range(5)]
    change[2] += 6 * b * c
    change[3] += 6 * b * c * z
    change[4] += b**2 + 6 * b * c * z**2
    linear = [(1 - e) * k for k in change]
    linear[3] -= (1 + e) * 12 * c
    linear[4] -= (1 + e) * 12 * c * z
    print(" ", _row(linear))


def _split(value: Any, bits: int) -> str:
    high = mp.floor(value * 2**bits) / 2**bits
    return f"{float(high)!r} + {float(value - high)!r}"


if __name__ == "__main__":
    main()
