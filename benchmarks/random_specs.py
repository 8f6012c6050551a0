"""Random specs with awkward sizes, about as much work as a small layer."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from work import forward_flops
from workloads import Workload

COUNT = 40
SEED = 20
SIZES = (3, 5, 17, 31, 63, 100, 129, 255)

# Together about 5 ms on one core: forward and gradients are three times the forward.
MAX_FLOPS = 10**8
MIN_FLOPS = 3 * 10**5
MAX_ELEMENTS = 10**6
# Some contestants walk the whole index space.
MAX_SPACE = 10**9


def random_specs(seed: int = SEED, count: int = COUNT) -> tuple[Workload, ...]:
    """Draw ``count`` workloads; the same ones for the same seed."""
    rng = random.Random(seed)
    found = (draft for draft in _drafts(rng) if _fits(draft))
    return tuple(
        Workload(f"{k:02d} {draft.spec}", "random", draft.spec, draft.shapes)
        for k, draft in zip(range(1, count + 1), found, strict=False)
    )


def _drafts(rng: random.Random) -> Iterator[Workload]:
    while True:
        indices = "abcdef"[: rng.randint(2, 6)]
        sizes = {index: rng.choice(SIZES) for index in indices}
        operands = rng.choices((1, 2, 3, 4), weights=(1, 5, 3, 2))[0]
        terms = [_term(rng, indices) for _ in range(operands)]
        used = sorted(set("".join(terms)))
        output = "".join(rng.sample(used, rng.randint(0, min(3, len(used)))))
        shapes = tuple(tuple(sizes[i] for i in term) for term in terms)
        yield Workload("", "random", f"{','.join(terms)}->{output}", shapes)


def _term(rng: random.Random, indices: str) -> str:
    """Draw the subscripts of an operand; one in twelve repeats an index."""
    term = rng.sample(indices, rng.randint(1, min(4, len(indices))))
    if len(term) > 1 and rng.random() < 1 / 12:
        term[-1] = term[0]
    return "".join(term)


def _fits(draft: Workload) -> bool:
    shapes = (*draft.shapes, draft.output_shape)
    elements = [math.prod(shape) for shape in shapes]
    if sum(elements) > MAX_ELEMENTS or math.prod(draft.sizes.values()) > MAX_SPACE:
        return False
    return MIN_FLOPS <= forward_flops(draft) + sum(elements) <= MAX_FLOPS
