"""Who may take part: results must be right, and must be arrays of their own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from by_hand import gradients
from opt_einsum import contract_expression
from peers import Contestant, Results, Run, UnsupportedError
from workloads import Array, Arrays, Workload

# Error allowed, relative to the largest entry of an array.
_TOLERANCE = {"float16": 3e-2, "float32": 1e-3, "complex64": 1e-3, "float64": 1e-9}


@dataclass(frozen=True)
class Entry:
    """A contestant's run of one workload; or ``why_not`` it takes no part.

    ``copies`` are the results (0 is the output) that it returns as views of an
    operand or of the cotangent, or spread with stride 0, and that are copied for it.
    """

    contestant: Contestant
    run: Run | None = None
    why_not: str = ""
    copies: tuple[int, ...] = ()


def exact_results(workload: Workload, arrays: Arrays) -> list[list[Array]]:
    """Compute output and gradients in double precision, in each convention allowed.

    The gradient of a complex operand uses conjugates (as in torch) or not (as in jax).
    """
    double = np.dtype("complex128" if workload.dtype[0] == "c" else "float64")
    operands = [x.astype(double) for x in arrays.operands]
    cotangent = arrays.cotangent.astype(double)
    output = contract_expression(workload.plain_spec, *workload.shapes)(*operands)
    conventions = [[output], [output]] if double.kind == "c" else [[output]]
    for gradient in gradients(workload):
        plain = [operands[k] for k in gradient.others]
        core = cotangent
        for convention, others in zip(
            conventions, (gradient.conjugated(operands), plain), strict=False
        ):
            if gradient.spec is not None:
                contract = contract_expression(gradient.spec, *gradient.operand_shapes)
                core = contract(cotangent, *others)
            convention.append(gradient.write(core))
    return conventions


def admit(
    contestant: Contestant,
    workload: Workload,
    arrays: Arrays,
    exact: Sequence[Sequence[Array]],
    *,
    allow_views: bool = False,
) -> Entry:
    """Prepare a contestant for a workload, and let it run once to see that it can."""
    entry = Entry(contestant)
    try:
        ways = contestant.prepare(workload, arrays)
        run = min(ways, key=_trial) if len(ways) > 1 else ways[0]
        results = run()
        plain = [contestant.plain(result) for result in results]
        why_wrong = min(_why_wrong(plain, right, workload) for right in exact)
    except UnsupportedError as error:
        return replace(entry, why_not=str(error))
    except Exception as error:
        lines = str(error).strip().splitlines() or [""]
        return replace(entry, why_not=f"{type(error).__name__}: {lines[0]}"[:120])
    if why_wrong:
        return replace(entry, why_not=why_wrong)
    views = [k for k, result in enumerate(plain) if _is_view(result, arrays)]
    if allow_views or not views:
        return replace(entry, run=run)
    return replace(entry, run=_owning(run, views, contestant), copies=tuple(views))


def _trial(run: Run) -> float:
    """Time a way briefly; one that fails comes last."""
    try:
        seconds = _seconds(run)
        return min(_seconds(run) for _ in range(3)) if seconds < 0.1 else seconds
    except Exception:
        return float("inf")


def _seconds(run: Run) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _why_wrong(
    results: Sequence[Array], exact: Sequence[Array], workload: Workload
) -> str:
    """Say what is wrong with the results; nothing if they are right."""
    if len(results) != len(exact):
        return f"wrong: {len(results)} results, not {len(exact)}"
    for k, (result, right) in enumerate(zip(results, exact, strict=True)):
        what = f"gradient {k}" if k else "output"
        if result.shape != right.shape:
            return f"wrong: the shape of {what} is {result.shape}, not {right.shape}"
        scale = float(np.max(np.abs(right), initial=0.0)) or 1.0
        error = float(np.max(np.abs(result - right), initial=0.0)) / scale
        if not error <= _TOLERANCE[workload.dtype]:
            return f"wrong: {what} is off by {error:.1e}"
    return ""


def _is_view(result: Array, arrays: Arrays) -> bool:
    given = (*arrays.operands, arrays.cotangent)
    axes = zip(result.shape, result.strides, strict=True)
    spread = any(size > 1 and stride == 0 for size, stride in axes)
    return spread or any(np.may_share_memory(result, x) for x in given)


def _owning(run: Run, views: Sequence[int], contestant: Contestant) -> Run:
    copied = contestant.copied

    def owning() -> Results:
        results = list(run())
        for k in views:
            results[k] = copied(results[k])
        return results

    return owning
