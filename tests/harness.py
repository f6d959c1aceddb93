"""A gateway in the test's own event loop, behind a real socket, without a database."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from time import monotonic, time

import httpx
import orjson
import uvicorn

from gateway.aftercare import Aftercare
from gateway.asgi.application import Application
from gateway.cache import fingerprint
from gateway.key_rows import digest_of
from gateway.ledger.books import Books, Caller
from gateway.ledger.journal import Journal, decode
from gateway.limits.counters import Counters
from gateway.metrics import Metrics
from gateway.pairs import Pairs
from gateway.providers.http import HttpClient
from gateway.runtime.admission import Admission
from gateway.runtime.listeners import Listeners
from gateway.runtime.runtime import Runtime
from gateway.runtime.snapshot import Key, Snapshot
from gateway.serving import GuardedProtocol
from gateway.shared.shared import Shared
from gateway.shared.state import SharedState
from routing.catalog import Backend, Catalog, Policy, PriceList, Tier
from routing.chat import Json
from routing.secret import Secret

# Nano-USD per million tokens: 1, 3 and 15 dollars in, five times that out.
SHARED_SECRET = "secret of the tests"  # of workers that share state
PRICES = {
    1: PriceList(1_000_000_000, 5_000_000_000, 100_000_000, 1_250_000_000),
    2: PriceList(3_000_000_000, 15_000_000_000, 300_000_000, 3_750_000_000),
    3: PriceList(15_000_000_000, 75_000_000_000, 1_500_000_000, 18_750_000_000),
}
TIERS = (Tier(1, "small", 30), Tier(2, "medium", 70), Tier(3, "large"))


def backend(name: str, tier: int, url: str, **fields: object) -> Backend:
    made = Backend(
        name=name,
        tier=tier,
        provider="openai-compatible",
        model=name,
        base_url=url,
        api_key=Secret("upstream-key"),
        price=PRICES[tier],
    )
    return replace(made, **fields)


def three_tiers(url: str, **policy: object) -> Catalog:
    """One backend per tier, all at `url`."""
    names = {1: "small", 2: "medium", 3: "large"}
    backends = tuple(backend(name, tier, url) for tier, name in names.items())
    return Catalog(TIERS, backends, policy=Policy(**policy))


def one_backend(url: str, model: str = "small", **policy: object) -> Catalog:
    """A single tier whose only backend sends `model` upstream."""
    only = backend("small", 1, url, model=model)
    return Catalog((Tier(1, "small"),), (only,), policy=Policy(**policy))


def snapshot_of(catalog: Catalog, keys: Mapping[str, Caller] | None) -> Snapshot:
    holders = (keys or {}).items()
    by_digest = {digest_of(secret): Key(caller) for secret, caller in holders}
    return Snapshot(catalog, by_digest, fingerprint(catalog), bool(keys))


@dataclass
class Gateway:
    """The running gateway. `records` reads what its journal holds."""

    url: str
    runtime: Runtime
    journal_dir: Path

    def records(self, kind: str) -> list[Json]:
        lines = []
        for path in sorted(self.journal_dir.glob("*.journal")):
            lines += path.read_bytes().splitlines()
        return [r for line in lines if (r := decode(line)) and r["t"] == kind]

    def serve_catalog(self, catalog: Catalog) -> None:
        old = self.runtime.snapshot
        self.runtime.apply(
            replace(old, catalog=catalog, fingerprint=fingerprint(catalog))
        )

    def change_snapshot(self, **fields: object) -> None:
        self.runtime.apply(replace(self.runtime.snapshot, **fields))

    async def called(self, requests: int = 1) -> None:
        """Wait until so many requests are under way and a provider was called."""
        async with asyncio.timeout(60):
            while self.runtime.admission.in_flight < requests or not len(
                self.runtime.inflight
            ):
                await asyncio.sleep(0.005)

    async def settled(self) -> None:
        """Wait until no request, no provider call and nothing beside the traffic, such
        as an audit, is under way."""
        runtime = self.runtime
        async with asyncio.timeout(60):
            while (
                runtime.admission.in_flight
                or len(runtime.inflight)
                or len(runtime.background)
            ):
                await asyncio.sleep(0.005)


@dataclass
class Clock:
    """Moves only when told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


class OpenLifespan:
    """Speaks the lifespan protocol for a runtime that is open already."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    async def __call__(self, receive: object, send: object) -> None:
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})


class QuietServer(uvicorn.Server):
    """Leaves the test runner's signal handlers alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def no_admin(scope: object, receive: object, send: object) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def serving(
    catalog: Catalog,
    journal_dir: Path,
    *,
    keys: Mapping[str, Caller] | None = None,
    max_in_flight: int = 1000,
    max_body_bytes: int = 1 << 20,
    max_journal_bytes: int = 1 << 30,
    clock: Callable[[], float] = monotonic,
    wall: Callable[[], float] = time,
    seed: int = 1,
    state: SharedState | None = None,
    counters: Sequence[Counters] = (),
) -> AsyncIterator[Gateway]:
    """Serve `catalog`; without `keys` in open mode. `state` is shared with others."""
    random = Random(seed)
    metrics = Metrics()
    journal = Journal(journal_dir, max_journal_bytes)
    runtime = Runtime(
        snapshot_of(catalog, keys),
        Books(journal, metrics, clock, wall),
        HttpClient(allow_private=True),
        Admission(max_in_flight, max_body_bytes, 64 << 20, random),
        metrics,
        shared=state and Shared(state, SHARED_SECRET, random),
        counters=counters,
        clock=clock,
        random=random,
    )
    aftercare = Aftercare(runtime)
    runtime.listeners = Listeners(
        aftercare.reused, aftercare.bought, Pairs(runtime).answered
    )
    listener = socket.create_server(("127.0.0.1", 0))
    application = Application(no_admin, OpenLifespan(runtime))
    server = QuietServer(
        uvicorn.Config(
            application,
            http=GuardedProtocol,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[listener]))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        while not server.started:
            await asyncio.sleep(0.005)
        yield Gateway(url, runtime, journal_dir)
    finally:
        server.should_exit = True
        await task
        await runtime.close()
        journal.close()


@dataclass
class Reply:
    """What a client saw. `events` are the data of a stream's events, in order."""

    status: int
    headers: Mapping[str, str]
    text: str
    cut: bool = False  # the connection ended before the response did

    @property
    def json(self) -> Json:
        return orjson.loads(self.text)

    @property
    def events(self) -> list[str]:
        blocks = self.text.split("\n\n")
        return [block[6:] for block in blocks if block.startswith("data: ")]

    @property
    def error(self) -> Json:
        """The error object: of the body, or of the last event."""
        body = self.json if self.status != 200 else orjson.loads(self.events[-1])
        return body["error"]

    @property
    def content(self) -> str:
        """The text of the first choice, streamed or whole."""
        if not self.events:
            return self.json["choices"][0]["message"]["content"]
        chunks = [orjson.loads(event) for event in self.events if event != "[DONE]"]
        choices = [chunk["choices"][0] for chunk in chunks if chunk.get("choices")]
        return "".join(choice["delta"].get("content") or "" for choice in choices)


async def ask(
    gateway: Gateway,
    text: str = "Hi",
    *,
    headers: Mapping[str, str] | None = None,
    **body: object,
) -> Reply:
    """One chat completion over HTTP, read to its end."""
    content = {"messages": [{"role": "user", "content": text}], **body}
    # Without `verify=False` each client would read all certificates anew.
    async with httpx.AsyncClient(timeout=30, verify=False) as client:
        request = client.build_request(
            "POST", f"{gateway.url}/v1/chat/completions", json=content, headers=headers
        )
        response = await client.send(request, stream=True)
        pieces, cut = [], False
        try:
            async for piece in response.aiter_text():
                pieces.append(piece)
        except httpx.RemoteProtocolError:
            cut = True
        await response.aclose()
    return Reply(response.status_code, response.headers, "".join(pieces), cut)
