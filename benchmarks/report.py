"""Results as text and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from machine import Machine
from match import BEHIND, Result
from workloads import EXTRAORDINARY

BEST = "best peer"


def heading(machine: Machine, versions: dict[str, str | None]) -> str:
    """Describe the machine, and what is installed."""
    installed = ", ".join(f"{name} {v}" for name, v in versions.items() if v)
    missing = [name for name, version in versions.items() if not version]
    rates = [rate / 1e9 for _, rate in machine.bandwidths]
    lines = [
        f"{machine.cpu}, {machine.system}, Python {machine.python}",
        f"{machine.threads} thread(s), pinned; BLAS of NumPy: {machine.blas}",
        f"GEMM {machine.gemm_float32 / 1e9:.0f} GF/s float32, "
        f"{machine.gemm_float64 / 1e9:.0f} float64; "
        f"bandwidth {rates[-1]:.1f} GB/s ({rates[0]:.0f} in cache)",
        installed,
    ]
    if missing:
        lines.append(f"not installed: {', '.join(missing)}")
    return "\n".join(lines)


def results_table(results: Sequence[Result], peers: Sequence[str]) -> str:
    """Write one row a workload: our time, and each peer's time over ours."""
    head = ["workload", "class", "eingrad us", "of bound", *peers, BEST]
    rows = [_row(result, peers) for result in results]
    notes = "peer time / eingrad time; * views copied, - took no part"
    return f"{_aligned([head, *rows], left=2)}\n{notes}"


def _row(result: Result, peers: Sequence[str]) -> list[str]:
    ratios, best = result.ratios, result.best
    cells = [
        f"{ratios[peer]:.2f}{'*' if peer in result.copies else ' '}"
        if peer in ratios
        else "- "
        for peer in peers
    ]
    ours = "fails" if result.ours is None else f"{1e6 * result.ours:.1f}"
    bound = "-" if result.of_bound is None else f"{result.of_bound:.2f}"
    leader = f"{best[1]:.2f} {best[0]}" if best else "-"
    return [result.workload.name, result.workload.kind, ours, bound, *cells, leader]


def _aligned(rows: Sequence[Sequence[str]], *, left: int) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]

    def line(row: Sequence[str]) -> str:
        cells = zip(row, widths, strict=True)
        return "  ".join(
            cell.ljust(width) if k < left else cell.rjust(width)
            for k, (cell, width) in enumerate(cells)
        ).rstrip()

    rule = "  ".join("-" * width for width in widths)
    return "\n".join([line(rows[0]), rule, *map(line, rows[1:])])


def geometric_mean(values: Iterable[float]) -> float | None:
    """Return the geometric mean, None of nothing."""
    logs = [math.log(value) for value in values]
    return math.exp(sum(logs) / len(logs)) if logs else None


def is_ordinary(result: Result) -> bool:
    """Tell a layer of the usual size and dtype."""
    return result.workload.kind not in EXTRAORDINARY


def groups(results: Sequence[Result]) -> Iterator[tuple[str, list[Result]]]:
    """Yield the classes, all workloads, and the ordinary ones."""
    for kind in dict.fromkeys(result.workload.kind for result in results):
        yield kind, [r for r in results if r.workload.kind == kind]
    yield "all", list(results)
    yield "ordinary layers", [r for r in results if is_ordinary(r)]


def _ratios(results: Sequence[Result], peer: str) -> list[tuple[float, str]]:
    """List a peer's ratios, with the workload's name."""
    if peer == BEST:
        return [(r.best[1], r.workload.name) for r in results if r.best]
    found = ((r.ratios.get(peer), r.workload.name) for r in results)
    return [(ratio, name) for ratio, name in found if ratio is not None]


def summary(results: Sequence[Result], peers: Sequence[str]) -> dict[str, Any]:
    """Sum up: geometric means by group and peer, the worst, where we are behind."""
    columns = [*peers, BEST]
    means: dict[str, dict[str, float | None]] = {}
    for name, members in groups(results):
        row = {p: geometric_mean(r for r, _ in _ratios(members, p)) for p in columns}
        row["of bound"] = geometric_mean(r.of_bound for r in members if r.of_bound)
        means[name] = row
    return {
        "geometric means": means,
        "worst": {p: min(_ratios(results, p), default=None) for p in columns},
        "counted": {p: len(_ratios(results, p)) for p in columns},
        "ahead of the best peer": sum(r >= 1 for r, _ in _ratios(results, BEST)),
        "behind": {
            peer: [pair for pair in sorted(_ratios(results, peer)) if pair[0] < BEHIND]
            for peer in columns
        },
    }


def summary_text(summed: dict[str, Any]) -> str:
    """Write the summary as tables."""
    columns = list(summed["counted"])
    head = ["geometric mean", *columns, "of bound"]
    rows = [
        [name, *(_number(row[c]) for c in (*columns, "of bound"))]
        for name, row in summed["geometric means"].items()
    ]
    rows.append(["workloads", *(str(summed["counted"][c]) for c in columns), ""])
    worst = summed["worst"]
    rows.append(["worst", *(_number(worst[c] and worst[c][0]) for c in columns), ""])
    lines = [_aligned([head, *rows], left=1), ""]
    lines += [f"worst {c}: {w[0]:.2f} on {w[1]}" for c, w in worst.items() if w]
    lines.append("")
    ahead, counted = summed["ahead of the best peer"], summed["counted"][BEST]
    lines.append(f"ahead of the best peer on {ahead} of {counted}")
    for peer in columns[:-1]:
        found = ", ".join(f"{name} {r:.2f}" for r, name in summed["behind"][peer])
        lines.append(f"behind {peer} (< {BEHIND}): {found or 'nowhere'}")
    return "\n".join(lines)


def absences(results: Sequence[Result]) -> str:
    """Say who could not take part, where and why."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for result in results:
        for name, why in result.why_not.items():
            reasons.setdefault((name, why), []).append(result.workload.name)
    return "\n".join(
        f"fails: {name} on {', '.join(where)}: {why}"
        for (name, why), where in reasons.items()
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def as_json(result: Result) -> dict[str, Any]:
    """Return everything known of one workload."""
    best = result.best
    return {
        **asdict(result.workload),
        "seconds": {name: times.median for name, times in result.times.items()},
        "rounds": {name: times.rounds for name, times in result.times.items()},
        "loops": {name: times.loops for name, times in result.times.items()},
        "ratios": result.ratios,
        "best": {"peer": best[0], "ratio": best[1]} if best else None,
        "bound seconds": result.bound,
        "fraction of bound": result.of_bound,
        "fails": result.why_not,
        "views copied": result.copies,
    }
