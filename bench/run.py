"""Measures the service beside what it could be instead, all in one run: `make bench`.

    python -m bench.run                          everything, about a quarter of an hour
    python -m bench.run --quick                  everything once and briefly, under two minutes
    python -m bench.run --only read --only node_read --rounds 5     some rows; --list names them
    python -m bench.run --json FILE              the numbers of every round, for a program

It starts Azurite, a fast upstream, a Node peer (bench/peer), nginx, two tiny function apps (bench/noop,
bench/pass_through) and the gateway on free ports, and stops them. HOST=func runs the function apps under Azure
Functions Core Tools. Needs wrk; nginx is left out where it is not installed. docs/performance.md describes the method.

Exit status: 0 when every goal that was measured is met, 1 when one is not, 2 when something did not work: then no
number is printed, since an error or a refusal answers sooner than the truth.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.cold_start import cold_start
from bench.document import write_document
from bench.floors import measure_steps
from bench.growth import COMPARED, MOST_TENANTS, more_connections, more_tenants
from bench.load import LoadFailed, find_wrk
from bench.measure import measure
from bench.programs import Programs
from bench.report import grids, quietness
from bench.results import Results
from bench.subjects import ROWS, start_site
from bench.terminal import show
from bench.usage import Bystanders
from local.failure import LocalFailure
from local.function_host import HostName, chosen_host
from local.interrupts import treat_as_ctrl_c


@dataclass(frozen=True)
class Extent:
    """How much is measured: numbers of connections for the rows and for the growth, of tenants, and of starts."""

    rounds: int
    seconds: int
    connections: tuple[int, ...]
    more_connections: tuple[int, ...]
    tenants: tuple[int, ...]
    starts: int


FULL = Extent(3, 3, (1, 16, 64), (1, 4, 16, 64, 200), (10, 100, 1000, MOST_TENANTS), 5)
QUICK = Extent(1, 1, (1, 64), (1, 16, 200), (10, 1000), 1)
PARTS = {
    "cold_start": "from the start of a process to its first answers",
    "tenants": "memory and latency from 10 to 10,000 tenants",
    "connections": "reads from 1 to 200 connections",
}

type Report = Callable[[str], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for and print it."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.write_docs and (options.quick or options.only):
        parser.error("--write-docs needs the whole run: not with --quick or --only")
    if options.list:
        titles = {name: row.title for name, row in ROWS.items()}
        for name, title in {**titles, **PARTS}.items():
            print(f"{name:22}{title}")
        return 0
    treat_as_ctrl_c()
    try:
        find_wrk()
        results = _run(options, chosen_host(), lambda line: print(line, file=sys.stderr, flush=True))
    except (LoadFailed, LocalFailure) as failure:
        print(failure, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; everything is stopped", file=sys.stderr)
        return 130
    for grid in grids(results):
        show(grid)
    print(quietness(results).replace("*", ""))
    if options.json:
        options.json.write_text(json.dumps(results.document(), indent=1) + "\n")
    if options.write_docs:
        write_document(results)
    return 0 if all(verdict.met for verdict in results.verdicts()) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one round of a second each: noisy, but soon there")
    names = [*ROWS, *PARTS]
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help="this alone; may be repeated")
    parser.add_argument("--list", action="store_true", help="name what can be measured")
    parser.add_argument("--rounds", type=int, help="rounds of load (default: 3)")
    parser.add_argument("--seconds", type=int, help="of load for each row and number of connections (default: 3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample there")
    parser.add_argument("--write-docs", action="store_true", help="put figures and picture into docs/performance.md")
    return parser


def _run(options: argparse.Namespace, host: HostName, report: Report) -> Results:
    wanted: list[str] = options.only or [*ROWS, *PARTS]
    extent = QUICK if options.quick else FULL
    extent = replace(extent, rounds=options.rounds or extent.rounds, seconds=options.seconds or extent.seconds)
    rounds, seconds = extent.rounds, extent.seconds
    results = Results()
    with tempfile.TemporaryDirectory() as name, Programs(Path(name)) as programs:
        folder = Path(name)
        folder.chmod(0o755)  # nginx started by root works as somebody else
        rows = {name for name in wanted if name in ROWS} | (set(COMPARED) if "connections" in wanted else set())
        site = start_site(programs, host, rows, report)
        if subjects := [subject for subject in site.subjects if subject.name in wanted]:
            bystanders = Bystanders(program.pid for program in site.programs.values())
            results.cells = measure(
                subjects, site, folder, connections=extent.connections, rounds=rounds, seconds=seconds, report=report
            )
            results.bystanders = bystanders.share()
            results.steps = measure_steps()
        if "connections" in wanted:
            report("more connections…")
            results.connections = more_connections(
                site, folder, steps=extent.more_connections, rounds=rounds, seconds=seconds
            )
        if "cold_start" in wanted:
            report("cold starts…")
            results.start = cold_start(programs, host, site, times=extent.starts)
        if "tenants" in wanted:
            results.tenants = more_tenants(
                programs, host, site, steps=extent.tenants, rounds=rounds, seconds=seconds, report=report
            )
    return results


if __name__ == "__main__":
    sys.exit(main())
