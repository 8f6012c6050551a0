"""What stands in for functions of ``activations.py`` where SciPy may be imported."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from .activations import (
    Array,
    _blockwise,
    _gated,
    _normal_power,
    _real,
    _reflected,
    _times_power,
)


def _gelu(x: Array) -> Array:
    """Compute x Φ(x), where Φ is the normal distribution function, ndtr."""
    return _blockwise(_gelu_block, x)


def _gelu_block(x: Array) -> Array:
    """Compute x Φ(x) for a block."""
    a = np.minimum(np.abs(x), 39.0)
    a *= ndtr(-a)
    return _gated(x, a)


def _gelu_d1(x: Array) -> Array:
    """Compute Φ(x) + x φ(x), where φ is the normal density and Φ is ndtr."""
    x = _real(x)
    return _blockwise(_gelu_d1_block, x, x.dtype == np.float32)


def _gelu_d1_block(x: Array, single: bool) -> Array:
    """Compute Φ(x) + x φ(x) for a block."""
    a = np.minimum(np.abs(x), 39.0)
    below = _times_power(-0.3989422804014327 * a, *_normal_power(a, single))
    below += ndtr(-a)
    return _reflected(x, below)
