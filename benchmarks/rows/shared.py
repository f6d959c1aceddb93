"""Row 9, shared: a hit that a worker finds in Redis, against one in its own memory."""

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.bench import Bench, p50s, rates, ratios
from benchmarks.errors import BenchmarkError
from benchmarks.instance import Instance, gateway
from benchmarks.load import Load, put_load, send_each
from benchmarks.machine import Tools
from benchmarks.prepare import Setup
from benchmarks.processes import running, wait_for_port
from benchmarks.prompts import stored
from benchmarks.report import Measure
from benchmarks.rows.forward import details
from benchmarks.rows.hits import ROOMY
from benchmarks.upstream import whole_answers

ENTRIES = 1000


def measure(bench: Bench) -> list[Measure]:
    """One instance keeps its answers itself; the other one's memory holds a single
    answer, so that all others come from Redis."""
    own = {**ROOMY, "cache_max_entries": ENTRIES}
    small = {**ROOMY, "cache_max_entries": 1}
    with (
        redis(bench.folder, bench.tools) as settings,
        whole_answers(bench.folder, bench.tools) as upstream,
        gateway(Setup(upstream, policy=own), bench.folder, bench.tools) as local,
        gateway(
            Setup(upstream, policy=small), bench.folder, bench.tools, settings
        ) as shared,
    ):
        for instance in (local, shared):
            send_each(instance.target, stored(ENTRIES), ENTRIES)
            if instance.attempts() != ENTRIES:
                raise BenchmarkError("The cache was not filled by one call each.")
            instance.expect(stored(ENTRIES).body(1), "HIT", "exact")
        return [compare(bench, local, shared, connections) for connections in (32, 1)]


def compare(
    bench: Bench, local: Instance, shared: Instance, connections: int
) -> Measure:
    def run(instance: Instance) -> Load:
        return put_load(
            instance.target,
            stored(ENTRIES),
            bench.tools,
            connections=connections,
            seconds=bench.seconds,
        )

    before = shared.attempts(), local.attempts()
    seen = bench.interleave(
        {"shared": partial(run, shared), "local": partial(run, local)}
    )
    # Not by their labels: who leaves when the load ends was told nothing yet.
    if (shared.attempts(), local.attempts()) != before:
        raise BenchmarkError("Not all requests were hits.")
    if connections > 1:
        return Measure(
            "9 shared",
            f"hit in Redis to hit in memory, requests/s, {connections} connections",
            ratios(seen["shared"], seen["local"]),
            ours=rates(seen["shared"]),
            theirs=rates(seen["local"]),
            details=details(seen),
        )
    added = [
        ours.p50_ms - theirs.p50_ms
        for ours, theirs in zip(seen["shared"], seen["local"], strict=True)
    ]
    return Measure(
        "9 shared",
        "p50 that Redis adds to a hit, 1 connection",
        added,
        unit="ms",
        ours=p50s(seen["shared"]),
        theirs=p50s(seen["local"]),
        details=details(seen),
    )


@contextmanager
def redis(folder: Path, tools: Tools) -> Iterator[dict[str, str]]:
    """A Redis of its own, beside the load; the settings that name it."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        raise BenchmarkError("Neither redis-server nor valkey-server is installed.")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [program, "--port", str(port), "--bind", "127.0.0.1"]
    command += ["--save", "", "--appendonly", "no", "--dir", str(folder)]
    with running(command, folder, tools.load_cpus) as server:
        wait_for_port(server, port)
        # The load may starve it: how that is survived is not what is measured here.
        yield {
            "REDIS_URL": f"redis://127.0.0.1:{port}/0",
            "LLM_ROUTER_REDIS_TIMEOUT_MS": "5000",
        }
