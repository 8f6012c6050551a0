"""Activation functions in NumPy, with their first and second derivatives.

A generated module holds the functions of this file that it calls, cut out by name.
``_name_d1`` is the derivative of ``_name``, and ``_name_d2`` that of ``_name_d1``.
Each takes an array of real numbers and returns a new one of the same shape: float32
for float32 and float16, else float64.  Infinities give limits, and NaN gives NaN.

Most are even or odd but for a simple part, so the work is done at a = |x|: ``below``
is the value at -a, from which that at a follows by f(a) = a + f(-a) or
f'(a) = 1 - f'(-a).  Where e^-a would be below the smallest normal number, it is
multiplied in as two powers, so that no digits are lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def _gelu(x: Array) -> Array:
    """Compute x Φ(x), where Φ is the normal distribution function.

    Φ(-a) = e^(-a²/2) / (2 + √(2π) a - a r(a)), where r is a ratio of polynomials: the
    minimax fit on the range where Φ(-a) is not 0, as W. J. Cody (Math. Comp. 23, 1969)
    fits erfc.
    """
    x = _real(x)
    return _blockwise(_gelu_block, x, x.dtype == np.float32)


def _gelu_block(x: Array, single: bool) -> Array:
    """Compute x Φ(x) for a block."""
    a = np.minimum(np.abs(x), 39.0)
    divisor = _fit(a, single, _GELU_TAIL_32, _GELU_TAIL_64)
    divisor *= a
    np.subtract(2.0, divisor, out=divisor)
    divisor += a * 2.5066282746310007
    return _gated(x, _times_power(a / divisor, *_normal_power(a, single)))


def _gelu_d1(x: Array) -> Array:
    """Compute Φ(x) + x φ(x), where φ is the normal density and Φ its integral.

    At -a it is (z - a) φ(a) (1 + r(a)), where -z is its zero, held in two parts, so
    that no digits cancel near it, and r is a ratio of polynomials as for _gelu.
    """
    x = _real(x)
    return _blockwise(_gelu_d1_block, x, x.dtype == np.float32)


def _gelu_d1_block(x: Array, single: bool) -> Array:
    """Compute Φ(x) + x φ(x) for a block."""
    a = np.minimum(np.abs(x), 39.0)
    below = _fit(a, single, _GELU_SLOPE_32, _GELU_SLOPE_64)
    below += 0.3989422804014327
    below *= (0.7517915246935645 - a) - 1.4956759177009883e-17
    return _reflected(x, _times_power(below, *_normal_power(a, single)))


def _gelu_d2(x: Array) -> Array:
    """Compute φ(x) (2 - x²), where φ is the normal density."""
    x = _real(x)
    return _blockwise(_gelu_d2_block, x, x.dtype == np.float32)


def _gelu_d2_block(x: Array, single: bool) -> Array:
    """Compute φ(x) (√2 - |x|) (√2 + |x|) for a block, the first √2 in two parts."""
    a = np.minimum(np.abs(x), 40.0)
    bend = (1.4142135623730951 - a) - 9.667293313452913e-17
    bend *= a + 1.4142135623730951
    return _times_power(bend, *_normal_power(a, single, density=True))


def _normal_power(a: Array, single: bool, density: bool = False) -> tuple[Array, Array]:
    """Compute e^(-a²/2), or φ(a), as ``_power`` does, for a block of a >= 0."""
    if single:
        exponent = a * a
        exponent *= -0.5
        if density:
            exponent -= 0.9189385332046728
        return np.exp(exponent), exponent
    # The square of a multiple of 2^-20 is exact; adding 3 * 2^31 rounds to one.
    near = a + 6442450944.0
    near -= 6442450944.0
    low = near - a
    low *= 0.5
    low *= near + a
    near *= near
    near *= 0.5
    if density:
        # log √(2π), a multiple of 2^-41 that is added exactly, and the rest, which is
        # 4e-17 too much, as √2 in _gelu_d2_block is rounded up.
        near += 0.9189385332042548
        low -= 4.18e-13
    return _power_of_difference(low, near)


def _power_of_difference(low: Array, high: Array) -> tuple[Array, Array]:
    """Compute e^(low - high) as ``_power`` does, for |low| << |high|.

    What rounding the difference loses of low is multiplied in by itself (Fast2Sum:
    T. J. Dekker, Numer. Math. 18, 1971).
    """
    exponent = low - high
    low -= high + exponent
    power, exponent = _power(exponent)
    low *= power
    power += low
    return power, exponent


def _power(exponent: Array) -> tuple[Array, Array]:
    """Compute e^exponent, or e^-700 where it is less, and return the exponent too."""
    power = np.maximum(exponent, -700.0)
    return np.exp(power, out=power), exponent


def _times_power(y: Array, power: Array, exponent: Array) -> Array:
    """Multiply y by e^exponent, given as ``_power`` does; y is written over.

    An e^exponent that is subnormal has few digits, so it is multiplied in in two steps.
    """
    y *= power
    if not exponent.min() >= -700.0:
        y *= np.exp(np.minimum(exponent + 700.0, 0.0))
    return y


def _fit(a: Array, single: bool, *tables: tuple[tuple[float, ...], ...]) -> Array:
    """Compute the ratio of polynomials that the precision asks for, for a block.

    The short ones are computed in float32, all but their constants, so that they are
    exact at a = 0, where the ratio counts most.
    """
    above, below = tables[0] if single else tables[1]
    x = a.astype(np.float32) if single else a
    ratio = _polynomial(above, x)
    ratio /= _polynomial(below, x)
    return ratio


# Φ(-a) = e^(-a²/2) / (2 + √(2π) a - a P(a) / Q(a)), to 2^-25 for a < 14.6, to 2^-58
# for a < 38.7.
_GELU_TAIL_32 = (
    (0.01929019285751128, 0.15724850088053366, 0.5587795189921416, 0.910857681319198),
    (
        0.009646313611168965,
        0.09065868347150628,
        0.39408282036629644,
        0.9134247851488368,
        1.0,
    ),
)

_GELU_TAIL_64 = (
    (
        1.009715182865877e-06,
        2.9611933718211207e-05,
        0.0004260969463881236,
        0.003895570789576198,
        0.024767653056117694,
        0.11324853548686026,
        0.3726352724370848,
        0.8545806469571005,
        1.2516274806683103,
        0.9108591530252694,
    ),
    (
        5.048575914357423e-07,
        1.5438712015191307e-05,
        0.00023239802928123695,
        0.0022377876367787324,
        0.015149778427177392,
        0.0750354874569081,
        0.27494494980569917,
        0.7367722773232748,
        1.3877693095802512,
        1.6740974939307047,
        1.0,
    ),
)

# Φ(-a) - a φ(a) = (z - a) φ(a) (1 + P(a) / Q(a)), as accurately.
_GELU_SLOPE_32 = (
    (0.008967509674486592, 0.06689492380631451, 0.2049148816990349, 0.2661357006586898),
    (
        0.029901500074771558,
        0.2402575404576993,
        0.8364665643835448,
        1.433732876131674,
        1.0,
    ),
)

_GELU_SLOPE_64 = (
    (
        6.800281049431736e-07,
        1.9252397601181703e-05,
        0.0002634695600919812,
        0.002261970538695591,
        0.013339895578484862,
        0.055855870966003515,
        0.1659340845398266,
        0.33800971945673136,
        0.43113334631053135,
        0.2661357147300015,
    ),
    (
        2.267354205798113e-06,
        6.550282853652732e-05,
        0.0009173323257202907,
        0.0080986360334053,
        0.04949336916533076,
        0.2174196054043075,
        0.6919396228966174,
        1.5692269996202042,
        2.4193643179625157,
        2.2837475826994234,
        1.0,
    ),
)


def _gelu_tanh(x: Array) -> Array:
    """Compute x (1 + tanh u) / 2, where u = √(2/π) (x + 0.044715 x³)."""
    x = _real(x)
    return _blockwise(_gelu_tanh_block, x, x.dtype == np.float32)


def _gelu_tanh_block(x: Array, single: bool) -> Array:
    """Compute x / (1 + e^-2u) for a block."""
    a = np.minimum(np.abs(x), 22.0)
    power, exponent = _cubic_power(a, single)
    a /= 1.0 + power
    return _gated(x, _times_power(a, power, exponent))


def _gelu_tanh_d1(x: Array) -> Array:
    """Compute (1 + tanh u) / 2 + x u' (1 - tanh² u) / 2, u as for _gelu_tanh.

    At -a it is (1 + e^-v - a v') e^-v / (1 + e^-v)² with v = 2 u(a).  The bracket
    is written as its change from its zero z, a sum of two terms of one sign.
    """
    x = _real(x)
    return _blockwise(_gelu_tanh_d1_block, x, x.dtype == np.float32)


def _gelu_tanh_d1_block(x: Array, single: bool) -> Array:
    """Compute the derivative of x (1 + tanh u) / 2 for a block."""
    a = np.minimum(np.abs(x), 22.0)
    step = (0.7524614220710163 - a) - 3.635560509207687e-17
    exponential, linear = _GELU_TANH_D1
    below = np.expm1(step * _polynomial(exponential, a))
    below *= 0.29195521191476714
    below += step * _polynomial(linear, a)
    power, exponent = _cubic_power(a, single)
    below /= _square_after(power)
    return _reflected(x, _times_power(below, power, exponent))


# v(z) - v(a) and z v'(z) - a v'(a), both divided by z - a.
_GELU_TANH_D1 = (
    (0.07135481627260025, 0.053691746524096876, 1.6361700895487292),
    (0.21406444881780073, 0.1610752395722906, 1.716972025434726),
)


def _gelu_tanh_d2(x: Array) -> Array:
    """Compute (2 u' + x u'' - 2 x u'² tanh u) (1 - tanh² u) / 2, u as for _gelu_tanh.

    With v = 2 u(|x|) it is ((A - B) + e^-v (A + B)) e^-v / (1 + e^-v)³, where
    A = 2 v' + x v'' and B = x v'².  The bracket is written as its change from its
    zero, a sum of two terms of one sign.
    """
    x = _real(x)
    return _blockwise(_gelu_tanh_d2_block, x, x.dtype == np.float32)


def _gelu_tanh_d2_block(x: Array, single: bool) -> Array:
    """Compute the second derivative of x (1 + tanh u) / 2 for a block."""
    a = np.minimum(np.abs(x), 22.0)
    step = (1.4185040087908283 - a) + 8.089265124388305e-17
    exponential, total, linear = _GELU_TANH_D2
    bend = np.expm1(step * _polynomial(exponential, a))
    bend *= _polynomial(total, a)
    bend += step * _polynomial(linear, a)
    power, exponent = _cubic_power(a, single)
    bend /= _cube_after(power)
    return _times_power(bend, power, exponent)


# (v(z) - v(a)) / (z - a), then e^-v(z) (A + B), and what is left of the bracket,
# divided by z - a.
_GELU_TANH_D2 = (
    (0.07135481627260025, 0.10121709292921649, 1.739345973683978),
    (
        0.0038865806058655393,
        0.0,
        0.05794596303798933,
        0.07262449467587347,
        0.21598256751272626,
        0.27069400527739934,
    ),
    (
        0.041937007641803296,
        0.05948781345658958,
        0.7096326137383776,
        0.07773441740952558,
        2.440763104674031,
    ),
)


def _cubic_power(a: Array, single: bool) -> tuple[Array, Array]:
    """Compute e^-v as ``_power`` does, where v = √(8/π) (a + 0.044715 a³), a >= 0."""
    if single:
        cubic = a * a
        cubic *= -0.07135481627260025
        cubic -= 1.5957691216057308
        cubic *= a
        return _power(cubic)
    # At a multiple of 2^-8, v is exact in two parts; adding 3 * 2^43 rounds to one.
    near = a + 26388279066624.0
    near -= 26388279066624.0
    square = near * near
    cube = square * near
    high = 1.5957691215444356 * near
    high += 0.07135009765625 * cube
    low = (a + near) * a
    low += square
    low *= 0.07135481627260025
    low += 1.5957691216057308
    low *= near - a
    near *= 6.129509145186187e-11
    low -= near
    cube *= 4.718616350248776e-06
    low -= cube
    return _power_of_difference(low, high)


def _polynomial(coefficients: tuple[float, ...], x: Array) -> Array:
    """Compute a polynomial, highest power first, and add the constant in float64."""
    total = x * coefficients[0]
    for coefficient in coefficients[1:-1]:
        total += coefficient
        total *= x
    total = total.astype(np.float64, copy=False)
    total += coefficients[-1]
    return total


def _leaky_relu(x: Array, alpha: float) -> Array:
    """Compute x for x >= 0 and alpha x for x < 0."""
    x = _real(x)
    if alpha == 0.0:
        return np.maximum(x, 0.0, out=np.empty_like(x))
    with np.errstate(all="ignore"):
        scaled = np.multiply(x, alpha, out=np.empty_like(x))
    choose = np.maximum if alpha <= 1.0 else np.minimum
    choose(x, scaled, out=scaled)
    return scaled


def _leaky_relu_d1(x: Array, alpha: float) -> Array:
    """Compute 1 for x >= 0, so at 0 too, and alpha for x < 0."""
    x = _real(x)
    slope: Array = np.minimum(x, 0.0, out=np.empty_like(x))
    slope = np.sign(slope, out=np.empty_like(x))
    below = slope * alpha
    slope += 1.0
    slope -= below
    return slope


def _relu(x: Array) -> Array:
    """Compute x for x > 0, else 0."""
    x = _real(x)
    return np.maximum(x, 0.0, out=np.empty_like(x))


def _relu_d1(x: Array) -> Array:
    """Compute 1 for x > 0, else 0, so at 0 too."""
    above = _relu(x)
    return np.sign(above, out=np.empty_like(above))


def _tanh(x: Array) -> Array:
    """Compute the hyperbolic tangent."""
    x = _real(x)
    with np.errstate(all="ignore"):
        return np.tanh(x, out=np.empty_like(x))


def _tanh_d1(x: Array) -> Array:
    """Compute 1 - tanh² x, the square of 1 / cosh x."""
    return _blockwise(_tanh_d1_block, x)


def _tanh_d1_block(x: Array) -> Array:
    """Compute 1 / cosh² x = 4 e^-2a / (1 + e^-2a)² for a block, a = |x|."""
    power, exponent = _power(-2.0 * np.abs(x))
    return _times_power(4.0 / _square_after(power), power, exponent)


def _tanh_d2(x: Array) -> Array:
    """Compute -2 tanh x (1 - tanh² x)."""
    return _blockwise(_tanh_d2_block, x)


def _tanh_d2_block(x: Array) -> Array:
    """Compute -2 tanh x / cosh² x for a block."""
    power, exponent = _power(-2.0 * np.abs(x))
    bend = -8.0 * np.tanh(x)
    bend /= _square_after(power)
    return _times_power(bend, power, exponent)


def _sigmoid(x: Array) -> Array:
    """Compute 1 / (1 + e^-x)."""
    return _blockwise(_sigmoid_block, x)


def _sigmoid_block(x: Array) -> Array:
    """Compute e^-a / (1 + e^-a) at -a, and the rest of 1 at a, for a block."""
    power = np.exp(-np.abs(x))
    power /= 1.0 + power
    return _reflected(x, power)


def _sigmoid_d1(x: Array) -> Array:
    """Compute s (1 - s), where s = 1 / (1 + e^-x)."""
    return _blockwise(_sigmoid_d1_block, x)


def _sigmoid_d1_block(x: Array) -> Array:
    """Compute e^-a / (1 + e^-a)² for a block, a = |x|."""
    power: Array = np.exp(-np.abs(x))
    power /= _square_after(power)
    return power


def _sigmoid_d2(x: Array) -> Array:
    """Compute s (1 - s) (1 - 2s), where s = 1 / (1 + e^-x)."""
    return _blockwise(_sigmoid_d2_block, x)


def _sigmoid_d2_block(x: Array) -> Array:
    """Compute -tanh(x/2) e^-a / (1 + e^-a)² for a block, a = |x|."""
    bend: Array = np.tanh(-0.5 * x)
    bend *= _sigmoid_d1_block(x)
    return bend


def _silu(x: Array) -> Array:
    """Compute x s, where s = 1 / (1 + e^-x)."""
    return _blockwise(_silu_block, x)


def _silu_block(x: Array) -> Array:
    """Compute x / (1 + e^-x) for a block."""
    a = np.minimum(np.abs(x), 800.0)
    power, exponent = _power(-a)
    a /= 1.0 + power
    return _gated(x, _times_power(a, power, exponent))


def _silu_d1(x: Array) -> Array:
    """Compute s + x s (1 - s), where s = 1 / (1 + e^-x).

    At -a it is (1 + e^-a - a) e^-a / (1 + e^-a)².  The bracket is written as its
    change from its zero, a sum of two terms of one sign.
    """
    return _blockwise(_silu_d1_block, x)


def _silu_d1_block(x: Array) -> Array:
    """Compute the derivative of x / (1 + e^-x) for a block."""
    a = np.minimum(np.abs(x), 800.0)
    step = (1.2784645427610737 - a) + 1.0946994183093437e-16
    below = 0.2784645427610738 * np.expm1(step)
    below += step
    power, exponent = _power(-a)
    below /= _square_after(power)
    return _reflected(x, _times_power(below, power, exponent))


def _silu_d2(x: Array) -> Array:
    """Compute s (1 - s) (2 + x (1 - 2s)), where s = 1 / (1 + e^-x).

    With a = |x| it is (2 - a + e^-a (2 + a)) e^-a / (1 + e^-a)³.  The bracket is
    written as its change from its zero, a sum of two terms of one sign.
    """
    return _blockwise(_silu_d2_block, x)


def _silu_d2_block(x: Array) -> Array:
    """Compute the second derivative of x / (1 + e^-x) for a block."""
    a = np.minimum(np.abs(x), 800.0)
    step = 2.3993572805154675 - a
    bend = np.expm1(step)
    bend *= a + 2.0
    bend -= step
    bend *= 0.0907762782268676
    # the bracket at step = 0, since the zero is no double
    bend += 2.416278182818987e-16
    bend += step
    power, exponent = _power(-a)
    bend /= _cube_after(power)
    return _times_power(bend, power, exponent)


def _softplus(x: Array) -> Array:
    """Compute log(1 + e^x)."""
    return _blockwise(_softplus_block, x)


def _softplus_block(x: Array) -> Array:
    """Compute max(x, 0) + log(1 + e^-|x|) for a block."""
    total: Array = np.log1p(np.exp(-np.abs(x)))
    total += np.maximum(x, 0.0)
    return total


def _softplus_d1(x: Array) -> Array:
    """Compute 1 / (1 + e^-x)."""
    return _sigmoid(x)


def _softplus_d2(x: Array) -> Array:
    """Compute s (1 - s), where s = 1 / (1 + e^-x)."""
    return _sigmoid_d1(x)


def _square_after(x: Array) -> Array:
    """Compute (1 + x)² for a block of 0 <= x <= 1; what is small is rounded first."""
    square = x + 2.0
    square *= x
    square += 1.0
    return square


def _cube_after(x: Array) -> Array:
    """Compute (1 + x)³ for a block of 0 <= x <= 1; what is small is rounded first."""
    cube = x + 3.0
    cube *= x
    cube += 3.0
    cube *= x
    cube += 1.0
    return cube


def _gated(x: Array, below: Array) -> Array:
    """Compute max(x, 0) - below with the sign of x, so that it is -0 from below."""
    np.subtract(np.maximum(x, 0.0), below, out=below)
    np.copysign(below, x, out=below)
    return below


def _reflected(x: Array, below: Array) -> Array:
    """Compute 1 - below for x >= 0, and below for x < 0."""
    rest = 1.0 - (below + below)
    rest *= x >= 0.0
    below += rest
    return below


def _real(x: Array) -> Array:
    """Return an array of float32 for float32 and float16, else of float64.

    Raises TypeError for what is no real number.
    """
    x = np.asarray(x)
    if x.dtype.kind not in "biuf":
        raise TypeError(f"an activation takes real numbers, not {x.dtype}")
    single = x.dtype.kind == "f" and x.dtype.itemsize <= 4
    return x.astype(np.float32 if single else np.float64, copy=False)


def _blockwise(f: Callable[..., Array], x: Array, *options: bool) -> Array:
    """Apply f to an array in float64, in blocks that the caches hold."""
    x = _real(x)
    if not x.flags.forc:
        x = x.copy()
    result = np.empty_like(x)
    # Order is indifferent, so an array in Fortran's is read as its transpose.
    arrays = (x.T, result.T) if x.flags.fnc else (x, result)
    given, computed = (array.reshape(-1) for array in arrays)
    with np.errstate(all="ignore"):
        for start in range(0, x.size, _BLOCK):
            block = slice(start, start + _BLOCK)
            values = given[block].astype(np.float64, copy=False)
            computed[block] = f(values, *options)
    return result


_BLOCK = 1 << 15
