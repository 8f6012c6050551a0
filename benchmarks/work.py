"""How much a workload has to do: the bound that a machine sets."""

from __future__ import annotations

import math
from collections import Counter
from itertools import chain

import numpy as np
import opt_einsum
from machine import Machine
from workloads import Workload

# Seconds of a plain loop that are worth waiting for, and roughly what a step takes
# with two operands, and with more.
PATIENCE = 2.0
_STEP, _LONG_STEP = 0.25e-9, 2.5e-9

# One complex multiply-add is four real ones.
_REAL_WORK = {"complex64": 4, "complex128": 4}


def forward_flops(workload: Workload) -> float:
    """Count the flops of forward along a good path; a lone operand has none."""
    if len(workload.shapes) == 1:
        return 0.0
    operands, output = workload.terms
    # What an operand can do alone is done first: sums over lone indices, diagonals.
    holders = Counter(chain(output, *map(set, operands)))
    leaves = ["".join(i for i in dict.fromkeys(t) if holders[i] > 1) for t in operands]
    shapes = [tuple(workload.sizes[i] for i in leaf) for leaf in leaves]
    method = "auto" if len(leaves) > 4 else "optimal"
    spec = f"{','.join(leaves)}->{output}"
    _, found = opt_einsum.contract_path(spec, *shapes, shapes=True, optimize=method)
    return float(found.opt_cost)


def bound_seconds(workload: Workload, machine: Machine) -> float:
    """Return the least time for forward and all gradients.

    Arithmetic: every pairwise step costs its own again for each of its two gradients.
    Memory: operands and cotangent are read once, output and gradients written once.
    """
    dtype = np.dtype(workload.dtype)
    work = 3 * forward_flops(workload) * _REAL_WORK.get(workload.dtype, 1)
    double = dtype in (np.dtype("float64"), np.dtype("complex128"))
    peak = machine.gemm_float64 if double else machine.gemm_float32
    shapes = (*workload.shapes, workload.output_shape)
    moved = 2 * dtype.itemsize * sum(map(math.prod, shapes))
    return max(work / peak, moved / machine.bandwidth_of(moved))


def loop_seconds(workload: Workload, *, optimize: bool) -> float:
    """Guess how long np.einsum loops for forward and gradients, outside BLAS.

    With ``optimize`` it takes operands in pairs until a result would be larger than
    every operand; what is left becomes one loop.
    """
    operands, output = workload.terms
    sizes = workload.sizes
    path: list[tuple[int, ...]] = [tuple(range(len(operands)))]
    if optimize and len(operands) > 2:
        blanks = [np.broadcast_to(np.float32(0), s) for s in workload.shapes]
        path = np.einsum_path(workload.plain_spec, *blanks, optimize=True)[0][1:]
    terms, seconds = list(operands), 0.0
    for positions in path:
        taken = "".join(terms[k] for k in positions)
        terms = [term for k, term in enumerate(terms) if k not in positions]
        needed = set(output).union(*terms)
        terms.append("".join(i for i in dict.fromkeys(taken) if i in needed))
        if len(positions) > 2 or not optimize:
            step = _LONG_STEP if len(positions) > 2 else _STEP
            seconds += step * math.prod(sizes[i] for i in set(taken))
    return seconds * (len(operands) + 1)
