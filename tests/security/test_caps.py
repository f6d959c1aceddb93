"""S29, I8: every cap at its bound and one beyond, and what a client is told there."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from gateway.api.chat_request import MAX_TAG_CHARS, MAX_TAGS
from gateway.dialects.openai_request import MAX_MESSAGES, MAX_STOPS, MAX_TOOLS
from gateway.dialects.strict_json import MAX_DEPTH
from gateway.ledger.books import Caller
from tests.faultllm import FaultLLM
from tests.harness import Gateway, Reply, ask, one_backend, serving

PATH = "/v1/chat/completions"
USER = {"role": "user", "content": "Hi"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.fixture
async def gateway(upstream: FaultLLM, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with serving(one_backend(upstream.url), tmp_path) as running:
        yield running


def nested(levels: int) -> object:
    """A value that is `levels` containers deep."""
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


def assistant(calls: int) -> list[dict]:
    return [USER, {"role": "assistant", "tool_calls": [CALL] * calls}, USER]


# What is sent at the bound, and one beyond it.
CAPS = {
    "messages": [{"messages": [USER] * n} for n in (MAX_MESSAGES, MAX_MESSAGES + 1)],
    "tools": [{"tools": [TOOL] * n} for n in (MAX_TOOLS, MAX_TOOLS + 1)],
    "functions": [
        {"functions": [TOOL["function"]] * n} for n in (MAX_TOOLS, MAX_TOOLS + 1)
    ],
    "tool_calls": [{"messages": assistant(n)} for n in (MAX_TOOLS, MAX_TOOLS + 1)],
    "n": [{"n": n} for n in (128, 129)],
    "stop": [{"stop": ["x"] * n} for n in (MAX_STOPS, MAX_STOPS + 1)],
    "max_tokens": [{"max_tokens": n} for n in (2**31 - 1, 2**31)],
    "model": [{"model": "m" * n} for n in (200, 201)],
    # The object of the body is the first level.
    "depth": [{"metadata": nested(n)} for n in (MAX_DEPTH - 1, MAX_DEPTH)],
}


@pytest.mark.parametrize("cap", CAPS)
async def test_s29_what_fits_is_answered_and_one_more_is_400(
    gateway: Gateway, upstream: FaultLLM, cap: str
):
    at_bound, beyond = CAPS[cap]
    fits = await ask(gateway, **at_bound)
    refused = await ask(gateway, **beyond)

    # A name of 200 characters is a name, though nobody has it.
    assert fits.status == (404 if cap == "model" else 200)
    assert refused.status == 400
    assert refused.error["message"]
    assert len(upstream.attempts) == (0 if cap == "model" else 1)


TAGS = [
    (",".join("t" * MAX_TAGS), 200),
    (",".join("t" * (MAX_TAGS + 1)), 400),
    ("t" * MAX_TAG_CHARS, 200),
    ("t" * (MAX_TAG_CHARS + 1), 400),
]


@pytest.mark.parametrize(("tags", "status"), TAGS)
async def test_s29_tags_are_few_and_short(gateway: Gateway, tags: str, status: int):
    reply = await ask(gateway, headers={"x-llm-router-tags": tags})

    assert reply.status == status


@pytest.mark.parametrize(
    ("ceiling", "status"),
    [("1", 200), ("9999", 200), ("0", 400), ("10000", 400), ("9" * 5000, 400)]
    + [("-1", 400), ("1.5", 400), ("\u0661".encode(), 400), ("1e3", 400)],
)
async def test_s29_a_ceiling_is_the_number_of_a_tier(
    gateway: Gateway, ceiling: str, status: int
):
    reply = await ask(gateway, headers={"x-llm-router-max-tier": ceiling})

    assert reply.status == status


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data; boundary=x",
        "multipart/form-data; boundary=" + "x" * 10_000,
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "text/plain",
        "text/plain; application/json",
        "application/json-patch+json",
        "application/xml",
        "",
    ],
)
async def test_s29_only_json_is_read_and_multipart_is_not_even_parsed(
    gateway: Gateway, upstream: FaultLLM, kind: str
):
    body = b"--x\r\ncontent-disposition: form-data; name=a\r\n\r\n" + b"-" * 100_000
    async with httpx.AsyncClient() as client:
        answer = await client.post(
            gateway.url + PATH, content=body, headers={"content-type": kind}
        )

    assert answer.status_code == 415
    assert answer.json()["error"]["code"] == "unsupported_media_type"
    assert upstream.attempts == []


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=utf-8", "application/json;"]
)
async def test_s29_json_by_any_spelling_is_json(gateway: Gateway, kind: str):
    body = json.dumps({"messages": [USER]}).encode()
    async with httpx.AsyncClient() as client:
        answer = await client.post(
            gateway.url + PATH, content=body, headers={"content-type": kind}
        )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "length", ["-1", "x", "1e3", "+5", "", " ", "0x10", "9" * 30, "1, 1"]
)
async def test_s29_a_length_that_is_none_is_refused(
    gateway: Gateway, upstream: FaultLLM, length: str
):
    host, port = gateway.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"POST {PATH} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
        f"content-type: application/json\r\ncontent-length: {length}\r\n\r\n".encode()
    )
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()

    assert answer.split()[1] in (b"400", b"413")
    assert upstream.attempts == []


@asynccontextmanager
async def held(gateway: Gateway, upstream: FaultLLM, *keys: str) -> AsyncIterator[None]:
    """Requests of these keys that are under way until the block ends."""
    tasks = [
        asyncio.create_task(ask_as(gateway, key, f"{number}"))
        for number, key in enumerate(keys)
    ]
    await upstream.until(lambda: upstream.holding == len(keys))
    try:
        yield
    finally:
        upstream.release()
        await asyncio.gather(*tasks)


@asynccontextmanager
async def full(
    upstream: FaultLLM, journal: Path, *keys: str, max_in_flight: int = 1000
) -> AsyncIterator[Gateway]:
    """A gateway on which requests of these keys are under way."""
    catalog = one_backend(upstream.url, "fault/hold")
    async with (
        serving(catalog, journal, keys=KEYS, max_in_flight=max_in_flight) as gateway,
        held(gateway, upstream, *keys),
    ):
        yield gateway


async def ask_as(gateway: Gateway, key: str, text: str = "Hi") -> Reply:
    return await ask(gateway, text, headers={"authorization": f"Bearer {key}"})


KEYS = {
    "two": Caller(scope="key:1", key_name="two", key_id=1, max_in_flight=2),
    "free": Caller(scope="key:2", key_name="free", key_id=2),
    "team-a": Caller(scope="team:t", team="t", key_id=3, max_in_flight=1),
    "team-b": Caller(scope="team:t", team="t", key_id=4, max_in_flight=1),
}


def assert_told_to_wait(reply: Reply, status: int, code: str) -> None:
    assert (reply.status, reply.error["code"]) == (status, code)
    assert 1 <= int(reply.headers["retry-after"]) <= 30


async def test_s29_a_key_has_its_own_bound_of_requests_at_once(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = one_backend(upstream.url, "fault/hold")
    async with serving(catalog, tmp_path, keys=KEYS) as gateway:
        async with held(gateway, upstream, "two", "two"):
            third = await ask_as(gateway, "two", "third")
        gateway.serve_catalog(one_backend(upstream.url))
        after = await ask_as(gateway, "two", "after")

    assert_told_to_wait(third, 429, "rate_limit_exceeded")
    assert "2 requests" in third.error["message"]
    assert after.status == 200


async def test_s29_the_bound_of_one_key_is_not_its_teams(
    upstream: FaultLLM, tmp_path: Path
):
    async with full(upstream, tmp_path, "team-a", "team-b") as gateway:
        again = await ask_as(gateway, "team-a", "again")

    assert_told_to_wait(again, 429, "rate_limit_exceeded")


async def test_s29_the_process_has_its_bound_of_requests_at_once(
    upstream: FaultLLM, tmp_path: Path
):
    async with full(
        upstream, tmp_path, "two", "free", "team-a", max_in_flight=3
    ) as gateway:
        beyond = await ask_as(gateway, "free", "beyond")

    assert_told_to_wait(beyond, 503, "overloaded")


async def test_s29_where_it_is_crowded_one_scope_keeps_to_its_share(
    upstream: FaultLLM, tmp_path: Path
):
    async with full(
        upstream, tmp_path, "free", "free", "two", max_in_flight=4
    ) as gateway:
        greedy = await ask_as(gateway, "free", "more")
        gateway.serve_catalog(one_backend(upstream.url))
        modest = await ask_as(gateway, "two", "also")

    assert_told_to_wait(greedy, 429, "rate_limit_exceeded")
    assert modest.status == 200


async def test_s29_bodies_under_way_together_have_a_bound(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = one_backend(upstream.url)
    async with serving(catalog, tmp_path) as gateway:
        admission = gateway.runtime.admission
        with admission.admit(Caller("other"), admission.max_held_bytes - 1000):
            small = await ask(gateway, "Hi")
            large = await ask(gateway, "x" * 1000)
        freed = await ask(gateway, "x" * 1000)

    assert small.status == freed.status == 200
    assert_told_to_wait(large, 503, "overloaded")


async def test_s29_looking_up_requests_counts_as_a_request(
    upstream: FaultLLM, tmp_path: Path
):
    """It may wait a second for its row: a flood of it must not pile up unseen."""
    async with (
        full(upstream, tmp_path, "two", "two") as gateway,
        httpx.AsyncClient() as client,
    ):
        answer = await client.get(
            f"{gateway.url}/v1/requests/req_1",
            headers={"authorization": "Bearer two"},
        )

    assert answer.status_code == 429


BOUNDS = {
    "llm_router_in_flight",
    "llm_router_held_bytes",
    "llm_router_calls_in_flight",
    "llm_router_cache_entries",
    "llm_router_cache_bytes",
    "llm_router_journal_bytes",
    "llm_router_rejected_total",
}


async def test_i8_what_is_bounded_is_seen_in_the_metrics(
    upstream: FaultLLM, tmp_path: Path
):
    async with (
        full(upstream, tmp_path, "two", "two") as gateway,
        httpx.AsyncClient() as client,
    ):
        await ask_as(gateway, "two", "third")
        bearer = {"authorization": "Bearer free"}
        page = (await client.get(f"{gateway.url}/metrics", headers=bearer)).text

    values = {line.split("{")[0]: line.rsplit(" ", 1)[1] for line in page.splitlines()}
    assert values.keys() >= BOUNDS
    assert float(values["llm_router_in_flight"]) == 2
    assert float(values["llm_router_calls_in_flight"]) == 2
    assert 'llm_router_rejected_total{reason="rate_limit_exceeded"} 1.0' in page


@pytest.mark.parametrize(
    "path", ["/v1/models/" + "m" * 301, "/v1/requests/" + "r" * 81]
)
async def test_i8_an_address_too_long_is_none(gateway: Gateway, path: str):
    async with httpx.AsyncClient() as client:
        answer = await client.get(gateway.url + path)

    assert answer.status_code == 404
    assert len(answer.text) < 1000


async def head_of(gateway: Gateway, size: int) -> bytes:
    """The beginning of the answer to a request whose headers are so large."""
    host, port = gateway.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\n")
        for _ in range(size // 10_000):
            writer.write(b"x-filler: " + b"x" * 9_988 + b"\r\n")
        writer.write(b"connection: close\r\n\r\n")
        async with asyncio.timeout(10):
            return await reader.read(100)
    except ConnectionError:
        return b"closed"
    finally:
        writer.close()


async def test_i8_headers_without_end_are_not_kept(gateway: Gateway):
    normal = await head_of(gateway, 30_000)
    endless = await head_of(gateway, 4_000_000)

    assert normal.startswith(b"HTTP/1.1 200")
    assert endless == b"closed" or endless.startswith(b"HTTP/1.1 4")
