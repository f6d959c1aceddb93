"""Measures the rows that are asked for, prints one table and writes it as JSON."""

import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

from benchmarks import workflows
from benchmarks.bench import Bench
from benchmarks.errors import BenchmarkError
from benchmarks.machine import find_tools, pin
from benchmarks.report import Measure, table, write_json
from benchmarks.rows import (
    cache,
    forward,
    growth,
    hits,
    memory,
    peers,
    preview,
    shared,
    stream,
)

ROWS: dict[str, Callable[[Bench], list[Measure]]] = {
    "1": forward.measure,
    "2": hits.measure,
    "3": stream.measure,
    "4": peers.measure,
    "5": growth.measure,
    "6": memory.measure,
    "7": workflows.measure,
    "8": cache.measure,
    "9": shared.measure,
    "10": preview.measure,
}
RESULTS = Path(__file__).parent / "results.json"


def parse() -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--rows",
        default="1,2,3,5,6,7,8,9,10",
        help="1 forward, 2 hit, 3 stream, 4 peers, 5 growth, 6 memory, 7 workflows, "
        "8 cache, 9 shared, 10 preview (%(default)s)",
    )
    parser.add_argument(
        "--peers",
        action="store_true",
        help="also row 4: installs LiteLLM and Portkey from their registries",
    )
    parser.add_argument(
        "--full", action="store_true", help="longer runs, the largest sizes, long soak"
    )
    parser.add_argument(
        "--plain", action="store_true", help="use no wrk and no nginx, as if absent"
    )
    parser.add_argument("--json", type=Path, default=RESULTS, help="%(default)s")
    options = parser.parse_args()
    options.rows = options.rows.split(",") + ["4"] * options.peers
    if unknown := set(options.rows) - set(ROWS):
        parser.error(f"There is no row {', '.join(sorted(unknown))}.")
    return options


def main() -> int:
    """0 when every row could be measured, whatever the numbers say."""
    options = parse()
    tools = find_tools(plain=options.plain)
    pin(0, tools.load_cpus)
    print(tools.describe(), flush=True)
    measures: list[Measure] = []
    failures: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="llm-router-bench-") as folder:
        bench = Bench(tools, Path(folder), options.full)
        for row in sorted(set(options.rows)):
            print(f"Row {row}...", file=sys.stderr, flush=True)
            try:
                measures += ROWS[row](bench)
            except BenchmarkError as error:
                failures[row] = str(error)
    print(table(measures))
    for row, reason in failures.items():
        print(f"Row {row} was not measured: {reason}")
    write_json(options.json, measures, failures, tools.describe())
    print(f"Details: {options.json}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
