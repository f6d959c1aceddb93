"""Row 1, forward: whole answers, every prompt new, against a bare forwarder."""

from dataclasses import asdict
from functools import partial

from benchmarks.bench import Bench, p50s, rates, ratios
from benchmarks.errors import BenchmarkError
from benchmarks.instance import Instance, gateway
from benchmarks.load import Load, Target, ask_once, put_load
from benchmarks.prepare import Setup
from benchmarks.prompts import unique
from benchmarks.report import Bar, Measure
from benchmarks.upstream import whole_answers

RATE = Bar(0.35, "higher", aim=0.6)
ADDED_MS = Bar(0.6, "lower")


def measure(bench: Bench) -> list[Measure]:
    with (
        whole_answers(bench.folder, bench.tools) as upstream,
        bench.bare(upstream) as floor,
        gateway(Setup(upstream), bench.folder, bench.tools) as instance,
    ):
        ask_once(floor, unique().body(0))
        instance.expect(unique().body(0), cache="MISS")
        measures = [
            crowd(bench, instance.target, floor),
            alone(bench, instance.target, floor),
        ]
        check_all_missed(instance)
    return measures


def crowd(bench: Bench, ours: Target, floor: Target) -> Measure:
    seen = interleaved(bench, ours, floor, connections=32)
    return Measure(
        "1 forward",
        "requests/s, 32 connections, to a bare forwarder's",
        ratios(seen["gateway"], seen["floor"]),
        bar=RATE,
        ours=rates(seen["gateway"]),
        theirs=rates(seen["floor"]),
        details=details(seen),
    )


def alone(bench: Bench, ours: Target, floor: Target) -> Measure:
    seen = interleaved(bench, ours, floor, connections=1)
    pairs = zip(seen["gateway"], seen["floor"], strict=True)
    return Measure(
        "1 forward",
        "p50 added over a bare forwarder, 1 connection",
        [a.p50_ms - b.p50_ms for a, b in pairs],
        unit="ms",
        bar=ADDED_MS,
        ours=p50s(seen["gateway"]),
        theirs=p50s(seen["floor"]),
        details=details(seen),
    )


def interleaved(
    bench: Bench, ours: Target, floor: Target, connections: int
) -> dict[str, list[Load]]:
    def run(target: Target) -> Load:
        return put_load(
            target,
            unique(),
            bench.tools,
            connections=connections,
            seconds=bench.seconds,
        )

    return bench.interleave(
        {"gateway": partial(run, ours), "floor": partial(run, floor)}
    )


def details(seen: dict[str, list[Load]]) -> dict[str, object]:
    return {name: [asdict(load) for load in loads] for name, loads in seen.items()}


def check_all_missed(instance: Instance) -> None:
    answered = instance.answered()
    if set(answered) != {"MISS"}:
        raise BenchmarkError(f"Not all requests were misses: {dict(answered)}.")
