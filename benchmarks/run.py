"""Time eingrad against its peers, forward and all gradients.

    python benchmarks/run.py --quick        a few of every class, under two minutes
    python benchmarks/run.py --full         every workload, random specs, networks
    python benchmarks/run.py --further      204 workloads that are not in the table

The environment is settled before NumPy is imported, so imports are inside functions.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from machine import Machine, settle, survey

if TYPE_CHECKING:
    from match import Result
    from peers import Contestant
    from timing import Effort
    from workloads import Workload

# Seconds that idle BLAS and OpenMP workers spin, and slow whoever runs next.
SPIN = 0.06


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="a few of every class")
    size.add_argument("--full", action="store_true", help="everything")
    size.add_argument("--further", action="store_true", help="what is not in the table")
    parser.add_argument("--random", action="store_true", help="the random specs alone")
    parser.add_argument("--seed", type=int, help="draw other random specs")
    parser.add_argument("--threads", type=int, choices=(1, 2), default=1)
    parser.add_argument("--rounds", type=int, help="timed rounds a workload")
    parser.add_argument("--only", metavar="REGEX", help="workloads by name")
    parser.add_argument("--peers", nargs="+", metavar="NAME", help="these peers alone")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write PNG and SVG")
    parser.add_argument(
        "--views", action="store_true", help="let peers return views uncopied"
    )
    parser.add_argument(
        "--without-sizes", action="store_true", help="modules that know no sizes"
    )
    parser.add_argument(
        "--keep-coretype", action="store_true", help="keep OPENBLAS_CORETYPE"
    )
    options = parser.parse_args(arguments)
    options.quick = not options.full
    return options


def chosen_workloads(options: argparse.Namespace) -> list[Workload]:
    """Return the table, the random specs, both, or what is outside of the table."""
    from further import further_workloads
    from random_specs import SEED, random_specs
    from workloads import QUICK, table

    everything = options.full or options.only
    named = [w for w in table() if everything or w.name in QUICK]
    drawn = list(random_specs(SEED if options.seed is None else options.seed))
    if options.further:
        named = list(further_workloads())
    workloads = drawn if options.random else named
    if options.full and not options.random:
        workloads = named + drawn
    return [w for w in workloads if not options.only or re.search(options.only, w.name)]


def chosen_contestants(options: argparse.Namespace) -> list[Contestant]:
    """Return eingrad and the peers that are asked for and installed."""
    from peers import OURS, OURS_WITHOUT_SIZES, PEERS

    names = [peer.name for peer in PEERS]
    unknown = sorted(set(options.peers or ()) - set(names))
    if unknown:
        sys.exit(f"unknown peer {', '.join(unknown)}; there are {', '.join(names)}")
    wanted = [p for p in PEERS if not options.peers or p.name in options.peers]
    ours = OURS_WITHOUT_SIZES if options.without_sizes else OURS
    return [ours, *(peer for peer in wanted if peer.version)]


def chosen_effort(options: argparse.Namespace) -> Effort:
    """Return how long to measure."""
    from dataclasses import replace

    from timing import QUICK, Effort

    effort = QUICK if options.quick else Effort()
    if options.rounds:
        effort = replace(effort, rounds=options.rounds)
    return replace(effort, pause=SPIN if options.threads > 1 else 0.0)


def play_all(
    workloads: Sequence[Workload],
    contestants: Sequence[Contestant],
    machine: Machine,
    options: argparse.Namespace,
) -> list[Result]:
    """Time every workload, and tell on stderr how far it is."""
    from match import play

    effort = chosen_effort(options)
    results = []
    for k, workload in enumerate(workloads, 1):
        _progress(f"[{k}/{len(workloads)}] {workload.name}")
        results.append(
            play(workload, contestants, machine, effort, allow_views=options.views)
        )
    _progress("")
    return results


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
    elif text:
        print(text, file=sys.stderr, flush=True)


def print_section(
    title: str, results: Sequence[Result], peers: Sequence[str]
) -> dict[str, Any]:
    """Print the tables of one group of workloads, and return its summary."""
    from report import absences, results_table, summary, summary_text

    summed = summary(results, peers)
    parts = [title, results_table(results, peers), summary_text(summed)]
    print("\n\n".join([*parts, absences(results)]).rstrip(), end="\n\n", flush=True)
    return summed


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    options = read_options(arguments)
    settle(options.threads, keep_coretype=options.keep_coretype)
    from peers import OURS, PEERS, limit_threads

    limit_threads(options.threads)
    workloads = chosen_workloads(options)
    if not workloads:
        sys.exit("no workload has such a name")
    contestants = chosen_contestants(options)
    peers = [contestant.name for contestant in contestants[1:]]
    versions = {c.package: c.version for c in (OURS, *PEERS)}
    machine = survey(options.threads)
    from report import as_json, heading

    print(heading(machine, versions), end="\n\n", flush=True)
    results = play_all(workloads, contestants, machine, options)
    record: dict[str, Any] = {
        "machine": asdict(machine),
        "versions": versions,
        "options": {
            "threads": options.threads,
            "views": options.views,
            "sizes": not options.without_sizes,
        },
        "results": [as_json(result) for result in results],
        "summary": {},
    }
    named = [result for result in results if result.workload.kind != "random"]
    drawn = [result for result in results if result.workload.kind == "random"]
    for title, group in (("workloads", named), ("random specs", drawn)):
        if group:
            record["summary"][title] = print_section(title, group, peers)
    if options.full and not options.only and not options.random:
        from networks import measure_networks

        _progress("networks")
        networks = measure_networks(machine, chosen_effort(options))
        _progress("")
        print(f"networks\n\n{networks}\n", flush=True)
        record["networks"] = asdict(networks)
    if options.json:
        options.json.write_text(json.dumps(record, indent=1) + "\n")
    if options.plot:
        draw(named or drawn, peers, machine, options.plot)
    return 0


def draw(
    results: Sequence[Result], peers: Sequence[str], machine: Machine, file: Path
) -> None:
    """Plot the ratios, if there is what draws them."""
    try:
        from plot import plot

        caption = f"{machine.cpu}, {machine.threads} thread(s), {machine.blas}"
        written = plot(results, peers, caption, file)
    except ImportError as error:
        print(f"no plot: {error}", file=sys.stderr)
        return
    print("wrote", *written, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
