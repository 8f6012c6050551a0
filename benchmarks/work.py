"""How much a workload has to do: the bound that a machine sets."""

from __future__ import annotations

import math

import numpy as np
import opt_einsum
from machine import Machine
from workloads import Workload

# One complex multiply-add is four real ones.
_REAL_WORK = {"complex64": 4, "complex128": 4}


def forward_flops(workload: Workload) -> float:
    """Count the flops of forward along a good path; a lone operand has none."""
    if len(workload.shapes) == 1:
        return 0.0
    method = "auto" if len(workload.shapes) > 4 else "optimal"
    _, found = opt_einsum.contract_path(
        workload.plain_spec, *workload.shapes, shapes=True, optimize=method
    )
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
