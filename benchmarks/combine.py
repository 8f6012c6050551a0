"""Medians of several runs: the tables of run.py, from what it wrote with --json.

python benchmarks/combine.py run1.json run2.json run3.json [--plot FILE]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from machine import Machine
from match import Result
from networks import Generation, Line, Networks
from peers import OURS
from report import heading
from run import draw, print_section
from timing import Times
from workloads import Workload

Record = dict[str, Any]


def combined(runs: Sequence[Record]) -> Result:
    """Take the median of each run for a round; only who took part in all is timed."""
    first = runs[0]
    names = [
        name for name in first["seconds"] if all(name in r["seconds"] for r in runs)
    ]
    shapes = tuple(tuple(shape) for shape in first["shapes"])
    text = {field.name: first[field.name] for field in fields(Workload)}
    return Result(
        workload=Workload(**{**text, "shapes": shapes}),
        times={
            name: Times(tuple(r["seconds"][name] for r in runs), 1) for name in names
        },
        bound=statistics.median(r["bound seconds"] for r in runs),
        why_not=first["fails"],
        copies=first["views copied"],
    )


def median_machine(records: Sequence[Record]) -> Machine:
    """Return the machine with the medians of its rates."""
    found = [record["machine"] for record in records]
    rates = zip(*(one["bandwidths"] for one in found), strict=True)
    return Machine(
        **{
            **found[0],
            "gemm_float32": statistics.median(one["gemm_float32"] for one in found),
            "gemm_float64": statistics.median(one["gemm_float64"] for one in found),
            "bandwidths": tuple(
                (same[0][0], statistics.median(rate for _, rate in same))
                for same in rates
            ),
        }
    )


def median_networks(records: Sequence[Record]) -> Networks:
    """Return the medians of the times of networks; what is counted does not vary."""
    found = [record["networks"] for record in records]

    def rows(
        part: str, kind: Callable[..., Any], timed: Iterable[str]
    ) -> tuple[Any, ...]:
        return tuple(
            kind(
                **{
                    **same[0],
                    **{t: statistics.median(r[t] for r in same) for t in timed},
                }
            )
            for same in zip(*(one[part] for one in found), strict=True)
        )

    return Networks(
        rows("lines", Line, ("ours", "opt_einsum", "ratio")),
        rows("generation", Generation, ("seconds",)),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables of the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write PNG and SVG")
    options = parser.parse_args(arguments)
    records = [json.loads(file.read_text("utf-8")) for file in options.files]
    machine = median_machine(records)
    print(f"medians of {len(records)} runs")
    print(heading(machine, records[0]["versions"]), end="\n\n")
    results = [
        combined(same) for same in zip(*(r["results"] for r in records), strict=True)
    ]
    peers = [
        name
        for name in dict.fromkeys(n for r in results for n in (*r.times, *r.why_not))
        if name != OURS.name
    ]
    named = [result for result in results if result.workload.kind != "random"]
    drawn = [result for result in results if result.workload.kind == "random"]
    for title, group in (("workloads", named), ("random specs", drawn)):
        if group:
            print_section(title, group, peers)
    if all("networks" in record for record in records):
        print(f"networks\n\n{median_networks(records)}\n")
    if options.plot:
        draw(named or drawn, peers, machine, options.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
