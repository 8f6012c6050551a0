"""The plot: a row a workload, a mark a peer, its time over ours on a log scale."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from match import Result

# Colours that stay apart for colour-blind readers, each with a shape of its own.
_MARKS = {
    "np.einsum": ("#0072B2", "o"),
    "opt_einsum": ("#56B4E9", "s"),
    "autograd": ("#009E73", "^"),
    "mygrad": ("#E69F00", "v"),
    "torch": ("#D55E00", "D"),
    "jax": ("#CC79A7", "P"),
}
_TICKS = (0.25, 0.5, 1, 2, 4, 10, 30, 100, 300, 1000, 3000, 10000)


def plot(
    results: Sequence[Result], peers: Sequence[str], caption: str, file: Path
) -> list[Path]:
    """Draw ``results`` and write a PNG and an SVG beside each other."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "eingrad"
    from matplotlib import pyplot

    shown = [result for result in results if result.ratios]
    if not shown:
        return []
    figure, axes = pyplot.subplots(figsize=(9, 1.8 + 0.21 * len(shown)))
    _draw_marks(axes, shown, peers)
    _draw_scale(axes, shown)
    _draw_classes(axes, shown)
    axes.set_title(caption, fontsize=8, color="0.3", loc="left")
    handles = axes.get_legend_handles_labels()
    figure.legend(*handles, loc="upper center", ncols=len(peers), frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.45 / figure.get_figheight()))
    files = [file.with_suffix(suffix) for suffix in (".png", ".svg")]
    for written in files:
        metadata = {"Date": None} if written.suffix == ".svg" else None
        figure.savefig(written, dpi=150, metadata=metadata)
    pyplot.close(figure)
    return files


def _draw_marks(axes: Any, shown: Sequence[Result], peers: Sequence[str]) -> None:
    for place, result in enumerate(shown):
        found = result.ratios.values()
        axes.plot([min(found), max(found)], [place, place], color="0.85", zorder=1)
    for peer in peers:
        points = [(r.ratios[peer], k) for k, r in enumerate(shown) if peer in r.ratios]
        colour, shape = _MARKS.get(peer, ("black", "x"))
        x, y = zip(*points, strict=True) if points else ((), ())
        axes.scatter(x, y, c=colour, marker=shape, s=26, label=peer, zorder=3)


def _draw_scale(axes: Any, shown: Sequence[Result]) -> None:
    """Draw the log scale, with the side shaded where we are behind."""
    from matplotlib.ticker import FixedLocator, NullLocator

    ratios = [ratio for result in shown for ratio in result.ratios.values()]
    low, high = min(*ratios, 0.8) / 1.15, max(*ratios, 2) * 1.15
    axes.axvspan(low, 1, color="#D55E00", alpha=0.07, linewidth=0)
    axes.axvline(1, color="black", linewidth=1, zorder=2)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    ticks = [tick for tick in _TICKS if low <= tick <= high]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(ticks, [f"{tick:g}x" for tick in ticks])
    axes.grid(axis="x", color="0.9", zorder=0)
    axes.set_xlabel("time of the peer / time of eingrad, forward and all gradients")


def _draw_classes(axes: Any, shown: Sequence[Result]) -> None:
    """Name the rows on the left, and their classes on the right."""
    kinds = [result.workload.kind for result in shown]
    right = axes.get_yaxis_transform()
    for kind in dict.fromkeys(kinds):
        rows = [k for k, other in enumerate(kinds) if other == kind]
        axes.axhline(rows[-1] + 0.5, color="0.8", linewidth=0.8)
        middle = (rows[0] + rows[-1]) / 2
        axes.text(1.01, middle, kind, transform=right, va="center", fontsize=8)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_yticks(range(len(shown)), [r.workload.name for r in shown], fontsize=8)
    axes.tick_params(axis="y", length=0)
