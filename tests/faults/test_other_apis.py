"""Upstream faults (U4-U16) for the Responses API, legacy completions and embeddings."""

from pathlib import Path

import httpx
import orjson
import pytest

from routing.catalog import Catalog, Policy, Tier
from tests.faultllm import FaultLLM
from tests.faults.outcomes import QUICK
from tests.harness import Gateway, backend, serving

BACKENDS = {
    "openai": {},
    "anthropic": {"provider": "anthropic"},
    "native": {"capabilities": "-chat +completions +responses"},
}
# The client's API, the API its backend is asked by.
WAYS = [(api, way) for api in ("responses", "text") for way in BACKENDS]
EVERY = pytest.mark.parametrize(("api", "way"), WAYS)
PATHS = {"responses": "responses", "text": "completions", "vectors": "embeddings"}
VECTORS = {"capabilities": "+embeddings -chat"}


def one(url: str, way: str, script: str, **policy: object) -> Catalog:
    fields = VECTORS if way == "vectors" else BACKENDS[way]
    only = backend("only", 1, url, model=f"fault/{script}", **fields)
    return Catalog((Tier(1, "small"),), (only,), policy=Policy(**policy))


async def ask(gateway: Gateway, api: str, way: str, **more: object) -> httpx.Response:
    body: dict = {"responses": {"input": "Hi"}, "text": {"prompt": "Hi"}}.get(api, {})
    if api == "vectors":
        body = {"input": "Hi", "model": "only"}
    if (api, way) == ("responses", "native"):
        body["truncation"] = "auto"
    async with httpx.AsyncClient(timeout=30, verify=False) as http:
        return await http.post(f"{gateway.url}/v1/{PATHS[api]}", json={**body, **more})


def events_of(reply: httpx.Response) -> list[dict]:
    blocks = [block for block in reply.text.split("\n\n") if "data: {" in block]
    return [orjson.loads(block.split("data: ", 1)[1]) for block in blocks]


def is_whole(reply: httpx.Response, api: str) -> bool:
    if reply.status_code != 200 or not reply.text:
        return False
    if reply.headers["content-type"] == "application/json":
        return True
    if api == "text":
        return reply.text.endswith("data: [DONE]\n\n")
    return events_of(reply)[-1]["type"] == "response.completed"


def assert_ended_badly(reply: httpx.Response, api: str) -> None:
    """An error, in the API's own form, and nothing after it."""
    assert not is_whole(reply, api)
    if reply.status_code != 200:
        assert reply.status_code in (502, 503, 504)
        assert reply.json()["error"]["message"]
        return
    *before, last = events_of(reply)
    if api == "text":
        assert last["error"]["message"]
        assert "[DONE]" not in reply.text
        return
    assert last["type"] in ("response.failed", "error")
    told = last["response"]["error"] if last["type"] == "response.failed" else last
    assert told["message"]
    numbers = [event["sequence_number"] for event in (*before, last)]
    assert numbers == sorted(set(numbers))


def text_of(reply: httpx.Response, api: str) -> str:
    """What the model said, streamed or whole."""
    if reply.headers["content-type"] == "application/json":
        body = reply.json()
        if api == "text":
            return body["choices"][0]["text"]
        items = [item for item in body["output"] if item["type"] == "message"]
        return "".join(p["text"] for item in items for p in item["content"])
    events = events_of(reply)
    if api == "text":
        choices = [c for event in events for c in event.get("choices", ())]
        return "".join(choice["text"] for choice in choices)
    return "".join(
        e["delta"] for e in events if e["type"] == "response.output_text.delta"
    )


async def sweep(
    upstream: FaultLLM, journal: Path, api: str, way: str, *, step: int, stream: bool
) -> None:
    """Cut the connection after every `step`-th byte until an answer is complete."""
    async with serving(one(upstream.url, way, "ok"), journal) as gateway:
        for byte in range(1, 40_000, step):
            script = f"cut-at-byte-{byte}"
            gateway.serve_catalog(one(upstream.url, way, script, cache_enabled=False))
            reply = await ask(gateway, api, way, stream=stream)
            if upstream.attempts[-1].bytes_out < byte:
                break
            # The last bytes of HTTP's own framing carry nothing of the answer.
            if not is_whole(reply, api):
                assert_ended_badly(reply, api)
        else:
            pytest.fail("The answer was never complete.")
        await gateway.settled()
        ids = [a["attempt_id"] for a in gateway.records("attempt")]

    assert is_whole(reply, api)
    assert sorted(ids) == sorted(a.attempt_id for a in upstream.attempts)


@EVERY
async def test_u5_a_cut_anywhere_is_an_error_and_one_row(
    upstream: FaultLLM, tmp_path: Path, api: str, way: str
):
    await sweep(upstream, tmp_path, api, way, step=307, stream=True)


async def test_u5_vectors_that_are_cut_are_an_error(upstream: FaultLLM, tmp_path: Path):
    await sweep(upstream, tmp_path, "vectors", "vectors", step=23, stream=False)


@pytest.mark.slow
@EVERY
@pytest.mark.parametrize("stream", [False, True])
async def test_u5_a_cut_at_many_more_places(
    upstream: FaultLLM, tmp_path: Path, api: str, way: str, stream: bool
):
    await sweep(upstream, tmp_path, api, way, step=17, stream=stream)


@EVERY
async def test_u4_a_stream_that_stalls_ends_with_an_error_and_is_not_kept(
    upstream: FaultLLM, tmp_path: Path, api: str, way: str
):
    async with serving(one(upstream.url, way, "ok"), tmp_path) as gateway:
        gateway.serve_catalog(one(upstream.url, way, "stall-after-5", **QUICK))
        reply = await ask(gateway, api, way, stream=True)
        gateway.serve_catalog(one(upstream.url, way, "ok"))
        again = await ask(gateway, api, way)

    assert_ended_badly(reply, api)
    assert again.headers["x-llm-router-cache"] == "MISS"


FRAMINGS = "crlf cr mixed nospace comments ids bom one-byte multi-line split-utf8"


@EVERY
async def test_u6_a_stream_in_other_clothes_is_the_same_stream(
    upstream: FaultLLM, tmp_path: Path, api: str, way: str
):
    async with serving(one(upstream.url, way, "ok"), tmp_path) as gateway:
        for framing in FRAMINGS.split():
            script = f"unicode+{framing}"
            gateway.serve_catalog(one(upstream.url, way, script))
            reply = await ask(gateway, api, way, stream=True)
            whole = await ask(gateway, api, way)

            assert is_whole(reply, api), framing
            assert text_of(reply, api) == text_of(whole, api)
            assert "漢字" in text_of(reply, api)
            assert whole.headers["x-llm-router-cache"] == "HIT"


NO_ANSWERS = "html-200 empty-200 half-json bad-gzip status-302"


@pytest.mark.parametrize(("api", "way"), [*WAYS, ("vectors", "vectors")])
async def test_u7_an_answer_that_is_none_is_an_error_and_is_not_kept(
    upstream: FaultLLM, tmp_path: Path, api: str, way: str
):
    async with serving(one(upstream.url, way, "ok"), tmp_path) as gateway:
        for script in NO_ANSWERS.split():
            gateway.serve_catalog(one(upstream.url, way, script))
            for stream in (False, True):
                reply = await ask(gateway, api, way, stream=stream)
                assert_ended_badly(reply, api)
                assert "<html" not in reply.text
        gateway.serve_catalog(one(upstream.url, way, "ok"))
        after = await ask(gateway, api, way)

    assert after.status_code == 200
    assert after.headers["x-llm-router-cache"] == "MISS"


@pytest.mark.parametrize(("api", "way"), [*WAYS, ("vectors", "vectors")])
async def test_u8_u13_refusals_and_limits_in_the_clients_words(
    upstream: FaultLLM, tmp_path: Path, api: str, way: str
):
    async with serving(one(upstream.url, way, "ok"), tmp_path) as gateway:
        upstream.script = ["status-400", "context-length-400"]
        refused = await ask(gateway, api, way)
        too_long = await ask(gateway, api, way)
        upstream.always = "retry-after-7"
        limited = await ask(gateway, api, way)

    assert (refused.status_code, too_long.status_code) == (400, 400)
    assert too_long.json()["error"]["code"] == "context_length_exceeded"
    assert limited.status_code == 429
    assert 1 <= int(limited.headers["retry-after"]) <= 8


USAGES = "missing null zero negative absurd"


@pytest.mark.parametrize(("api", "way"), [*WAYS, ("vectors", "vectors")])
async def test_u16_every_client_gets_numbers_whatever_the_provider_counts(
    upstream: FaultLLM, tmp_path: Path, api: str, way: str
):
    async with serving(one(upstream.url, way, "ok"), tmp_path) as gateway:
        for script in USAGES.split():
            for stream in (False, True)[: 1 if api == "vectors" else 2]:
                catalog = one(upstream.url, way, f"usage-{script}", cache_enabled=False)
                gateway.serve_catalog(catalog)
                reply = await ask(gateway, api, way, stream=stream)
                await gateway.settled()
                attempt = gateway.records("attempt")[-1]

                assert reply.status_code == 200
                assert is_whole(reply, api)
                estimated = "billed" if script == "zero" else "estimated"
                assert attempt["state"] == estimated, script
                assert 0 <= attempt["prompt_tokens"] < 1000
                assert 0 <= attempt["completion_tokens"] < 1000
