"""What tracemalloc sees of a kernel as it is emitted."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np

from eingrad.derivation import Derivation
from eingrad.loading import load_text
from eingrad.memory import PeakMemory
from eingrad.module import module
from eingrad.render import render


def measured(derivation: Derivation) -> PeakMemory:
    """Run the functions as they are emitted, and ask tracemalloc for the peaks."""
    request = derivation.request
    emitted = load_text(render(module(derivation)), "emitted")
    # On more threads less is held: products are not cut into blocks.
    vars(emitted)["_ONE_THREAD"] = True
    rng = np.random.default_rng(0)
    terms = {place.name: place.subscripts for place in request.places}
    operands = [rng.random([request.sizes[i] for i in t]) for t in terms.values()]
    cotangent = rng.random([request.sizes[i] for i in request.einsum.output])

    def vjp() -> object:
        output, pullback = emitted.vjp(*operands)
        return output, pullback(cotangent)

    return PeakMemory(
        forward=traced(lambda: emitted.forward(*operands)),
        backward=traced(lambda: emitted.backward(cotangent, *operands)),
        vjp=traced(vjp),
    )


def traced(call: Callable[[], object]) -> int:
    """Return the bytes that a call takes at its peak, its result included."""
    call()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        result = call()
        _, peak = tracemalloc.get_traced_memory()
        del result
    finally:
        tracemalloc.stop()
    return peak - before
