"""A real gateway: `manage.py serve` with a data folder, database and key of its own."""

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

from benchmarks.errors import BenchmarkError
from benchmarks.load import Target, ask_once
from benchmarks.machine import Tools
from benchmarks.prepare import Setup
from benchmarks.processes import ROOT, Server, module, running

SERVES = re.compile(r"serves http://127\.0\.0\.1:(\d+)/v1")
ANSWERED = re.compile(r'llm_router_request_seconds_count\{cache="(\w+)"\} (\S+)')
ATTEMPTS = re.compile(r"^llm_router_attempts_total\{.*\} (\S+)$", re.M)
# Settings of the shell must not make two machines measure different things.
LEFT_OUT = ("DATABASE_URL", "REDIS_URL")


@dataclass(frozen=True)
class Instance:
    port: int
    key: str
    server: Server

    @property
    def target(self) -> Target:
        return Target(self.port, self.server, {"Authorization": f"Bearer {self.key}"})

    def metrics(self) -> str:
        url = f"http://127.0.0.1:{self.port}/metrics"
        with urlopen(Request(url, headers=dict(self.target.headers))) as response:
            return str(response.read().decode())

    def answered(self) -> Counter[str]:
        """How many requests were a MISS, a HIT and so on since the start."""
        return Counter({k: int(float(v)) for k, v in ANSWERED.findall(self.metrics())})

    def attempts(self) -> int:
        """How many calls to a provider were made since the start."""
        return int(sum(float(each) for each in ATTEMPTS.findall(self.metrics())))

    def gauge(self, name: str) -> float:
        found = re.search(rf"^llm_router_{name}\{{.*\}} (\S+)$", self.metrics(), re.M)
        return float(found[1]) if found else 0.0

    def expect(self, body: str, cache: str, level: str = "") -> None:
        """Ask once and see that the answer comes from where it should."""
        headers = ask_once(self.target, body)
        seen = (
            headers["x-llm-router-cache"],
            headers.get("x-llm-router-cache-level", ""),
        )
        if seen != (cache, level):
            raise BenchmarkError(f"Expected {(cache, level)} of the cache, not {seen}.")


@contextmanager
def gateway(
    setup: Setup, folder: Path, tools: Tools, settings: Mapping[str, str] | None = None
) -> Iterator[Instance]:
    """Serve `setup` until the end of the block, with these environment variables."""
    place = Path(tempfile.mkdtemp(prefix="instance-", dir=folder))
    environ = {**environment(), "LLM_ROUTER_DATA_DIR": str(place), **(settings or {})}
    key = prepare(setup, environ)
    command = [sys.executable, "manage.py", "serve", "--addr", "127.0.0.1:0"]
    with running(command, place, tools.server_cpus, environ) as server:
        port = int(server.wait_for(SERVES)[1])
        yield Instance(port, key, server)


def prepare(setup: Setup, environ: dict[str, str]) -> str:
    command = module("benchmarks.prepare", setup.dump())
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True
    )
    if done.returncode:
        raise BenchmarkError(f"The instance can't be set up:\n{done.stderr[-1500:]}")
    return done.stdout.strip().splitlines()[-1]


def environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name not in LEFT_OUT and not name.startswith("LLM_ROUTER_")
    }
