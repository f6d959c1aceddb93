"""A running instance with workers, its provider, and load on it."""

import base64
import hashlib
import re
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
from cryptography.fernet import Fernet

from gateway.key_rows import digest_of
from tests.faultllm import ThreadedFaultLLM
from tests.instance import Instance

CHAT = "/v1/chat/completions"
EFFECT_SECONDS = 2.0  # within which every worker acts on a change


@dataclass
class Running:
    """An instance with workers, a key to use it, and its provider."""

    instance: Instance
    upstream: ThreadedFaultLLM
    url: str
    key: str
    workers: int = 1
    kept: dict[str, httpx.Client] = field(default_factory=dict)

    def ask(self, text: str, key: str = "", **fields: object) -> httpx.Response:
        """One request on a connection of its own: any worker may take it."""
        body = {"messages": [{"role": "user", "content": text}], **fields}
        return self.send("POST", CHAT, key, body)

    def get(self, path: str, key: str = "") -> httpx.Response:
        return self.send("GET", path, key)

    def send(
        self, method: str, path: str, key: str = "", body: object = None
    ) -> httpx.Response:
        with self.client() as client:
            return client.request(method, path, json=body, headers=self.bearer(key))

    def client(self) -> httpx.Client:
        # Without `verify=False` each one would read all certificates anew.
        return httpx.Client(
            base_url=self.url, verify=False, trust_env=False, timeout=30
        )

    def bearer(self, key: str) -> dict[str, str]:
        return {"authorization": f"Bearer {key or self.key}"}

    def everywhere(
        self, path: str, key: str = "", model: str = ""
    ) -> list[httpx.Response]:
        """What each worker answers to a GET, or to a question to this model."""
        self._keep_a_connection_to_each()
        body = {"messages": [{"role": "user", "content": "Hi"}], "model": model}
        return [
            client.request(
                "POST" if model else "GET",
                path,
                json=body if model else None,
                headers=self.bearer(key),
            )
            for client in self.kept.values()
        ]

    def _keep_a_connection_to_each(self) -> None:
        """Who answers a new connection is chance; on a kept one it is certain."""
        kept, self.kept = list(self.kept.values()), {}
        deadline = time.monotonic() + 30
        while len(self.kept) < self.workers:
            client = kept.pop() if kept else self.client()
            page = client.get("/metrics", headers=self.bearer("")).text
            worker = re.search(r'worker="(\d+)"', page)[1]
            if self.kept.setdefault(worker, client) is not client:
                client.close()
            assert time.monotonic() < deadline
        for client in kept:
            client.close()

    def sql(self, statement: str, *parameters: object) -> list[tuple]:
        return self.instance.query(statement, parameters)

    def add_key(self, name: str) -> str:
        """A key that every worker knows; its secret is its name."""
        self.sql(
            "INSERT INTO gateway_apikey (name, prefix, digest, created_at, may_pin, "
            "max_in_flight) VALUES (?, '', ?, '2026-01-01', 1, 0)",
            name,
            digest_of(name),
        )
        self.wait_for_status(200, "/v1/models", name)
        return name

    def add_backend(self, name: str, **fields: object) -> None:
        """A backend of the highest tier that every worker knows."""
        columns: dict[str, object] = {
            "name": name,
            "provider": "openai-compatible",
            "model": name,
            "base_url": self.upstream.url,
            "api_key_env": "",
            "api_key_value": "",
            "max_in_flight": 0,
            "weight": 1.0,
            "state": "enabled",
            "updated_at": "2026-01-01",
            **fields,
        }
        self.sql(
            f"INSERT INTO routing_backend ({', '.join(columns)}, tier_id) VALUES "
            f"({', '.join('?' * len(columns))}, "
            "(SELECT id FROM routing_tier ORDER BY rank DESC LIMIT 1))",
            *columns.values(),
        )
        wait_for(lambda: all(name in shown for shown in self.statuses()))

    def wait_for_status(
        self, status: int, path: str, key: str = "", model: str = ""
    ) -> None:
        """Until every worker answers so."""
        wait_for(
            lambda: all(
                answer.status_code == status
                for answer in self.everywhere(path, key, model)
            )
        )

    def statuses(self) -> list[dict[str, str]]:
        """What each worker says of the backends."""
        return [
            {row["name"]: row["status"] for row in answer.json()}
            for answer in self.everywhere("/v1/backends")
        ]

    def troubles(self) -> list[int]:
        return [page.json()["trouble"] for page in self.everywhere("/ready")]

    def encrypt(self, text: str) -> str:
        """As the instance itself would keep a provider's key."""
        secret = (self.instance.data_dir / "encryption.key").read_text().strip()
        key = base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest())
        return Fernet(key).encrypt(text.encode()).decode()


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def load(
    running: Running, clients: int = 4, **fields: object
) -> Iterator[Counter[int]]:
    """Requests without pause until the block ends; how often each status came."""
    stop, statuses = threading.Event(), Counter[int]()

    def send(number: int) -> None:
        count = 0
        while not stop.is_set():
            count += 1
            text = f"{number} {count} {time.monotonic()}"
            stream = count % 3 == 0
            statuses[running.ask(text, stream=stream, **fields).status_code] += 1

    threads = [threading.Thread(target=send, args=(n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@contextmanager
def locked(instance: Instance) -> Iterator[None]:
    """Somebody else is writing, and does not end."""
    other = sqlite3.connect(instance.data_dir / "db.sqlite3", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()
