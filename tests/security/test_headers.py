"""S11: what passes through, in both directions, is on a list; the rest stays here."""

import asyncio
from pathlib import Path

import pytest

from gateway.ledger.books import Caller
from routing.catalog import Catalog, Tier
from routing.secret import Secret
from tests.faultllm import FaultLLM
from tests.harness import Gateway, ask, backend, one_backend, serving

CALLER = Caller(scope="key:1", key_name="one", key_id=1)
# Of a client's request: credentials, its whereabouts, our own controls, hop-by-hop.
FROM_CLIENT = {
    "authorization": "Bearer sk-of-the-client",
    "x-api-key": "sk-of-the-client",
    "api-key": "sk-of-the-client",
    "proxy-authorization": "Basic c2VjcmV0",
    "cookie": "session=secret",
    "x-forwarded-for": "10.1.2.3",
    "x-forwarded-host": "inside.example",
    "x-forwarded-proto": "https",
    "x-real-ip": "10.1.2.3",
    "forwarded": "for=10.1.2.3",
    "via": "1.1 inside",
    "referer": "https://inside.example/page",
    "origin": "https://inside.example",
    "x-llm-router-tags": "secret-project",
    "x-llm-router-max-tier": "1",
    "cache-control": "no-cache",
    "x-client-request-id": "chosen-by-the-client",
    "x-request-id": "chosen-by-the-client",
    "openai-organization": "org-of-the-client",
    "anthropic-version": "1999-01-01",
    "te": "trailers",
    "x-anything": "else",
}
# What the wire format needs, the library adds, and the oracle is told.
TO_PROVIDER = {
    "accept",
    "accept-encoding",
    "authorization",
    "content-length",
    "content-type",
    "host",
    "user-agent",
    "x-client-request-id",
}
FROM_PROVIDER = {
    "set-cookie": "session=of-the-provider",
    "server": "provider/1.0",
    "access-control-allow-origin": "*",
    "access-control-allow-credentials": "true",
    "strict-transport-security": "max-age=1",
    "x-powered-by": "provider",
    "x-request-id": "of-the-provider",
    "request-id": "of-the-provider",
    "openai-organization": "org-of-the-operator",
    "openai-processing-ms": "7",
    "x-ratelimit-remaining-tokens": "1",
    "location": "https://elsewhere.example",
    "x-llm-router-cache": "HIT",
    "x-llm-router-cost": "0",
    "content-security-policy": "none",
    "content-disposition": "attachment",
    "x-should-retry": "true",
    "www-authenticate": "Basic",
}
TO_CLIENT = {
    "cache-control",
    "content-length",
    "content-type",
    "date",
    "request-id",
    "retry-after",
    "transfer-encoding",
    "x-accel-buffering",
    "x-request-id",
    "x-should-retry",
    "connection",
}


@pytest.mark.parametrize("stream", [False, True])
async def test_s11_nothing_of_the_clients_headers_reaches_the_provider(
    upstream: FaultLLM, tmp_path: Path, stream: bool
):
    # Keyed by hand: open mode would refuse what looks forwarded.
    keys = {"sk-of-the-client": CALLER}
    async with serving(one_backend(upstream.url), tmp_path, keys=keys) as gateway:
        reply = await ask(gateway, headers=FROM_CLIENT, stream=stream)

    assert reply.status == 200
    seen = upstream.attempts[0].headers
    assert seen.keys() <= TO_PROVIDER
    shared = {name for name in seen if seen[name] == FROM_CLIENT.get(name)}
    assert shared == set()
    assert upstream.saw_key("upstream-key")
    assert not upstream.saw_key("sk-of-the-client")


async def test_s11_the_provider_is_told_nothing_of_who_asks(
    upstream: FaultLLM, tmp_path: Path
):
    keys = {"sk-of-the-client": CALLER}
    async with serving(one_backend(upstream.url), tmp_path, keys=keys) as gateway:
        await ask(gateway, headers=FROM_CLIENT)

    sent = str(upstream.attempts[0].headers) + str(upstream.attempts[0].body)
    for word in ("10.1.2.3", "secret-project", "inside.example", "key:1"):
        assert word not in sent


@pytest.mark.parametrize("status", ["", "+status-400", "+status-500", "+status-429"])
@pytest.mark.parametrize("stream", [False, True])
async def test_s11_nothing_of_the_providers_headers_reaches_the_client(
    upstream: FaultLLM, tmp_path: Path, stream: bool, status: str
):
    lines = "+".join(f"header-{k}:{v}" for k, v in FROM_PROVIDER.items())
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        upstream.always = lines + status
        reply = await ask(gateway, stream=stream)

    shown = dict(reply.headers)
    ours = {name for name in shown if name.startswith("x-llm-router-")}
    assert upstream.attempts[0].status == int(status[-3:] or 200)
    assert shown.keys() - ours <= TO_CLIENT
    for name, value in FROM_PROVIDER.items():
        assert shown.get(name) != value, name


async def raw(gateway: Gateway, line: bytes) -> bytes:
    host, port = gateway.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
        + line
        + b"\r\n\r\n"
    )
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    "line",
    [
        b"x-llm-router-tags: a\rx: y",
        b"x-llm-router-tags: a\nx: y",
        b"x-llm-router-tags: a\x00b",
        b"x-llm-router-tags: a\r\n b",
        b"x-llm-router-tags\xff: a",
        b"x-llm router: a",
        b": a",
    ],
)
async def test_s11_line_breaks_and_nul_in_a_header_are_refused(
    upstream: FaultLLM, tmp_path: Path, line: bytes
):
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        answer = await raw(gateway, line)

    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("key", ["abc\ndef", "abc\r\nx-evil: 1", "k\x00", "\u20ac"])
async def test_s11_a_provider_key_with_a_line_break_makes_no_second_header(
    upstream: FaultLLM, tmp_path: Path, key: str
):
    """As from a file with a line too many: refused, and never a 500."""
    broken = backend("small", 1, upstream.url, api_key=Secret(key))
    catalog = Catalog((Tier(1, "small"),), (broken,))
    async with serving(catalog, tmp_path) as gateway:
        reply = await ask(gateway)

    assert reply.status in (200, 502, 503)
    assert key not in reply.text
    for attempt in upstream.attempts:
        assert "x-evil" not in attempt.headers
        assert "\n" not in str(attempt.headers)


@pytest.mark.parametrize("name", ["small\r\nx-evil: 1", "small\x00", "\u20ac"])
async def test_s11_no_name_makes_a_header_of_its_own(
    upstream: FaultLLM, tmp_path: Path, name: str
):
    """Names in the database are checked; a provider's words are not names."""
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        upstream.script = [f"wrong-model-{name}"]
        reply = await ask(gateway)
        refused = await ask(gateway, model=name)

    assert reply.headers["x-llm-router-model"] == "small"
    assert "x-evil" not in reply.headers
    assert refused.status in (400, 404)
    assert "x-evil" not in refused.headers
