"""Activations in high precision, and the distance of a result from them.

``python tests/activation_reference.py`` searches 40,000 points of each function and
writes the table of ``docs/activations.md`` again; it takes two or three minutes.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpf
from numpy.typing import NDArray

from eingrad.activations import ACTIVATIONS
from eingrad.targets import elementwise

Array = NDArray[Any]
Real = Callable[[Any], Any]

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "activations.md"
DTYPES = (np.float32, np.float64)
SUFFIXES = ("", "_d1", "_d2")
# Those that modules compute: a second derivative of 0 they leave out.
DERIVATIVES = [
    (row.name, order)
    for row in ACTIVATIONS
    for order in range(2 if row.piecewise_linear else 3)
]
ALPHA = 0.01

mp.dps = 50


def _normal(x: Any) -> Any:
    return mp.erfc(-x / mp.sqrt(2)) / 2


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def _bell(x: Any) -> Any:
    return _sigmoid(x) * _sigmoid(-x)


def _u(x: Any, order: int = 0) -> Any:
    """Return √(2/π) (x + 0.044715 x³), or a derivative."""
    cubic = mpf("0.044715")
    terms = (x + cubic * x**3, 1 + 3 * cubic * x**2, 6 * cubic * x)
    return mp.sqrt(2 / mp.pi) * terms[order]


def _gelu_tanh_d2(x: Any) -> Any:
    bend = x * _u(x, 2) - 2 * x * _u(x, 1) ** 2 * mp.tanh(_u(x))
    return (2 * _u(x, 1) + bend) * mp.sech(_u(x)) ** 2 / 2


# f, f' and f'' as the table has them, written so that nothing cancels far out.
REFERENCE: dict[str, tuple[Real, Real, Real]] = {
    "gelu": (
        lambda x: x * _normal(x),
        lambda x: _normal(x) + x * mp.npdf(x),
        lambda x: mp.npdf(x) * (2 - x**2),
    ),
    "gelu_tanh": (
        lambda x: x * _sigmoid(2 * _u(x)),
        lambda x: _sigmoid(2 * _u(x)) + x * _u(x, 1) * mp.sech(_u(x)) ** 2 / 2,
        _gelu_tanh_d2,
    ),
    "leaky_relu": (
        lambda x: x if x >= 0 else ALPHA * x,
        lambda x: mpf(1) if x >= 0 else mpf(ALPHA),
        lambda x: mpf(0),
    ),
    "relu": (
        lambda x: max(x, mpf(0)),
        lambda x: mpf(1) if x > 0 else mpf(0),
        lambda x: mpf(0),
    ),
    "tanh": (
        mp.tanh,
        lambda x: mp.sech(x) ** 2,
        lambda x: -2 * mp.tanh(x) * mp.sech(x) ** 2,
    ),
    "sigmoid": (_sigmoid, _bell, lambda x: -_bell(x) * mp.tanh(x / 2)),
    "silu": (
        lambda x: x * _sigmoid(x),
        lambda x: _sigmoid(x) * (1 + x * _sigmoid(-x)),
        lambda x: _bell(x) * (2 - x * mp.tanh(x / 2)),
    ),
    "softplus": (
        lambda x: max(x, mpf(0)) + mp.log1p(mp.exp(-abs(x))),
        _sigmoid,
        _bell,
    ),
}

# Where f, f' or f'' crosses zero away from 0: the most digits can cancel there.
ZEROS = (0.7517915246935645, 1.4142135623730951, 0.7524614220710163)
ZEROS += (1.4185040087908283, 1.2784645427610737, 2.3993572805154675)


def functions(names: Iterable[str], erf: str = "numpy") -> types.ModuleType:
    """Compile the source that a module would get, with nothing else beside it."""
    names = list(names)
    head = ["from __future__ import annotations"]
    head += ["from collections.abc import Callable", "from typing import Any"]
    head += ["import numpy as np", "from numpy.typing import NDArray"]
    head += elementwise.function_imports(names, erf=erf)
    sources = elementwise.function_sources(names, erf=erf)
    text = "\n\n\n".join(["\n".join(head), "Array = NDArray[Any]", *sources])
    module = types.ModuleType(f"activations_{erf}")
    exec(compile(text, module.__name__, "exec"), module.__dict__)
    return module


def compiled(name: str, order: int, erf: str = "numpy") -> Callable[[Array], Array]:
    """Return f, f' or f''; leaky_relu with its alpha."""
    called = f"_{name}{SUFFIXES[order]}"
    function = getattr(functions([called], erf), called)
    if name == "leaky_relu":
        return lambda x: function(x, ALPHA)
    return lambda x: function(x)


def points(count: int, dtype: type[np.floating[Any]], seed: int = 0) -> Array:
    """Draw about ``count`` numbers, a seventh from each of seven places.

    They are: a normal sample, a wide one, the range of gelu, that of e^x, subnormal and
    other small numbers of both signs, the tail of Φ, and ever closer to the zeros.
    """
    rng = np.random.default_rng(seed)
    n = count // 7
    least = np.log10(float(np.finfo(dtype).smallest_subnormal))
    signs = rng.choice([-1.0, 1.0], n)
    parts = [rng.normal(0, 1, n), rng.normal(0, 4, n), rng.uniform(-40, 15, n)]
    parts += [rng.uniform(-760, 760, n), signs * 10 ** rng.uniform(least, 0, n)]
    parts += [
        rng.uniform(-39, -30, n) if dtype is np.float64 else rng.uniform(-15, -9, n)
    ]
    near = 1 + rng.uniform(-1, 1, n) * 10.0 ** rng.integers(-17, 0, n)
    parts += [signs * rng.choice(ZEROS, n) * near]
    with np.errstate(all="ignore"):
        return np.concatenate(parts).astype(dtype)


def ulps(result: Array, exact: Iterable[Any]) -> Array:
    """Return how far each entry is from the exact value, in units of its last place."""
    limits = np.finfo(result.dtype)
    distances = []
    for entry, value in zip(result.tolist(), exact, strict=True):
        exponent = mp.floor(mp.log(abs(value), 2)) if value else limits.minexp
        unit = mp.ldexp(1, int(max(exponent, limits.minexp)) - limits.nmant)
        distances.append(float(abs(mpf(entry) - value) / unit))
    return np.array(distances)


def distances(name: str, order: int, x: Array, erf: str = "numpy") -> Array:
    """Return how far each entry is from the exact value, in ulp."""
    function = REFERENCE[name][order]
    exact = [function(mpf(entry)) for entry in x.tolist()]
    return ulps(compiled(name, order, erf)(x), exact)


def worst(name: str, order: int, x: Array, erf: str = "numpy") -> tuple[float, float]:
    """Return the greatest distance from the exact value, in ulp, and where it is."""
    found = distances(name, order, x, erf)
    at = int(np.argmax(found))
    return float(found[at]), float(x[at])


def around(name: str, order: int, x: Array, erf: str = "numpy") -> Array:
    """Draw points around the 20 that are the worst: thrice, and ever closer."""
    rng = np.random.default_rng(0)
    for width in (0.1, 0.03, 0.01):
        centres = x[np.argsort(distances(name, order, x, erf), kind="stable")[-20:]]
        near = 1 + rng.uniform(-width, width, (len(x) // 20, len(centres)))
        x = np.concatenate([centres, (near * centres).ravel().astype(x.dtype)])
    return x


def _table(count: int) -> str:
    head = [
        "function",
        *(f"{f} {d.__name__}" for d in DTYPES for f in ("f", "f'", "f''")),
    ]
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * 6 + "|"]
    rows = [(row.name, "numpy") for row in ACTIVATIONS] + [("gelu", "scipy")]
    for name, erf in rows:
        cells = [f"`{name}`" + (", `--erf scipy`" if erf == "scipy" else "")]
        for dtype in DTYPES:
            x = points(count, dtype)
            for order in range(3):
                if (name, order) not in DERIVATIVES:
                    cells.append("")
                    continue
                near = around(name, order, x, erf)
                distance, at = worst(name, order, near, erf)
                cells.append(f"{distance:.2f}" if distance < 1e4 else f"{distance:.0e}")
                print(f"{name} {erf} {order} {dtype.__name__}: {distance:.2f} at {at}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(count: int = 10_000) -> None:
    """Write the table of the document again."""
    text = DOCUMENT.read_text(encoding="utf-8")
    block = re.compile(r"(<!-- accuracy -->\n).*?(\n<!-- end -->)", re.DOTALL)
    table = _table(count)
    text = block.sub(lambda match: match[1] + table + match[2], text)
    DOCUMENT.write_text(text, encoding="utf-8")
    print(f"mpmath {mpmath.__version__}, NumPy {np.__version__}")


if __name__ == "__main__":
    main()
