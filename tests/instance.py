"""A whole instance in its own processes and folder, run as its users run it."""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import httpx

from tests import ROOT

PROVIDER_KEY = "sk-provider-key-of-the-tests"
CONFIG = """
models:
  - {{name: small, provider: openai-compatible, model: small, base_url: "{url}",
     api_key: $TEST_PROVIDER_KEY, cost_per_1k_in: 0.001, cost_per_1k_out: 0.005,
     max_tokens: 200000, tier: 1}}
  - {{name: medium, provider: openai-compatible, model: medium, base_url: "{url}",
     api_key: $TEST_PROVIDER_KEY, cost_per_1k_in: 0.003, cost_per_1k_out: 0.015,
     max_tokens: 200000, tier: 2}}
  - {{name: large, provider: openai-compatible, model: large, base_url: "{url}",
     api_key: $TEST_PROVIDER_KEY, cost_per_1k_in: 0.015, cost_per_1k_out: 0.075,
     max_tokens: 200000, tier: 3}}
"""


@dataclass
class Instance:
    """One data folder; `serve()` runs the gateway on it, again and again.

    Its database has its tables already, which takes longest of a first start; `empty`:
    there is nothing.
    """

    folder: Path
    upstream_url: str
    extra_config: str = ""
    empty: bool = False
    url: str = field(default="", init=False)

    def __post_init__(self) -> None:
        self._starts = 0
        self.data_dir = self.folder / "var"
        self.config = self.folder / "config.yaml"
        text = CONFIG.format(url=self.upstream_url) + self.extra_config
        self.config.write_text(text)
        if not self.empty and not (self.data_dir / "db.sqlite3").exists():
            self.data_dir.mkdir(mode=0o700, exist_ok=True)
            shutil.copy(migrated_database(), self.data_dir)

    @property
    def environ(self) -> dict[str, str]:
        own = ("LLM_ROUTER", "DATABASE_URL")  # an instance is all in its folder
        kept = {k: v for k, v in os.environ.items() if not k.startswith(own)}
        return {
            **kept,
            "LLM_ROUTER_DATA_DIR": str(self.data_dir),
            "TEST_PROVIDER_KEY": PROVIDER_KEY,
            "LLM_ROUTER_DRAIN_SECONDS": "5",
        }

    def start(
        self, *arguments: str, environ: dict[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """The server's process, once it answers; its output goes to `log`."""
        with (self.folder / "log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--addr", "127.0.0.1:0"]
                + ["--config", str(self.config), *arguments],
                cwd=ROOT,
                env={**self.environ, **(environ or {})},
                stdout=log,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self.url = self._wait_for_url(process)
        return process

    @contextmanager
    def serving(self, *arguments: str, **environ: str) -> Iterator[str]:
        """Serve until the block ends, then stop it politely."""
        process = self.start(*arguments, environ=environ)
        try:
            yield self.url
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(120)

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=180,
        )

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple]:
        with sqlite3.connect(self.data_dir / "db.sqlite3", timeout=20) as database:
            rows = database.execute(sql, parameters).fetchall()
        database.close()
        return rows

    def wait_for_requests(self, number: int) -> None:
        """Until the log has so many rows: they come after the answers do."""
        deadline = time.monotonic() + 60
        while self.query("SELECT count(*) FROM gateway_requestlog")[0][0] < number:
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def _wait_for_url(self, process: subprocess.Popen[str]) -> str:
        seen = (
            len(re.findall(r"llm-router serves (\S+)/v1", self.log)) if self.url else 0
        )
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and process.poll() is None:
            found = re.findall(r"llm-router serves (\S+)/v1", self.log)
            if len(found) > seen and is_ready(found[-1]):
                self._starts = len(found)
                return found[-1]
            time.sleep(0.05)
        process.kill()
        raise AssertionError(f"The gateway did not start:\n{self.log}")


@cache
def migrated_database() -> Path:
    folder = Path(mkdtemp(prefix="llm-router-migrated-"))
    made = Instance(folder, "http://127.0.0.1:1", empty=True)
    done = made.manage("migrate", "--verbosity=0")
    assert done.returncode == 0, done.stderr
    return made.data_dir / "db.sqlite3"


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ready", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def kill_group(process: subprocess.Popen[str]) -> None:
    """kill -9 of the server and of all its workers."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def workers_of(url: str, headers: Mapping[str, str] | None = None) -> set[int]:
    """Process ids of the two that serve."""
    found: set[int] = set()
    deadline = time.monotonic() + 30
    while len(found) < 2:
        assert time.monotonic() < deadline, found
        page = httpx.get(f"{url}/metrics", headers=headers).text
        found.update(int(pid) for pid in re.findall(r'worker="(\d+)"', page))
    return found
