"""How long activations take, beside the matrix product whose result they are given.

    python benchmarks/activations.py [--write]

On one core, (512, 1024) entries; the product is (512, 1024) with (1024, 1024).  With
``--write`` the table of docs/activations.md is written again.
"""

from __future__ import annotations

import functools
import re
import sys
import types
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from machine import settle
from timing import Effort, measure

from eingrad.activations import ACTIVATIONS, PIECEWISE_LINEAR
from eingrad.targets.elementwise import function_imports, function_sources

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "activations.md"
NAMES = [row.name for row in ACTIVATIONS]


def compiled(called: str, erf: str) -> Callable[..., Any]:
    """Compile a function from the source that a module would get."""
    head = [
        "from __future__ import annotations",
        "from collections.abc import Callable",
    ]
    head += ["from typing import Any", "import numpy as np"]
    head += ["from numpy.typing import NDArray", "Array = NDArray[Any]"]
    head += function_imports([called], erf=erf)
    text = "\n".join([*head, *function_sources([called], erf=erf)])
    module = types.ModuleType(called)
    exec(text, module.__dict__)
    function: Callable[..., Any] = getattr(module, called)
    return function


def contestants(dtype: str) -> dict[str, Callable[[], object]]:
    """Name what is timed for a dtype."""
    import numpy as np

    rng = np.random.default_rng(0)
    x = rng.standard_normal((512, 1024)).astype(dtype)
    weight = rng.standard_normal((1024, 1024)).astype(dtype)
    runs: dict[str, Callable[[], object]] = {"matmul": lambda: x @ weight}
    for name in NAMES:
        for suffix in ("", "_d1", *([] if name in PIECEWISE_LINEAR else ["_d2"])):
            options = [0.01] if name == "leaky_relu" else []
            function = compiled(f"_{name}{suffix}", "numpy")
            runs[name + suffix] = functools.partial(function, x, *options)
    if find_spec("scipy"):
        for called in ("gelu", "gelu_d1"):
            function = compiled(f"_{called}", "scipy")
            runs[f"{called} scipy"] = functools.partial(function, x)
    if find_spec("torch"):
        runs |= _torch(x)
    return runs


def _torch(x: Any) -> Mapping[str, Callable[[], object]]:
    import torch

    torch.set_num_threads(1)
    tensor, ones = torch.tensor(x), torch.ones_like(torch.tensor(x))
    backward = torch.ops.aten.gelu_backward
    return {
        "gelu torch": lambda: torch.nn.functional.gelu(tensor),
        "gelu_d1 torch": lambda: backward(ones, tensor),
    }


def table() -> str:
    """Measure, and lay the figures out."""
    shown = {}
    for dtype in ("float32", "float64"):
        times = measure(contestants(dtype), Effort(rounds=15))
        print(dtype, f"matmul {times['matmul'].median * 1e3:.1f} ms", file=sys.stderr)
        shown[dtype] = {
            name: f"{time.ratio(times['matmul']):.2f}" for name, time in times.items()
        }
    head = "| function | f, float32 | f' | f'' | f, float64 | f' | f'' |"
    lines = [head, "|---" + "|---:" * 6 + "|"]
    rows = [(f"`{name}`", name, "") for name in NAMES]
    rows += [("`gelu`, `--erf scipy`", "gelu", " scipy")]
    rows += [("`gelu`, PyTorch", "gelu", " torch")]
    for label, name, peer in rows:
        keys = [f"{name}{suffix}{peer}" for suffix in ("", "_d1", "_d2")]
        cells = [shown[dtype].get(key, "") for dtype in shown for key in keys]
        lines.append(f"| {' | '.join([label, *cells])} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table, or write it into the document."""
    settle(1)
    text = table()
    if "--write" not in sys.argv[1:]:
        print(text)
        return
    document = DOCUMENT.read_text(encoding="utf-8")
    block = re.compile(r"(<!-- speed -->\n).*?(\n<!-- end -->)", re.DOTALL)
    document = block.sub(lambda match: match[1] + text + match[2], document)
    DOCUMENT.write_text(document, encoding="utf-8")


if __name__ == "__main__":
    main()
