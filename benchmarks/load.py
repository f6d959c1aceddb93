"""Load on a server, by wrk or by our own client, in a process of its own."""

import json
import subprocess
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.error import HTTPError

from benchmarks import wrk
from benchmarks.client import Order
from benchmarks.errors import BenchmarkError
from benchmarks.machine import Tools
from benchmarks.processes import ROOT, Server, module
from benchmarks.prompts import Prompts

PATH = "/v1/chat/completions"
PATIENCE_SECONDS = 900


@dataclass(frozen=True)
class Target:
    """Where the load goes. `server` is the process whose time is counted."""

    port: int
    server: Server
    headers: Mapping[str, str] = field(default_factory=dict)
    path: str = PATH

    def head(self) -> str:
        """The request's head up to the number of its content-length."""
        lines = [
            f"POST {self.path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            "Content-Type: application/json",
            *(f"{name}: {value}" for name, value in self.headers.items()),
            "Content-Length: ",
        ]
        return "\r\n".join(lines)


@dataclass(frozen=True)
class Load:
    """What a run of load saw. Times in milliseconds; processor time is the server's."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    errors: int
    cpu_us: float | None = None  # per request

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def put_load(
    target: Target,
    prompts: Prompts,
    tools: Tools,
    *,
    connections: int,
    seconds: float,
    pause_ms: int = 0,
) -> Load:
    """Load for so many seconds. Raises unless every answer was a 200."""
    order = Order(
        target.port, target.head(), prompts, connections, seconds, pause_ms=pause_ms
    )
    before = target.server.cpu_seconds()
    seen = wrk.run(tools.wrk, order) if tools.wrk else own_client(order)
    # What it puts off belongs to this run, and must not slow down the next one.
    target.server.wait_until_idle()
    return checked(seen, before, target.server.cpu_seconds())


def send_each(target: Target, prompts: Prompts, messages: int) -> Load:
    """Send the first so many prompts once each, as when a cache is filled."""
    order = Order(target.port, target.head(), prompts, 16, messages=messages)
    return checked(own_client(order), None, None)


def own_client(order: Order) -> dict[str, float]:
    command = module("benchmarks.client", order.dump())
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise BenchmarkError("The server under test stopped answering.") from None
    if done.returncode:
        raise BenchmarkError(f"The load client failed:\n{done.stderr[-1500:]}")
    seen: dict[str, float] = json.loads(done.stdout)
    return seen


def checked(
    seen: Mapping[str, float], before: float | None, after: float | None
) -> Load:
    requests, errors = int(seen["requests"]), int(seen["errors"])
    if errors or not requests:
        raise BenchmarkError(
            f"{errors} of {requests} answers were not a 200; nothing is measured."
        )
    cpu = None
    if before is not None and after is not None:
        cpu = (after - before) / requests * 1e6
    return Load(requests, seen["seconds"], seen["p50_ms"], seen["p99_ms"], errors, cpu)


def ask_once(target: Target, body: str) -> Mapping[str, str]:
    """Send one request; its answer's headers. Raises unless it is a 200."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{target.port}{target.path}",
        data=body.encode(),
        headers={"content-type": "application/json", **target.headers},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            response.read()
            return {name.lower(): value for name, value in response.headers.items()}
    except HTTPError as error:
        text = error.read().decode(errors="replace")
        raise BenchmarkError(f"A request got {error.code}: {text[:300]}") from error
