"""What an operator does, and what breaks around us, while requests are under way.

R8, R10, R12-R14, R16, R19, R20 of the catalogue.
"""

import asyncio
import base64
import hashlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from cryptography.fernet import Fernet

from gateway.ledger.books import Caller
from gateway.models import digest_of
from gateway.sidecar import FAILURES_TO_PAUSE
from tests.faultllm import FaultLLM, ThreadedFaultLLM, closed_port, digest
from tests.harness import Gateway, Reply, ask, one_backend, serving, three_tiers
from tests.instance import ROOT, Instance, is_ready

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
            "INSERT INTO gateway_apikey (name, team, prefix, digest, created_at, "
            "may_pin, max_in_flight) VALUES (?, '', '', ?, '2026-01-01', 1, 0)",
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


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with ThreadedFaultLLM() as upstream:
        instance = Instance(tmp_path_factory.mktemp("operations"), upstream.url)
        instance.manage("migrate")
        key = instance.manage("create_key", "first").stdout.strip()
        with instance.serving(
            "--workers", "2", "--config", str(instance.config)
        ) as url:
            made = Running(instance, upstream, url, key, workers=2)
            made.everywhere("/ready")  # also the slower one has started
            yield made
            for client in made.kept.values():
                client.close()


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


# --- R8: the database takes nothing for a while ---------------------------------------


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


def resident_bytes(pids: set[str]) -> int:
    pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids]
    return sum(pages) * 4096


def rows(running: Running) -> int:
    return running.sql("SELECT count(*) FROM gateway_requestlog")[0][0]


def outlast_a_lock(running: Running, seconds: float) -> None:
    running.everywhere("/ready")
    workers = set(running.kept)
    running.ask("The last one before")
    time.sleep(0.5)
    before, memory = rows(running), resident_bytes(workers)
    with load(running) as statuses:
        with locked(running.instance):
            time.sleep(seconds)
            while_locked = rows(running)
            grown = resident_bytes(workers) - memory
        served = statuses.copy()
    total = sum(statuses.values())
    wait_for(lambda: rows(running) >= before + total)

    assert set(statuses) == {200}
    assert served[200] > 10 * seconds
    assert while_locked <= before + 1  # the one that came before
    assert rows(running) == before + total
    assert grown < 40 << 20
    assert not (running.instance.data_dir / "journal" / "rejected.jsonl").exists()


def test_r8_while_the_database_is_locked_the_journal_holds_everything(
    running: Running,
):
    outlast_a_lock(running, seconds=2)


@pytest.mark.slow
def test_r8_a_minute_without_the_database_costs_neither_rows_nor_memory(
    running: Running,
):
    """Longer than SQLite's own patience: the writer fails, and tries again."""
    outlast_a_lock(running, seconds=60)


# --- R12: what is in use is deleted ---------------------------------------------------


def pinned_and_held(running: Running, name: str, key: str = "") -> threading.Thread:
    """A stream from this backend that has begun and waits in its middle."""
    answers: list[httpx.Response] = []

    def send() -> None:
        running.upstream.script = ["words-10+hold-after-3"]
        answers.append(running.ask(f"To {name}", key, model=name, stream=True))

    thread = threading.Thread(target=send)
    thread.answers = answers
    thread.start()
    running.upstream.wait_until(lambda: running.upstream.holding == 1)
    return thread


def finished(running: Running, thread: threading.Thread) -> httpx.Response:
    running.upstream.release()
    thread.join()
    return thread.answers[0]


def test_r12_a_backend_deleted_in_use_finishes_and_keeps_its_history(running: Running):
    running.add_backend("doomed")
    held = pinned_and_held(running, "doomed")
    with load(running) as statuses:
        running.sql("DELETE FROM routing_backend WHERE name = 'doomed'")
        running.wait_for_status(404, CHAT, model="doomed")
        answer = finished(running, held)
    request_id = answer.headers["x-request-id"]
    told = running.get(f"/v1/requests/{request_id}").json()

    assert answer.text.endswith("data: [DONE]\n\n")
    assert set(statuses) == {200}
    assert (told["backend"], told["status"]) == ("doomed", 200)
    assert [attempt["backend"] for attempt in told["attempts"]] == ["doomed"]
    assert told["attempts"][0]["state"] == "billed"


def test_r12_a_tier_deleted_in_use_leaves_its_requests_to_the_next(running: Running):
    """The lowest of four; what it answered goes up from then on."""
    running.add_backend("small-2", model="small-2")
    running.sql(
        "INSERT INTO routing_tier (rank, name, max_score) VALUES (9, 'ninth', NULL)"
    )
    running.sql(
        "UPDATE routing_tier SET max_score = 90 WHERE rank = "
        "(SELECT max(rank) FROM routing_tier WHERE rank < 9)"
    )
    ninth = "(SELECT id FROM routing_tier WHERE rank = 9)"
    running.sql(f"UPDATE routing_backend SET tier_id = {ninth} WHERE name = 'small-2'")
    running.wait_for_status(200, CHAT, model="tier-9")
    held = pinned_and_held(running, "small-2")
    with load(running) as statuses:
        database = sqlite3.connect(running.instance.data_dir / "db.sqlite3", timeout=20)
        with database:  # as the admin does it: all or nothing
            database.execute(f"DELETE FROM routing_backend WHERE tier_id = {ninth}")
            database.execute("DELETE FROM routing_tier WHERE rank = 9")
            database.execute(
                "UPDATE routing_tier SET max_score = NULL WHERE rank = "
                "(SELECT max(rank) FROM routing_tier)"
            )
        database.close()
        running.wait_for_status(404, CHAT, model="tier-9")
        answer = finished(running, held)

    assert answer.text.endswith("data: [DONE]\n\n")
    assert set(statuses) == {200}
    request_id = answer.headers["x-request-id"]
    assert running.get(f"/v1/requests/{request_id}").json()["tier"] == 9


def test_r12_a_key_deleted_in_use_finishes_its_request_and_keeps_its_name(
    running: Running,
):
    key = running.add_key("leaver")
    held = pinned_and_held(running, "small", key)
    running.sql("DELETE FROM gateway_apikey WHERE name = 'leaver'")
    running.wait_for_status(401, "/v1/models", key)
    answer = finished(running, held)
    request_id = answer.headers["x-request-id"]

    assert answer.text.endswith("data: [DONE]\n\n")
    query = "SELECT key_name, status FROM gateway_requestlog WHERE request_id = ?"
    wait_for(lambda: running.sql(query, request_id))
    assert running.sql(query, request_id) == [("leaver", 200)]


# --- R13: a provider's key is missing, or another one ---------------------------------


def test_r13_a_missing_variable_disables_its_backend_and_nobody_else(running: Running):
    running.add_backend("keyless", api_key_env="NOWHERE_SET_IN_THESE_TESTS")
    shown = running.statuses()
    pinned = running.ask("Hi", model="keyless")
    ready = running.get("/ready")
    with load(running) as statuses:
        time.sleep(0.5)
    running.sql("DELETE FROM routing_backend WHERE name = 'keyless'")

    assert [each["keyless"] for each in shown] == ["misconfigured"] * 2
    assert "misconfigured" not in [each["small"] for each in shown]
    assert pinned.status_code == 503
    assert "NOWHERE_SET_IN_THESE_TESTS" not in pinned.text
    assert ready.status_code == 200
    assert set(statuses) == {200}


def test_r13_a_rotated_key_is_used_at_once_and_no_request_fails(running: Running):
    old, new = running.encrypt("sk-the-old-key"), running.encrypt("sk-the-new-key")
    running.add_backend("rotating", api_key_value=old)
    with load(running, model="rotating") as statuses:
        wait_for(lambda: statuses[200] > 10)
        running.sql(
            "UPDATE routing_backend SET api_key_value = ? WHERE name = 'rotating'", new
        )
        rotated_at = time.time()
        time.sleep(EFFECT_SECONDS + 0.5)
    running.sql("DELETE FROM routing_backend WHERE name = 'rotating'")

    assert set(statuses) == {200}
    used = [(a.received_at, a.key) for a in running.upstream.requests_for("rotating")]
    late = {key for at, key in used if at > rotated_at + EFFECT_SECONDS}
    assert used[0][1] == digest("sk-the-old-key")
    assert late == {digest("sk-the-new-key")}


# --- R14: a client's key ends ---------------------------------------------------------


ENDINGS = {
    "revoked": "UPDATE gateway_apikey SET revoked_at = datetime('now')",
    "expired": "UPDATE gateway_apikey SET expires_at = datetime('now')",
    "deleted": "DELETE FROM gateway_apikey",
    "replaced": "UPDATE gateway_apikey SET digest = 'another'",
}


def test_r14_a_key_that_ends_stops_in_every_worker(running: Running):
    for name in ENDINGS:
        running.add_key(name)
    for name, end in ENDINGS.items():
        running.sql(f"{end} WHERE name = ?", name)
    ended_at = time.monotonic()
    for name in ENDINGS:
        running.wait_for_status(401, "/v1/models", name)
    took = time.monotonic() - ended_at
    later = [running.everywhere("/v1/models", name) for name in ENDINGS]

    assert took < EFFECT_SECONDS
    assert {answer.status_code for each in later for answer in each} == {401}


def test_r14_a_lowered_ceiling_acts_in_every_worker(running: Running):
    key = running.add_key("lowered")
    before = running.ask("Hi", key, model="tier-3")
    running.sql("UPDATE gateway_apikey SET max_tier = 1 WHERE name = 'lowered'")
    lowered_at = time.monotonic()
    running.wait_for_status(403, CHAT, key, model="tier-3")
    took = time.monotonic() - lowered_at
    running.sql("DELETE FROM gateway_apikey WHERE name = 'lowered'")

    assert before.status_code == 200
    assert took < EFFECT_SECONDS


# --- R10: an invalid state ------------------------------------------------------------

INVALID = [
    ("routing_tier", "max_score", "NULL", "rank = 1"),
    ("routing_backend", "base_url", "'ftp://x'", "name = 'small'"),
    ("routing_routingpolicy", "cache_ttl_seconds", "'soon'", "id = 1"),
]


def test_r10_an_invalid_row_is_refused_and_the_last_good_state_serves(
    running: Running,
):
    with load(running) as statuses:
        for table, column, value, where in INVALID:
            ((good,),) = running.sql(f"SELECT {column} FROM {table} WHERE {where}")
            running.sql(f"UPDATE {table} SET {column} = {value} WHERE {where}")
            wait_for(lambda: running.troubles() == [1, 1])
            assert running.get("/ready").status_code == 200
            running.sql(f"UPDATE {table} SET {column} = ? WHERE {where}", good)
            wait_for(lambda: running.troubles() == [0, 0])

    assert set(statuses) == {200}
    assert running.instance.log.count("configuration_refused") >= len(INVALID)


# --- R16: the sidecar -----------------------------------------------------------------


@dataclass
class FakeSidecar:
    """A classifier that says what the test says. `asked` has what it was sent."""

    url: str
    answer: bytes = b'{"strong_win_rate": 0.5}'
    status: int = 200
    headers: str = ""
    pause: float = 0.0  # before each byte, and before the first one
    asked: list[dict] | None = None


@asynccontextmanager
async def fake_sidecar() -> AsyncIterator[FakeSidecar]:
    fake = FakeSidecar("", asked=[])
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(re.search(rb"content-length: (\d+)", head, re.IGNORECASE)[1])
        fake.asked.append(json.loads(await reader.readexactly(size)))
        response = f"HTTP/1.1 {fake.status} X\r\ncontent-length: {len(fake.answer)}\r\n"
        response += f"{fake.headers}connection: close\r\n\r\n"
        try:
            await send(writer, response.encode() + fake.answer)
        finally:
            writer.close()

    async def send(writer: asyncio.StreamWriter, data: bytes) -> None:
        step = 1 if fake.pause else len(data)
        for start in range(0, len(data), step):
            await asyncio.sleep(fake.pause)
            writer.write(data[start : start + step])
            await writer.drain()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    fake.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/classify"
    yield fake
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def decided(gateway: Gateway, text: str = "Hi") -> tuple[Reply, list[str]]:
    """The answer, and what the sidecar's step and the tier's step said."""
    reply = await ask(gateway, text)
    decisions = gateway.records("request")[-1]["decisions"]
    return reply, [d["text"] for d in decisions if d["step"] in ("sidecar", "tier")]


ALONE = "The sidecar did not answer; the heuristic decides alone."
NONSENSE = [
    b"",
    b"null",
    b"[]",
    b"{}",
    b"0.5",
    b"<html>",
    b"\xff\xfe\x00",
    b'{"strong_win_rate": null}',
    b'{"strong_win_rate": "0.5"}',
    b'{"strong_win_rate": true}',
    b'{"strong_win_rate": [0.5]}',
    b'{"strong_win_rate": NaN}',
    b'{"strong_win_rate": Infinity}',
    b'{"strong_win_rate": -0.01}',
    b'{"strong_win_rate": 1.01}',
    b'{"strong_win_rate": 1e999}',
    b'{"strong_win_rate": ' + b"9" * 5000 + b"}",
    b"[" * 100_000,
    b'{"strong_win_rate"' + b": 0.5}" * 2,
    b'{"win_rate": 0.5}',
]


@pytest.mark.parametrize("answer", NONSENSE)
async def test_r16_a_sidecar_that_talks_nonsense_is_not_listened_to(
    upstream: FaultLLM, tmp_path: Path, answer: bytes
):
    async with fake_sidecar() as sidecar:
        sidecar.answer = answer
        catalog = three_tiers(upstream.url, sidecar_url=sidecar.url)
        async with serving(catalog, tmp_path) as gateway:
            reply, said = await decided(gateway)

    assert (reply.status, reply.headers["x-llm-router-tier"]) == (200, "1")
    assert said == [ALONE, "Score 5 is at most 30: tier 1."]
    assert len(sidecar.asked) == 1


@pytest.mark.parametrize("status", [204, 302, 400, 404, 500, 503])
async def test_r16_a_sidecar_that_fails_is_done_without(
    upstream: FaultLLM, tmp_path: Path, status: int
):
    async with fake_sidecar() as sidecar:
        sidecar.status = status
        sidecar.headers = f"location: {upstream.url}\r\n"
        sidecar.answer = b"" if status == 204 else sidecar.answer
        catalog = three_tiers(upstream.url, sidecar_url=sidecar.url)
        async with serving(catalog, tmp_path) as gateway:
            reply, said = await decided(gateway)

    assert (reply.status, said[0]) == (200, ALONE)
    assert upstream.strays == 0


@pytest.mark.parametrize("pause", [60.0, 0.02])
async def test_r16_a_slow_sidecar_costs_no_more_than_its_budget(
    upstream: FaultLLM, tmp_path: Path, pause: float
):
    """Silent, or a byte at a time, which would take two seconds."""
    async with fake_sidecar() as sidecar:
        sidecar.pause = pause
        catalog = three_tiers(upstream.url, sidecar_url=sidecar.url)
        async with serving(catalog, tmp_path) as gateway:
            reply, said = await decided(gateway)
            (record,) = gateway.records("request")

    assert (reply.status, said[0]) == (200, ALONE)
    assert record["overhead_ms"] < 1000


async def test_r16_a_sidecar_that_is_down_is_left_alone_for_a_while(
    upstream: FaultLLM, tmp_path: Path
):
    async with fake_sidecar() as sidecar:
        sidecar.status = 500
        catalog = three_tiers(upstream.url, sidecar_url=sidecar.url)
        async with serving(catalog, tmp_path) as gateway:
            for number in range(FAILURES_TO_PAUSE + 5):
                reply, said = await decided(gateway, f"Question {number}")

    assert (reply.status, said[0]) == (200, ALONE)
    assert len(sidecar.asked) == FAILURES_TO_PAUSE


async def test_r16_nobody_at_the_sidecars_address(upstream: FaultLLM, tmp_path: Path):
    with closed_port() as port:
        url = f"http://127.0.0.1:{port}/classify"
        catalog = three_tiers(upstream.url, sidecar_url=url)
        async with serving(catalog, tmp_path) as gateway:
            reply, said = await decided(gateway)

    assert (reply.status, said[0]) == (200, ALONE)


@pytest.mark.parametrize(
    ("win_rate", "tier"),
    # 0.7 x win rate + 0.3 x 0.05 against 0.6 x 0.5 and 0.5.
    [(0, 1), (0.4, 1), (0.41, 2), (0.69, 2), (0.7, 3), (1, 3)],
)
async def test_r16_a_sidecar_that_works_decides_with_the_heuristic(
    upstream: FaultLLM, tmp_path: Path, win_rate: float, tier: int
):
    async with fake_sidecar() as sidecar:
        sidecar.answer = json.dumps({"strong_win_rate": win_rate}).encode()
        catalog = three_tiers(upstream.url, sidecar_url=sidecar.url)
        async with serving(catalog, tmp_path) as gateway:
            reply, said = await decided(gateway, "What is 2+2?")

    assert reply.headers["x-llm-router-tier"] == str(tier)
    assert said[0].startswith("The sidecar gives the strong model a win rate of")
    assert "against the threshold 0.5" in said[1]
    assert sidecar.asked == [{"prompt": "What is 2+2?"}]


# --- R19: nothing stops the event loop ------------------------------------------------

KEYS = 10_000
WORK_SECONDS = 0.2  # of the processor, in one step
WAIT_SECONDS = 2.0


# As `manage.py serve` does, on a loop that measures each step: by the work of its own
# thread, which is the same however busy the machine is, and very long waits as well.
SERVE_WATCHED = f"""
import asyncio, socket, sys, time
import django
django.setup()
from gateway.serving import DrainingServer, uvicorn_config

run = asyncio.Handle._run
def measured(self):
    work, clock = time.thread_time(), time.monotonic()
    run(self)
    work, clock = time.thread_time() - work, time.monotonic() - clock
    if work > {WORK_SECONDS} or clock > {WAIT_SECONDS}:
        sys.stderr.write(f"Held up by {{work:.2f}} s of {{clock:.2f}} s: {{self!r}}\\n")
asyncio.Handle._run = measured

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
asyncio.run(DrainingServer(uvicorn_config(1)).serve(sockets=[listener]))
"""


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with ThreadedFaultLLM() as upstream:
        instance = Instance(tmp_path_factory.mktemp("watched"), upstream.url)
        instance.manage("migrate")
        instance.manage("load_config", str(instance.config))
        # However long a prompt is here, it goes to the provider.
        instance.query("UPDATE routing_backend SET context_window = NULL")
        key = instance.manage("create_key", "first").stdout.strip()
        process = serve_watched(instance)
        url = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        wait_for(lambda: is_ready(url))
        (instance.folder / "log").write_text("")  # starting may take its time
        yield Running(instance, upstream, url, key)
        process.terminate()
        process.wait(30)
        process.stdout.close()


def serve_watched(instance: Instance) -> subprocess.Popen[str]:
    """The server's process; its first line is its port, its log goes to `log`."""
    with (instance.folder / "log").open("a") as log:
        return subprocess.Popen(
            [sys.executable, "-c", SERVE_WATCHED],
            cwd=ROOT,
            env={**instance.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )


def long_steps(instance: Instance) -> list[str]:
    """What held up the loop since it serves."""
    return [line for line in instance.log.splitlines() if "Held up by" in line]


def test_r19_ten_thousand_keys_are_read_beside_the_requests(watched: Running):
    database = sqlite3.connect(watched.instance.data_dir / "db.sqlite3", timeout=20)
    with database:
        database.executemany(
            "INSERT INTO gateway_apikey (name, team, prefix, digest, created_at, "
            "may_pin, max_in_flight) VALUES (?, '', '', ?, '2026-01-01', 1, 0)",
            [(f"many-{n}", digest_of(f"many-{n}")) for n in range(KEYS)],
        )
    database.close()
    with load(watched) as statuses:
        wait_for(lambda: watched.get("/stats", f"many-{KEYS - 1}").status_code == 200)
        watched.sql("DELETE FROM gateway_apikey WHERE name LIKE 'many-%'")
        wait_for(lambda: watched.get("/stats", "many-1").status_code == 401)

    assert set(statuses) == {200}
    assert long_steps(watched.instance) == []


def test_r19_looking_up_and_voting_do_not_hold_up_others(watched: Running):
    with load(watched) as statuses:
        for number in range(5):
            answer = watched.ask(f"Explain {number}")
            request_id = answer.headers["x-request-id"]
            assert watched.get(f"/v1/requests/{request_id}").status_code == 200
            vote = watched.send(
                "POST", "/v1/feedback", body={"request_id": request_id, "quality": 1}
            )
            assert vote.status_code == 200

    assert set(statuses) == {200}
    assert long_steps(watched.instance) == []


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param([("user", "step: words " * 2_000_000)], id="one text of 24 MB"),
        pytest.param([("user", "a: b")] * 2000, id="many short ones"),
    ],
)
def test_r19_a_big_body_does_not_hold_up_others(watched: Running, messages: list):
    sent = [{"role": role, "content": text} for role, text in messages]
    for number in range(2):
        answer = watched.ask("", messages=sent, user=f"{number} {time.monotonic()}")
        assert answer.status_code == 200

    assert long_steps(watched.instance) == []


# --- R20: more clients than there is room for -----------------------------------------

CALLERS = {
    f"key-{n}": Caller(scope=f"key:{n}", key_name=f"key-{n}", key_id=n)
    for n in range(8)
}


@asynccontextmanager
async def crowd(gateway: Gateway, **headers: str) -> AsyncIterator[list[asyncio.Task]]:
    """Six times as many requests as there are places, of eight keys."""
    tasks = [
        asyncio.create_task(
            ask(
                gateway,
                f"Question {number}",
                headers={"authorization": f"Bearer key-{number % 8}", **headers},
            )
        )
        for number in range(60)
    ]
    yield tasks
    await asyncio.gather(*tasks)


@pytest.mark.parametrize("headers", [{}, {"anthropic-version": "2023-06-01"}])
async def test_r20_who_finds_no_room_is_told_when_to_come_back(
    upstream: FaultLLM, tmp_path: Path, headers: dict[str, str]
):
    catalog = one_backend(upstream.url, "fault/hold")
    async with serving(catalog, tmp_path, keys=CALLERS, max_in_flight=10) as gateway:
        async with crowd(gateway, **headers) as tasks, httpx.AsyncClient() as client:
            await upstream.until(lambda: upstream.holding == 10, timeout=30)
            while sum(task.done() for task in tasks) < 50:
                await asyncio.sleep(0.005)
            health = await client.get(f"{gateway.url}/health")
            ready = await client.get(f"{gateway.url}/ready")
            upstream.release()
        replies = [task.result() for task in tasks]
        gateway.serve_catalog(one_backend(upstream.url))
        after = await ask(gateway, headers={"authorization": "Bearer key-1"})

    refused = [reply for reply in replies if reply.status != 200]
    assert Counter(reply.status == 200 for reply in replies) == {True: 10, False: 50}
    assert {reply.status for reply in refused} <= {429, 503}
    waits = {int(reply.headers["retry-after"]) for reply in refused}
    assert waits <= set(range(1, 31))
    assert len(waits) > 1  # jittered: they don't all come back together
    assert all(reply.headers["x-request-id"] for reply in refused)
    assert_in_the_clients_dialect(refused, anthropic=bool(headers))
    assert (health.status_code, ready.status_code) == (200, 200)
    assert after.status == 200
    assert upstream.max_concurrent == 10


def assert_in_the_clients_dialect(refused: list[Reply], *, anthropic: bool) -> None:
    kinds = {"rate_limit_error", "overloaded_error"}
    for reply in refused:
        assert (reply.json.get("type") == "error") == anthropic
        assert reply.json["error"]["type"] in kinds


async def test_r20_an_overload_loses_no_row_and_gives_every_place_back(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = one_backend(upstream.url, "fault/delay-20ms")
    async with serving(catalog, tmp_path, keys=CALLERS, max_in_flight=10) as gateway:
        for _ in range(3):
            async with crowd(gateway) as tasks:
                pass
            assert {task.result().status for task in tasks} <= {200, 429, 503}
        admission = gateway.runtime.admission
        places = (
            admission.in_flight,
            admission.held_bytes,
            len(gateway.runtime.inflight),
        )
        rows = gateway.records("attempt")

    assert places == (0, 0, 0)
    assert not admission.by_scope and not admission.by_key
    assert len(rows) == len(upstream.attempts)
    assert {row["state"] for row in rows} == {"billed"}


# --- R7: told to stop while still starting --------------------------------------------


def test_r7_who_is_stopped_while_starting_stops(tmp_path: Path):
    """It has a dead process's journal to bring in, and the database is locked."""
    instance = Instance(tmp_path, "http://127.0.0.1:1")
    instance.manage("migrate")
    journal = instance.data_dir / "journal"
    journal.mkdir(exist_ok=True)
    (journal / "1-dead.000000.journal").write_text("of no use\n")
    with locked(instance):
        process = serve_watched(instance)
        wait_for(lambda: "Waiting for application startup" in instance.log)
        process.terminate()
        time.sleep(0.2)
    try:
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.stdout.close()


# --- R5, R10: a worker dies while the newest configuration is invalid -----------------


@pytest.mark.slow
def test_r10_a_worker_that_cannot_start_does_not_take_the_others_with_it(
    tmp_path: Path,
):
    with ThreadedFaultLLM() as upstream:
        instance = Instance(tmp_path, upstream.url)
        instance.manage("migrate")
        key = instance.manage("create_key", "first").stdout.strip()
        with instance.serving("--workers", "2") as url:
            running = Running(instance, upstream, url, key, workers=2)
            running.everywhere("/ready")
            first, second = running.kept
            running.sql("UPDATE routing_tier SET max_score = NULL WHERE rank = 1")
            wait_for(lambda: running.troubles() == [1, 1])
            os.kill(int(first), signal.SIGKILL)
            wait_for(lambda: instance.log.count("start_failed") >= 2)
            statuses = {running.kept[second].get("/health").status_code}
            statuses |= {running.ask(f"Still? {n}").status_code for n in range(20)}
            running.sql("UPDATE routing_tier SET max_score = 30 WHERE rank = 1")
            running.kept.pop(first).close()
            wait_for(lambda: running.troubles() == [0, 0])
            for client in running.kept.values():
                client.close()

    assert statuses == {200}
    assert len(running.kept) == 2
