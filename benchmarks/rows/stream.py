"""Row 3, streams: what the gateway adds to each chunk, and if any stream breaks."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial

from benchmarks.bench import Bench
from benchmarks.instance import gateway
from benchmarks.load import Target
from benchmarks.prepare import Setup
from benchmarks.report import Bar, Measure
from benchmarks.streams import Streams, read_streams
from benchmarks.upstream import stamped_streams, stream_url

CHUNKS = 40
FEW, MANY = 8, 300
QUICK_GAP_MS = 20
MANY_GAP_MS = 100
# The bars of 300 streams are RELIABILITY's L3; few streams have none of their own.
FIRST_MS = Bar(100, "lower")
GAP_MS = Bar(50, "lower")
UNBROKEN = Bar(0, "lower")


def measure(bench: Bench) -> list[Measure]:
    with stamped_streams(bench.folder, bench.tools) as port:
        few = compare(bench, stream_url(port, CHUNKS, QUICK_GAP_MS), few_streams)
        many = compare(bench, stream_url(port, CHUNKS, MANY_GAP_MS), many_streams)
    return few + many


def compare(
    bench: Bench,
    upstream: str,
    measure_with: Callable[[Bench, Target, Target], list[Measure]],
) -> list[Measure]:
    with (
        bench.bare(upstream) as floor,
        gateway(Setup(upstream), bench.folder, bench.tools) as instance,
    ):
        return measure_with(bench, instance.target, floor)


def few_streams(bench: Bench, ours: Target, floor: Target) -> list[Measure]:
    def run(target: Target) -> Streams:
        return read_streams(target, CHUNKS, FEW, turns=2, spread_seconds=0.5)

    runs = {"gateway": partial(run, ours), "floor": partial(run, floor)}
    seen = bench.interleave(runs)
    what = f"added over the floor, {FEW} streams"
    return [
        added(seen, "first_p50_ms", f"first chunk, p50, {what}"),
        added(seen, "transit_p50_ms", f"each chunk, p50, {what}"),
        added(seen, "stretch_p99_ms", f"gap between chunks, p99, {what}"),
    ]


def many_streams(bench: Bench, ours: Target, floor: Target) -> list[Measure]:
    length = CHUNKS * MANY_GAP_MS / 1000

    def run(target: Target) -> Streams:
        turns = 3 if bench.full else 1
        return read_streams(
            target, CHUNKS, MANY, turns=turns, spread_seconds=length / 2
        )

    seen = bench.interleave(
        {"gateway": partial(run, ours), "floor": partial(run, floor)},
        rounds=5 if bench.full else 2,
        warm_up=False,
    )
    what = f"added over the floor, {MANY} streams"
    broken = Measure(
        "3 stream",
        f"broken of {MANY} concurrent streams",
        [run.broken for run in seen["gateway"]],
        unit="",
        bar=UNBROKEN,
        ours=f"{sum(run.broken for run in seen['gateway'])}",
        theirs=f"{sum(run.broken for run in seen['floor'])}",
    )
    return [
        added(seen, "first_p99_ms", f"first chunk, p99, {what}", FIRST_MS),
        added(seen, "stretch_p99_ms", f"gap between chunks, p99, {what}", GAP_MS),
        *chunk_cost(seen),
        broken,
    ]


def chunk_cost(seen: dict[str, list[Streams]]) -> list[Measure]:
    """Left out where processor time can't be read."""
    ours = [run.cpu_us for run in seen["gateway"] if run.cpu_us is not None]
    theirs = [run.cpu_us for run in seen["floor"] if run.cpu_us is not None]
    if not ours or not theirs:
        return []
    return [
        Measure(
            "3 stream",
            f"processor time of a chunk, {MANY} streams, to the floor's",
            [a / b for a, b in zip(ours, theirs, strict=True)],
            ours=f"{min(ours):.0f} to {max(ours):.0f} us",
            theirs=f"{min(theirs):.0f} to {max(theirs):.0f} us",
        )
    ]


def added(
    seen: dict[str, list[Streams]], name: str, what: str, bar: Bar | None = None
) -> Measure:
    ours = [getattr(run, name) for run in seen["gateway"]]
    theirs = [getattr(run, name) for run in seen["floor"]]
    return Measure(
        "3 stream",
        what,
        [a - b for a, b in zip(ours, theirs, strict=True)],
        unit="ms",
        bar=bar,
        ours=f"{min(ours):.2f} to {max(ours):.2f} ms",
        theirs=f"{min(theirs):.2f} to {max(theirs):.2f} ms",
        details={key: [asdict(run) for run in runs] for key, runs in seen.items()},
    )
