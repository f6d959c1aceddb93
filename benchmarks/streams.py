"""Streams of a server, read by a process of its own."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from benchmarks.errors import BenchmarkError
from benchmarks.load import Target
from benchmarks.processes import ROOT, module
from benchmarks.prompts import unique
from benchmarks.stream_client import StreamOrder


@dataclass(frozen=True)
class Streams:
    """What the readers saw. `first` is from the request to its first chunk, `transit`
    from the upstream to the reader, `stretch` how much a gap grew on the way."""

    streams: int
    broken: int
    first_p50_ms: float
    first_p99_ms: float
    transit_p50_ms: float
    transit_p99_ms: float
    stretch_p50_ms: float
    stretch_p99_ms: float
    cpu_us: float | None = None  # of the server, per chunk


def read_streams(
    target: Target,
    chunks: int,
    readers: int,
    *,
    turns: int = 1,
    spread_seconds: float = 0.0,
) -> Streams:
    """Read them to their end."""
    order = stream_order(target, chunks, readers, turns, spread_seconds)
    before = target.server.cpu_seconds()
    with reading(order) as client:
        output, errors = client.communicate()
    after = target.server.cpu_seconds()
    if client.returncode:
        raise BenchmarkError(f"The stream client failed:\n{errors[-1500:]}")
    seen = Streams(**json.loads(output))
    if before is None or after is None:
        return seen
    return replace(seen, cpu_us=(after - before) / (seen.streams * chunks) * 1e6)


def stream_order(
    target: Target, chunks: int, readers: int, turns: int, spread_seconds: float
) -> StreamOrder:
    head = target.head()
    return StreamOrder(
        target.port, head, unique(), readers, chunks, turns, spread_seconds
    )


@contextmanager
def reading(order: StreamOrder) -> Iterator[subprocess.Popen[str]]:
    """Read in the background until the end of the block."""
    client = subprocess.Popen(
        module("benchmarks.stream_client", order.dump()),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield client
    finally:
        client.kill()
        client.communicate()
