"""Upstream and client faults (U4-U16, C1, C2) where Anthropic's dialect has a part."""

from pathlib import Path

import httpx
import orjson
import pytest

from routing.catalog import Catalog, Policy, Tier
from tests.faultllm import FaultLLM
from tests.faults.outcomes import QUICK
from tests.harness import Gateway, backend, serving

# Client's dialect, backend's dialect; OpenAI's alone are in test_upstream_*.py.
CROSSINGS = [
    ("anthropic", "anthropic"),
    ("anthropic", "openai-compatible"),
    ("openai", "anthropic"),
]
CROSS = pytest.mark.parametrize(("client", "provider"), CROSSINGS)
PATHS = {"anthropic": "/v1/messages", "openai": "/v1/chat/completions"}
BODY = {"max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}]}
ENDS = {"anthropic": '{"type":"message_stop"}\n\n', "openai": "data: [DONE]\n\n"}


def one(url: str, provider: str, model: str, **policy: object) -> Catalog:
    only = backend("only", 1, url, provider=provider, model=model)
    return Catalog((Tier(1, "small"),), (only,), policy=Policy(**policy))


async def ask(gateway: Gateway, client: str, **more: object) -> httpx.Response:
    async with httpx.AsyncClient(timeout=30) as http:
        return await http.post(gateway.url + PATHS[client], json={**BODY, **more})


def assert_one_ending(text: str, client: str) -> None:
    """I6: a whole answer, or an error and nothing after it."""
    last = text.rstrip("\n").rsplit("\n\n", 1)[-1]
    if text.endswith(ENDS[client]):
        assert "error" not in last
        return
    assert ENDS[client] not in text
    data = orjson.loads(last.split("data: ", 1)[1])
    if client == "anthropic":
        assert last.startswith("event: error\n")
        assert data["type"] == "error"
    assert data["error"]["message"]


def text_of(reply: httpx.Response, client: str) -> str:
    """What the model said, streamed or whole."""
    if reply.headers["content-type"] == "application/json":
        body = reply.json()
        if client == "anthropic":
            return "".join(block.get("text", "") for block in body["content"])
        return body["choices"][0]["message"]["content"]
    found = []
    for block in reply.text.split("\n\n"):
        data = block.rpartition("data: ")[2]
        event = orjson.loads(data) if data.startswith("{") else {}
        if client == "anthropic":
            found.append(event.get("delta", {}).get("text", ""))
        for choice in event.get("choices", ()):
            found.append(choice["delta"].get("content") or "")
    return "".join(found)


async def sweep(
    upstream: FaultLLM, journal: Path, client: str, provider: str, step: int
) -> None:
    """Cut a stream after every `step`-th byte until it is complete."""
    async with serving(one(upstream.url, provider, "m"), journal) as gateway:
        for byte in range(1, 20_000, step):
            script = f"fault/cut-at-byte-{byte}"
            catalog = one(upstream.url, provider, script, cache_enabled=False)
            gateway.serve_catalog(catalog)
            reply = await ask(gateway, client, stream=True)
            if upstream.attempts[-1].bytes_out < byte:
                break
            if reply.status_code == 200:
                assert_one_ending(reply.text, client)
            else:
                assert reply.status_code in (502, 503)
        else:
            pytest.fail("The answer was never complete.")
        await gateway.settled()
        ids = [a["attempt_id"] for a in gateway.records("attempt")]

    assert reply.text.endswith(ENDS[client])
    assert sorted(ids) == sorted(a.attempt_id for a in upstream.attempts)


@CROSS
async def test_u5_a_cut_anywhere_is_an_error_and_one_row(
    upstream: FaultLLM, tmp_path: Path, client: str, provider: str
):
    await sweep(upstream, tmp_path, client, provider, step=211)


@pytest.mark.slow
@CROSS
async def test_u5_a_cut_at_many_more_places(
    upstream: FaultLLM, tmp_path: Path, client: str, provider: str
):
    await sweep(upstream, tmp_path, client, provider, step=19)


@CROSS
async def test_u4_a_stream_that_stalls_ends_with_an_error_and_is_not_kept(
    upstream: FaultLLM, tmp_path: Path, client: str, provider: str
):
    async with serving(one(upstream.url, provider, "m"), tmp_path) as gateway:
        for after in (1, 3, 5):
            script = f"fault/stall-after-{after}"
            gateway.serve_catalog(one(upstream.url, provider, script, **QUICK))
            reply = await ask(gateway, client, stream=True)
            if reply.status_code == 200:
                assert_one_ending(reply.text, client)
                assert not reply.text.endswith(ENDS[client])
            else:
                assert reply.status_code == 504
        gateway.serve_catalog(one(upstream.url, provider, "m"))
        again = await ask(gateway, client)

    assert again.headers["x-llm-router-cache"] == "MISS"


FRAMINGS = "crlf cr mixed nospace comments ids bom one-byte multi-line split-utf8"


@CROSS
async def test_u6_a_stream_in_other_clothes_is_the_same_stream(
    upstream: FaultLLM, tmp_path: Path, client: str, provider: str
):
    async with serving(one(upstream.url, provider, "m"), tmp_path) as gateway:
        for framing in FRAMINGS.split():
            script = f"fault/unicode+{framing}"
            gateway.serve_catalog(one(upstream.url, provider, script))
            reply = await ask(gateway, client, stream=True)
            whole = await ask(gateway, client)

            assert reply.text.endswith(ENDS[client]), framing
            assert text_of(reply, client) == text_of(whole, client)
            assert "漢字" in text_of(reply, client)
            assert whole.headers["x-llm-router-cache"] == "HIT"


NO_ANSWERS = "html-200 empty-200 half-json bad-gzip error-event-at-0 status-302"


@CROSS
async def test_u7_an_answer_that_is_none_is_an_error_and_is_not_kept(
    upstream: FaultLLM, tmp_path: Path, client: str, provider: str
):
    async with serving(one(upstream.url, provider, "m"), tmp_path) as gateway:
        for script in NO_ANSWERS.split():
            gateway.serve_catalog(one(upstream.url, provider, f"fault/{script}"))
            for stream in (False, True):
                assert_is_none(await ask(gateway, client, stream=stream), client)
        gateway.serve_catalog(one(upstream.url, provider, "m"))
        after = await ask(gateway, client)

    assert after.status_code == 200
    assert after.headers["x-llm-router-cache"] == "MISS"


def assert_is_none(reply: httpx.Response, client: str) -> None:
    if reply.status_code == 200:  # it broke off after it had begun
        assert_one_ending(reply.text, client)
        assert not reply.text.endswith(ENDS[client])
        return
    assert reply.status_code in (502, 503, 529)
    assert "<html" not in reply.json()["error"]["message"]
    assert (reply.json().get("type") == "error") == (client == "anthropic")


USAGES = "missing null zero negative absurd twice on-content"


@CROSS
@pytest.mark.parametrize("stream", [False, True])
async def test_u16_every_client_gets_numbers_whatever_the_provider_counts(
    upstream: FaultLLM, tmp_path: Path, client: str, provider: str, stream: bool
):
    """None of them is negative, and what was said last counts."""
    async with serving(one(upstream.url, provider, "m"), tmp_path) as gateway:
        for script in USAGES.split():
            gateway.serve_catalog(one(upstream.url, provider, f"fault/usage-{script}"))
            reply = await ask(gateway, client, stream=stream)
            await gateway.settled()
            attempt = gateway.records("attempt")[-1]
            sent = upstream.attempts[-1]

            assert reply.status_code == 200
            if script in ("twice", "on-content"):
                assert attempt["completion_tokens"] == sent.completion_billed
            if script == "zero":
                assert attempt["completion_tokens"] == attempt["prompt_tokens"] == 0
            if (client, provider) == ("anthropic", "openai-compatible"):
                usage = last_usage(reply)
                assert usage["output_tokens"] == attempt["completion_tokens"] >= 0
                assert usage["input_tokens"] == attempt["prompt_tokens"] >= 0


def last_usage(reply: httpx.Response) -> dict:
    if reply.headers["content-type"] == "application/json":
        return reply.json()["usage"]
    *_, end, _stop = reply.text.rstrip("\n").split("\n\n")
    assert end.startswith("event: message_delta\n")
    return orjson.loads(end.split("data: ", 1)[1])["usage"]


@CROSS
async def test_u8_u13_refusals_and_limits_in_the_clients_words(
    upstream: FaultLLM, tmp_path: Path, client: str, provider: str
):
    async with serving(one(upstream.url, provider, "m"), tmp_path) as gateway:
        upstream.script = ["status-400", "context-length-400"]
        refused = await ask(gateway, client)
        too_long = await ask(gateway, client)
        upstream.always = "retry-after-7"
        limited = await ask(gateway, client)

    assert (refused.status_code, too_long.status_code) == (400, 400)
    told = too_long.json()["error"]
    code = told["details"]["error_code"] if client == "anthropic" else told["code"]
    assert code == "context_length_exceeded"
    assert told["type"] == "invalid_request_error"
    assert limited.status_code == 429
    assert limited.json()["error"]["type"] == "rate_limit_error"
    assert 1 <= int(limited.headers["retry-after"]) <= 8


@pytest.mark.parametrize("provider", ["anthropic", "openai-compatible"])
async def test_c2_a_client_that_leaves_is_billed_for_what_came(
    upstream: FaultLLM, tmp_path: Path, provider: str
):
    catalog = one(upstream.url, provider, "fault/words-50+hold-after-12")
    async with serving(catalog, tmp_path) as gateway:
        async with (
            httpx.AsyncClient(timeout=30) as http,
            http.stream(
                "POST", f"{gateway.url}/v1/messages", json={**BODY, "stream": True}
            ) as reply,
        ):
            await upstream.until(lambda: upstream.holding == 1)
            pieces = reply.aiter_text()
            while "word5" not in await anext(pieces):
                pass
        await gateway.settled()
        await upstream.until(lambda: upstream.attempts[0].outcome == "peer-closed")
        (attempt,) = gateway.records("attempt")
        (request,) = gateway.records("request")

    assert attempt["state"] == "estimated"
    assert attempt["completion_tokens"] > 0
    assert request["outcome"] == "client_closed"


async def test_an_idle_stream_of_anthropics_gets_pings(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = one(
        upstream.url, "openai-compatible", "fault/delay-300ms", keepalive_seconds=0.05
    )
    async with serving(catalog, tmp_path) as gateway:
        reply = await ask(gateway, "anthropic", stream=True)

    assert reply.text.startswith('event: ping\ndata: {"type":"ping"}\n\n')
    assert reply.text.count("event: message_start\n") == 1
    assert reply.text.endswith(ENDS["anthropic"])
