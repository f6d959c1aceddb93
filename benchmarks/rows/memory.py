"""Row 6, memory: at the start, per stored answer, per open stream, and over time."""

import time
from dataclasses import replace
from itertools import combinations
from statistics import median

from benchmarks.bench import Bench
from benchmarks.errors import BenchmarkError
from benchmarks.instance import Instance, gateway
from benchmarks.load import put_load, send_each
from benchmarks.prepare import Setup
from benchmarks.prompts import stored, unique
from benchmarks.report import Bar, Measure
from benchmarks.rows.hits import ROOMY
from benchmarks.streams import reading, stream_order
from benchmarks.upstream import stamped_streams, stream_url, whole_answers

STREAM_KB = Bar(150, "lower")
SLOPE = Bar(1, "lower")
STREAM_GAP_MS = 1000
SOAK_PAUSE_MS = 50
# More than the 20 000 conversations a worker remembers, its largest table by number.
FILLING = 25_000
SOAK_CONNECTIONS = 16


def measure(bench: Bench) -> list[Measure]:
    with (
        whole_answers(bench.folder, bench.tools) as upstream,
        stamped_streams(bench.folder, bench.tools) as port,
    ):
        endless = stream_url(port, 1000, STREAM_GAP_MS)
        return [
            *start_and_entries(bench, upstream),
            open_streams(bench, endless),
            *soak(bench, upstream),
        ]


def start_and_entries(bench: Bench, upstream: str) -> list[Measure]:
    entries = 100_000 if bench.full else 10_000
    policy = {**ROOMY, "cache_max_entries": entries}
    with gateway(Setup(upstream, policy=policy), bench.folder, bench.tools) as instance:
        at_start = instance.server.rss_bytes()
        # What the first requests bring once is not the entries' share.
        unkept = {**instance.target.headers, "Cache-Control": "no-store"}
        send_each(replace(instance.target, headers=unkept), unique(), 3000)
        before = instance.server.rss_bytes()
        send_each(instance.target, stored(entries), entries)
        if instance.gauge("cache_entries") != entries:
            raise BenchmarkError("The cache did not keep every answer.")
        per_entry = (instance.server.rss_bytes() - before) / entries
        counted = instance.gauge("cache_bytes") / entries
    return [
        Measure("6 memory", "after the start", [at_start / 2**20], unit="MB"),
        Measure(
            "6 memory",
            f"per stored answer, of {entries:,}",
            [per_entry / 1024],
            unit="KB",
            theirs=f"{counted / 1024:.2f} KB by its own count",
        ),
    ]


def open_streams(bench: Bench, upstream: str) -> Measure:
    """Hold streams open that say something once a second."""
    many = 900 if bench.full else 300
    with gateway(Setup(upstream), bench.folder, bench.tools) as instance:
        order = stream_order(instance.target, 1000, many, 1, 2.0)
        before = instance.server.rss_bytes()
        with reading(order):
            wait_until_open(instance, many)
            time.sleep(3)
            held = instance.server.rss_bytes()
    return Measure(
        "6 memory",
        f"per open stream, of {many}",
        [(held - before) / many / 1024],
        unit="KB",
        bar=STREAM_KB,
    )


def wait_until_open(instance: Instance, many: int) -> None:
    deadline = time.monotonic() + 60
    while instance.gauge("in_flight") < many:
        if time.monotonic() > deadline:
            raise BenchmarkError(f"{many} streams did not open within a minute.")
        time.sleep(0.2)


def soak(bench: Bench, upstream: str) -> list[Measure]:
    """Steady new prompts at a part of what it can do, once every bounded table is full:
    what they take to fill is a size, told by itself, and no growth."""
    seconds = 600 if bench.full else 60
    policy = {**ROOMY, "cache_max_entries": 1000}
    with gateway(Setup(upstream, policy=policy), bench.folder, bench.tools) as instance:
        empty = instance.server.rss_bytes()
        send_each(instance.target, unique(), FILLING)
        put_soak_load(bench, instance, 120 if bench.full else 15)
        warm = instance.answered().total()
        samples = [instance.server.rss_bytes()]
        times = [time.monotonic()]
        while times[-1] - times[0] < seconds:
            put_soak_load(bench, instance, 5)
            times.append(time.monotonic())
            samples.append(instance.server.rss_bytes())
        rate = (instance.answered().total() - warm) / (times[-1] - times[0])
    minutes = [(moment - times[0]) / 60 for moment in times]
    megabytes = [sample / 2**20 for sample in samples]
    filled = Measure(
        "6 memory",
        f"bounded tables, full after {FILLING:,} prompts",
        [megabytes[0] - empty / 2**20],
        unit="MB",
    )
    growth = Measure(
        "6 memory",
        f"growth over {seconds} s of steady load",
        [slope(minutes, megabytes)],
        unit="MB/min",
        bar=SLOPE,
        ours=f"{megabytes[0]:.0f} to {megabytes[-1]:.0f} MB",
        details={"minutes": minutes, "megabytes": megabytes, "requests_per_s": rate},
    )
    return [filled, growth]


def put_soak_load(bench: Bench, instance: Instance, seconds: float) -> None:
    put_load(
        instance.target,
        unique(),
        bench.tools,
        connections=SOAK_CONNECTIONS,
        seconds=seconds,
        pause_ms=SOAK_PAUSE_MS,
    )


def slope(xs: list[float], ys: list[float]) -> float:
    """The median slope between any two points: one jump is not yet a growth."""
    return median(
        (y2 - y1) / (x2 - x1)
        for (x1, y1), (x2, y2) in combinations(zip(xs, ys, strict=True), 2)
    )
