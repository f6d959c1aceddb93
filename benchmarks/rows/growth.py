"""Row 5, growth: does a request cost more when there is more of everything?

The cost of a request is the processor time that the server spends on it: where other
programs run too, it says more than the rate. Without /proc the rate takes its place.
"""

from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial

from benchmarks.bench import Bench, middle
from benchmarks.instance import Instance, gateway
from benchmarks.load import Load, put_load
from benchmarks.prepare import Setup
from benchmarks.prompts import Prompts, stored, unique
from benchmarks.report import Bar, Measure
from benchmarks.rows.forward import details
from benchmarks.rows.hits import ROOMY, fill
from benchmarks.upstream import whole_answers

FLAT = Bar(1.2, "lower")
CONNECTIONS = 8
ENTRIES = 1000


@dataclass(frozen=True)
class Growing:
    """What grows, over which sizes; a quick run takes `quick` of them."""

    name: str
    sizes: tuple[int, ...]
    quick: tuple[int, ...]


GROWING = (
    Growing("cache entries", (1_000, 10_000, 100_000), (1_000, 10_000)),
    Growing("API keys", (10, 1_000, 10_000), (10, 10_000)),
    Growing("backends", (2, 20, 200), (2, 200)),
    Growing("log rows", (0, 1_000_000), ()),
)


def measure(bench: Bench) -> list[Measure]:
    found = []
    with whole_answers(bench.folder, bench.tools) as upstream:
        for growing in GROWING:
            if sizes := growing.sizes if bench.full else growing.quick:
                found += compare(bench, upstream, growing.name, sizes)
    return found


def compare(
    bench: Bench, upstream: str, name: str, sizes: tuple[int, ...]
) -> list[Measure]:
    """Serve every size at once, and ask them by turns."""
    with ExitStack() as stack:
        instances = {}
        for size in sizes:
            setup = setup_of(upstream, name, size)
            instances[size] = stack.enter_context(
                gateway(setup, bench.folder, bench.tools)
            )
            fill(instances[size], entries_of(name, size))
        return [
            hit_cost(bench, name, instances),
            forward_cost(bench, name, instances),
        ]


def setup_of(upstream: str, name: str, size: int) -> Setup:
    entries = entries_of(name, size)
    setup = Setup(upstream, policy={**ROOMY, "cache_max_entries": entries})
    match name:
        case "API keys":
            return replace(setup, keys=size)
        case "backends":
            return replace(setup, backends=size)
        case "log rows":
            return replace(setup, log_rows=size)
        case _:
            return setup


def entries_of(name: str, size: int) -> int:
    return size if name == "cache entries" else ENTRIES


def hit_cost(bench: Bench, name: str, instances: dict[int, Instance]) -> Measure:
    prompts = {size: stored(entries_of(name, size)) for size in instances}
    return cost(bench, f"hit, {name}", instances, prompts)


def forward_cost(bench: Bench, name: str, instances: dict[int, Instance]) -> Measure:
    # After the hits: new answers push out the old ones.
    prompts = {size: unique() for size in instances}
    return cost(bench, f"forward, {name}", instances, prompts)


def cost(
    bench: Bench, what: str, instances: dict[int, Instance], prompts: dict[int, Prompts]
) -> Measure:
    def run(size: int) -> Load:
        return put_load(
            instances[size].target,
            prompts[size],
            bench.tools,
            connections=CONNECTIONS,
            seconds=bench.seconds,
        )

    runs = {size: partial(run, size) for size in instances}
    seen = bench.interleave(runs, rounds=7 if bench.full else 4)
    first, last = min(instances), max(instances)
    values = [
        microseconds(b) / microseconds(a)
        for a, b in zip(seen[first], seen[last], strict=True)
    ]
    each = ", ".join(
        f"{middle([microseconds(load) for load in loads]):.0f}"
        for loads in seen.values()
    )
    return Measure(
        "5 growth",
        f"{what}: {', '.join(f'{size:,}' for size in instances)}",
        values,
        bar=FLAT,
        ours=f"{each} us",
        theirs="the first of them",
        details=details({str(size): loads for size, loads in seen.items()}),
    )


def microseconds(load: Load) -> float:
    return 1e6 / load.rate if load.cpu_us is None else load.cpu_us
