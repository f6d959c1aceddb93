"""Row 4, peers: other gateways on the same upstream, one process each, by turns."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.bench import Bench, middle, rates, ratios
from benchmarks.errors import BenchmarkError
from benchmarks.instance import gateway
from benchmarks.load import Load, Target, ask_once, put_load
from benchmarks.machine import Tools
from benchmarks.prepare import Setup
from benchmarks.prompts import unique
from benchmarks.report import Bar, Measure
from benchmarks.rivals import litellm, portkey
from benchmarks.rows.forward import details
from benchmarks.upstream import whole_answers

Start = Callable[[str, Path, Tools], AbstractContextManager[Target]]
LOWER_P99 = Bar(1, "lower")


@dataclass(frozen=True)
class Rival:
    name: str
    start: Start
    bar: Bar  # of our request rate, as a multiple of its


RIVALS = (
    Rival("Portkey", portkey, Bar(2, "higher")),
    Rival("LiteLLM", litellm, Bar(10, "higher")),
)


def measure(bench: Bench) -> list[Measure]:
    found: list[Measure] = []
    with (
        whole_answers(bench.folder, bench.tools) as upstream,
        gateway(Setup(upstream), bench.folder, bench.tools) as instance,
        ExitStack() as stack,
    ):
        targets = {"llm-router": instance.target}
        rivals = []
        for rival in RIVALS:
            try:
                start = rival.start(upstream, bench.folder, bench.tools)
                targets[rival.name] = stack.enter_context(start)
                ask_once(targets[rival.name], unique().body(0))
                rivals.append(rival)
            except BenchmarkError as error:
                targets.pop(rival.name, None)
                bench.say(f"{rival.name} is left out: {error}")
        if not rivals:
            raise BenchmarkError("No other gateway could be started.")
        seen = bench.interleave(
            {name: partial(run, bench, target) for name, target in targets.items()}
        )
    for rival in rivals:
        found += compare(rival, seen)
    return found


def run(bench: Bench, target: Target) -> Load:
    return put_load(
        target, unique(), bench.tools, connections=32, seconds=bench.seconds
    )


def compare(rival: Rival, seen: dict[str, list[Load]]) -> list[Measure]:
    ours, theirs = seen["llm-router"], seen[rival.name]
    pairs = zip(ours, theirs, strict=True)
    return [
        Measure(
            "4 peers",
            f"requests/s, 32 connections, to {rival.name}'s",
            ratios(ours, theirs),
            bar=rival.bar,
            ours=rates(ours),
            theirs=rates(theirs),
            details=details(seen),
        ),
        Measure(
            "4 peers",
            f"p99, 32 connections, to {rival.name}'s",
            [a.p99_ms / b.p99_ms for a, b in pairs],
            bar=LOWER_P99,
            ours=f"{middle([load.p99_ms for load in ours]):.0f} ms",
            theirs=f"{middle([load.p99_ms for load in theirs]):.0f} ms",
        ),
    ]
