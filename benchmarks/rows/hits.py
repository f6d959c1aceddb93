"""Row 2, hits: answers out of a full cache, against a bare canned answer."""

from functools import partial

from benchmarks.bench import Bench, rates, ratios
from benchmarks.errors import BenchmarkError
from benchmarks.instance import Instance, gateway
from benchmarks.load import Load, Target, ask_once, put_load, send_each
from benchmarks.prepare import Setup
from benchmarks.prompts import REWORDED, Prompts, stored
from benchmarks.report import Bar, Measure
from benchmarks.rows.forward import details
from benchmarks.upstream import whole_answers

ENTRIES = 10_000
RATE = Bar(0.25, "higher", aim=0.5)
ROOMY = {"cache_ttl_seconds": 1e6, "cache_max_bytes": 1 << 30}


def measure(bench: Bench) -> list[Measure]:
    setup_policy = {**ROOMY, "cache_max_entries": ENTRIES}
    with (
        whole_answers(bench.folder, bench.tools) as upstream,
        bench.bare() as ceiling,
        gateway(
            Setup(upstream, policy=setup_policy), bench.folder, bench.tools
        ) as instance,
    ):
        fill(instance, ENTRIES)
        ask_once(ceiling, stored(ENTRIES).body(0))
        return compare(bench, instance, ceiling)


def fill(instance: Instance, entries: int) -> None:
    """Ask so many questions once, and see that both wordings now hit."""
    send_each(instance.target, stored(entries), entries)
    if instance.gauge("cache_entries") != entries:
        raise BenchmarkError("The cache did not keep every answer.")
    instance.expect(stored(entries).body(1), "HIT", "exact")
    instance.expect(stored(entries, REWORDED).body(1), "HIT", "canonical")


def compare(bench: Bench, instance: Instance, ceiling: Target) -> list[Measure]:
    def run(target: Target, prompts: Prompts) -> Load:
        return put_load(
            target, prompts, bench.tools, connections=32, seconds=bench.seconds
        )

    exact = stored(ENTRIES)
    before = instance.answered()
    seen = bench.interleave(
        {
            "exact": partial(run, instance.target, exact),
            "canonical": partial(run, instance.target, stored(ENTRIES, REWORDED)),
            "ceiling": partial(run, ceiling, exact),
        }
    )
    if instance.answered()["MISS"] != before["MISS"]:
        raise BenchmarkError("Not all requests were hits.")
    return [
        Measure(
            "2 hit",
            f"{level} hit, requests/s, to a bare canned answer's",
            ratios(seen[level], seen["ceiling"]),
            bar=RATE,
            ours=rates(seen[level]),
            theirs=rates(seen["ceiling"]),
            details=details(seen),
        )
        for level in ("exact", "canonical")
    ]
