"""S25: an error says what to do, and nothing of the operator's world."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path

import pytest

from config.api_urls import urlpatterns
from tests.faultllm import FaultLLM, closed_port
from tests.harness import Reply, ask, one_backend, serving
from tests.security.conftest import TwoTenants

PRIVATE = {
    "key": "sk-proj-abcdef0123456789abcdef0123456789",
    "stripped": "sk-...9aZ3",
    "bearer": "Bearer dGhpcy1pcy1hLXNlY3JldC10b2tlbg==",
    "mail": "operator.name@company.example",
    "url": "https://internal.company.example:8443/v1/deployments?key=1",
    "address": "10.20.30.40:8000",
    "host": "gpu-07.prod.internal",
    "account": "org-4gH5jK6lM7nP8qR9",
}
SENTENCE = (
    "Bad request from {key} ({stripped}, {bearer}) of {account}, {mail}: see {url}"
)
SENTENCE += " on {address}, {host}"
TRACES = re.compile(
    r"Traceback|File \"|\.py\b|SELECT |INSERT |sqlite|psycopg|django|asyncio|aiohttp"
    r"|Exception|<!doctype|<html|0x[0-9a-f]{6}|, line \d+",
    re.IGNORECASE,
)


class Canned:
    """A provider whose answer is whatever the test puts there."""

    status, body, url = 400, b"", ""

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {self.status} No\r\ncontent-type: application/json\r\n"
        head += f"content-length: {len(self.body)}\r\nconnection: close\r\n\r\n"
        writer.write(head.encode() + self.body)
        await writer.drain()
        writer.close()


@pytest.fixture
async def canned() -> AsyncIterator[Canned]:
    provider = Canned()
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
    provider.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield provider
    server.close()


STATUSES = (400, 401, 404, 418, 422, 429, 500, 503, 302, 206)
BODIES = {
    "openai": {"error": {"message": SENTENCE, "type": "x", "param": SENTENCE}},
    "anthropic": {"type": "error", "error": {"type": "x", "message": SENTENCE}},
    "message": {"message": SENTENCE},
    "detail": {"detail": SENTENCE},
    "string": {"error": SENTENCE},
    "code": {"error": {"message": "no", "code": SENTENCE, "type": SENTENCE}},
    "list": [SENTENCE],
    "nested": {"error": {"message": {"deep": SENTENCE}}},
}


async def test_s25_what_a_provider_lets_slip_stays_here(canned: Canned, tmp_path: Path):
    async with serving(one_backend(canned.url), tmp_path) as gateway:
        for status, shape in product(STATUSES, BODIES):
            canned.status = status
            canned.body = filled(BODIES[shape])
            # Another model is another backend, whose health is unknown.
            gateway.serve_catalog(one_backend(canned.url, f"{shape}-{status}"))
            reply = await ask(gateway)
            assert reply.status >= 400
            assert_nothing_private(reply.text)
        decisions = [r["decisions"] for r in gateway.records("request")]

    assert len(decisions) == len(STATUSES) * len(BODIES)
    assert_nothing_private(json.dumps(decisions))


def filled(body: object) -> bytes:
    text = json.dumps(body)
    for name, value in PRIVATE.items():
        text = text.replace(f"{{{name}}}", value)
    return text.encode()


def assert_nothing_private(text: str) -> None:
    for name, value in PRIVATE.items():
        assert value not in text, name
    for part in ("company.example", "10.20.30.40", "gpu-07", "9aZ3", "4gH5jK6lM7"):
        assert part not in text
    assert not TRACES.search(text), text


async def test_s25_a_page_of_html_is_not_passed_on(canned: Canned, tmp_path: Path):
    canned.body = b"<html><h1>nginx at gpu-07.prod.internal</h1></html>"
    async with serving(one_backend(canned.url), tmp_path) as gateway:
        reply = await ask(gateway)

    assert reply.error["message"] == "The provider refused the request with status 400."


def is_clean(reply: Reply, url: str) -> bool:
    port = url.rsplit(":", 1)[1]
    return "127.0.0.1" not in reply.text and port not in reply.text


@pytest.mark.parametrize(
    "script", ["status-500", "html-200", "half-json", "rst-after-1", "bad-gzip"]
)
@pytest.mark.parametrize("stream", [False, True])
async def test_s25_no_failure_names_the_providers_address(
    upstream: FaultLLM, tmp_path: Path, script: str, stream: bool
):
    catalog = one_backend(upstream.url, f"fault/{script}")
    async with serving(catalog, tmp_path) as gateway:
        reply = await ask(gateway, stream=stream)

    assert is_clean(reply, upstream.url)
    assert not TRACES.search(reply.text)


async def test_s25_an_unreachable_provider_is_not_named(tmp_path: Path):
    with closed_port() as port:
        url = f"http://127.0.0.1:{port}"
        async with serving(one_backend(url), tmp_path) as gateway:
            reply = await ask(gateway)

    assert reply.status == 503
    assert is_clean(reply, url)


BAD_REQUESTS = [
    (b"", "application/json"),
    (b"{", "application/json"),
    (b"[1]", "application/json"),
    (b'{"messages": 1}', "application/json"),
    (b'{"messages": [{"role": "user", "content": {"a": 1}}]}', "application/json"),
    (b'{"quality": "high"}', "application/json"),
    (b'{"score": 0.5, "tier": 1.5, "quality": 1}', "application/json"),
    (b'{"request_id": 7, "quality": 1}', "application/json"),
    (b'{"score": 0.5, "tier": 99999999999, "quality": 1}', "application/json"),
    (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x"),
    (b"a=b", "application/x-www-form-urlencoded"),
    (b"\xff\xfe", "text/plain"),
]


def test_s25_every_address_answers_nonsense_with_a_sentence(tenants: TwoTenants):
    """On all of them: JSON with an id, never a page and never a 500."""
    paths = [str(pattern.pattern) for pattern in urlpatterns]
    with tenants.client(tenants.red) as client:
        for path in paths:
            for content, kind in BAD_REQUESTS:
                answer = client.post(
                    f"/{path}", content=content, headers={"content-type": kind}
                )
                assert answer.status_code in range(400, 500), (path, content)
                assert answer.headers["content-type"] == "application/json"
                anthropics = path.startswith("v1/messages")
                shape = {"message", "type"}
                shape |= {"details"} if anthropics else {"param", "code"}
                assert set(answer.json()["error"]) == shape
                assert answer.headers["x-request-id"]
                assert not TRACES.search(answer.text), answer.text


@pytest.mark.parametrize("path", ["/nowhere", "/stats/", "//v1/models", "/V1/MODELS"])
def test_i5_a_program_that_mistakes_an_address_is_told_in_json(
    tenants: TwoTenants, path: str
):
    with tenants.client() as client:
        answer = client.post(str(client.base_url).rstrip("/") + path, json={})

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"]["code"] == "unknown_url"
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/nowhere", "/admin/nowhere/", "/static/nowhere.css"])
def test_s25_a_missing_page_tells_nothing_of_the_code(tenants: TwoTenants, path: str):
    with tenants.client() as client:
        answer = client.get(path, follow_redirects=True)

    assert answer.status_code in (200, 404)
    assert "DEBUG" not in answer.text
    assert "urlpatterns" not in answer.text
    assert "Traceback" not in answer.text
