"""`POST /v1/embeddings` through a real socket, with OpenAI's own SDK."""

import asyncio
from array import array
from base64 import b64decode
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from gateway.ledger.books import Caller
from routing.catalog import Alias, Catalog, Policy, PriceList
from tests.faultllm import FaultLLM, ThreadedFaultLLM
from tests.harness import TIERS, Gateway, Reply, backend, serving

MODEL = "text-embedding-3-small"
PRICE = PriceList(20_000_000, 0, 20_000_000, 20_000_000)


def catalog(url: str, *extra, aliases=(), **policy: object) -> Catalog:
    """Chat in two tiers, and two backends with one model for embeddings."""
    chat = [backend("small", 1, url), backend("large", 3, url)]
    vectors = [
        backend(name, tier, url, model=MODEL, price=PRICE)
        for name, tier in (("vectors", 1), ("spare", 2))
    ]
    return Catalog(TIERS, (*chat, *vectors, *extra), aliases, Policy(**policy))


def sdk(gateway: Gateway) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="any", max_retries=0)


async def embed(gateway: Gateway, given: object = "Hi", **fields: object) -> Reply:
    headers = fields.pop("headers", None)
    body = {"model": MODEL, "input": given, **fields}
    async with httpx.AsyncClient(timeout=30, verify=False) as client:
        response = await client.post(
            f"{gateway.url}/v1/embeddings", json=body, headers=headers
        )
    return Reply(response.status_code, response.headers, response.text)


@pytest.mark.parametrize(
    ("given", "vectors"),
    [("Hi there", 1), (["Hi", "you"], 2), ([72, 105], 1), ([[72, 105], [1]], 2)],
)
@pytest.mark.parametrize("encoding", ["float", "base64"])
async def test_the_sdk_gets_what_the_provider_made(
    upstream: FaultLLM, tmp_path: Path, given: object, vectors: int, encoding: str
):
    async with serving(catalog(upstream.url), tmp_path) as gateway, sdk(gateway) as ai:
        answer = await ai.embeddings.create(
            model=MODEL, input=given, encoding_format=encoding
        )

    assert len(answer.data) == vectors
    first = answer.data[0].embedding
    if encoding == "base64":
        first = list(array("f", b64decode(first)))
    assert len(first) == 3
    (attempt,) = upstream.attempts
    assert attempt.path == "/v1/embeddings"
    assert attempt.body["input"] == given
    assert attempt.body["encoding_format"] == encoding


async def test_vectors_are_paid_by_the_prompt_and_logged_like_any_request(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(catalog(upstream.url), tmp_path) as gateway:
        reply = await embed(gateway, "five words are in this")

    (attempt,) = gateway.records("attempt")
    assert (attempt["prompt_tokens"], attempt["completion_tokens"]) == (5, 0)
    assert (attempt["state"], attempt["cost_nano"]) == ("billed", 100)
    (request,) = gateway.records("request")
    assert request["endpoint"] == "embeddings"
    assert (request["cost_nano"], request["saved_nano"]) == (100, 0)
    assert request["score"] is None
    assert [step["step"] for step in request["decisions"]] == [
        "model",
        "cache",
        "backend",
    ]
    assert reply.headers["x-llm-router-model"] == "vectors"
    assert reply.headers["x-llm-router-cost"] == "0.000000100"


async def test_the_same_is_answered_from_the_cache_and_saves_its_own_price(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(catalog(upstream.url), tmp_path) as gateway:
        first = await embed(gateway, ["a b", "c"])
        again = await embed(gateway, ["a b", "c"], user="somebody else")

    assert again.text == first.text
    assert again.headers["x-llm-router-cache"] == "HIT"
    assert again.headers["x-llm-router-cache-level"] == "exact"
    assert again.headers["x-llm-router-saved"] == "0.000000060"
    assert len(upstream.attempts) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"given": "hi"},
        {"given": ["Hi"]},
        {"dimensions": 2},
        {"encoding_format": "base64"},
        {"model": "spare"},
        {"task": "a vendor's own field"},
    ],
)
async def test_everything_that_changes_the_vectors_tells_requests_apart(
    upstream: FaultLLM, tmp_path: Path, other: dict[str, object]
):
    async with serving(catalog(upstream.url), tmp_path) as gateway:
        await embed(gateway, "Hi")
        reply = await embed(gateway, **{"given": "Hi", **other})

    assert reply.headers["x-llm-router-cache"] == "MISS"
    assert len(upstream.attempts) == 2


async def test_scopes_share_no_vectors(upstream: FaultLLM, tmp_path: Path):
    keys = {"one": Caller("team one"), "two": Caller("team two")}
    async with serving(catalog(upstream.url), tmp_path, keys=keys) as gateway:
        for key in keys:
            reply = await embed(gateway, headers={"authorization": f"Bearer {key}"})
            assert reply.headers["x-llm-router-cache"] == "MISS"

    assert len(upstream.attempts) == 2


async def test_equal_requests_at_the_same_time_share_one_call(
    upstream: FaultLLM, tmp_path: Path
):
    upstream.script = ["hold"]
    async with serving(catalog(upstream.url), tmp_path) as gateway:
        calls = [asyncio.create_task(embed(gateway)) for _ in range(5)]
        await gateway.called(5)
        await upstream.until(lambda: upstream.holding == 1)
        upstream.release()
        replies = await asyncio.gather(*calls)

    assert len({reply.text for reply in replies}) == 1
    assert len(upstream.attempts) == 1
    rows = gateway.records("request")
    assert sorted(row["cache"] for row in rows) == ["MISS"] + ["SHARED"] * 4
    paid = gateway.records("attempt")[0]["cost_nano"]
    assert sum(row["cost_nano"] for row in rows) == paid
    assert sorted(row["saved_nano"] for row in rows) == [0] + [paid] * 4


async def test_a_failure_goes_to_another_backend_with_the_same_model_only(
    upstream: FaultLLM, tmp_path: Path
):
    other = backend("other", 1, upstream.url, model="bge-m3")
    upstream.script = ["status-500", "ok"]
    async with serving(catalog(upstream.url, other), tmp_path) as gateway:
        reply = await embed(gateway)

    assert reply.status == 200
    assert reply.headers["x-llm-router-model"] == "spare"
    assert {attempt.model for attempt in upstream.attempts} == {MODEL}


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("html-200", "bad_upstream_response"),
        ("empty-200", "bad_upstream_response"),
        ("half-json", "bad_upstream_response"),
        ("cut-at-byte-300", "upstream_incomplete"),
        ("status-500", "upstream_error"),
    ],
)
async def test_what_a_provider_gets_wrong_is_told_and_never_kept(
    upstream: FaultLLM, tmp_path: Path, script: str, code: str
):
    upstream.always = script
    async with serving(catalog(upstream.url, max_attempts=1), tmp_path) as gateway:
        failed = await embed(gateway)
        upstream.always = ""
        gateway.runtime.pool.sync(gateway.runtime.snapshot.catalog)
        again = await embed(gateway)

    assert (failed.status, failed.error["code"]) == (502, code)
    assert again.headers["x-llm-router-cache"] == "MISS"


async def test_without_usage_the_tokens_are_estimated(
    upstream: FaultLLM, tmp_path: Path
):
    upstream.always = "usage-missing"
    async with serving(catalog(upstream.url), tmp_path) as gateway:
        await embed(gateway, "abcd")
        await embed(gateway, [1, 2, 3])

    told = [(a["state"], a["prompt_tokens"]) for a in gateway.records("attempt")]
    assert told == [("estimated", 1), ("estimated", 3)]


@pytest.mark.parametrize("name", ["auto", "small", "tier-1", "gpt-9"])
async def test_a_name_without_vectors_is_a_404_that_says_what_there_is(
    upstream: FaultLLM, tmp_path: Path, name: str
):
    async with serving(catalog(upstream.url), tmp_path) as gateway:
        reply = await embed(gateway, model=name)

    assert (reply.status, reply.error["code"]) == (404, "model_not_found")
    assert reply.error["message"].endswith(f"There is: {MODEL}, vectors, spare.")
    assert upstream.attempts == []


async def test_without_any_backend_for_them_it_says_so(
    upstream: FaultLLM, tmp_path: Path
):
    only = Catalog(TIERS, (backend("small", 1, upstream.url),))
    async with serving(only, tmp_path) as gateway, sdk(gateway) as ai:
        with pytest.raises(openai.NotFoundError, match="No backend here offers"):
            await ai.embeddings.create(model=MODEL, input="Hi")


async def test_an_alias_for_a_backend_names_its_model(
    upstream: FaultLLM, tmp_path: Path
):
    alias = Alias("text-embedding-*", backend="vectors")
    async with serving(catalog(upstream.url, aliases=(alias,)), tmp_path) as gateway:
        reply = await embed(gateway, model="text-embedding-ada-002")

    assert reply.headers["x-llm-router-model"] == "vectors"
    assert upstream.attempts[0].model == MODEL


async def test_a_ceiling_holds_for_vectors_too(upstream: FaultLLM, tmp_path: Path):
    async with serving(catalog(upstream.url), tmp_path) as gateway:
        below = await embed(
            gateway, model="spare", headers={"x-llm-router-max-tier": "1"}
        )

    assert (below.status, below.error["code"]) == (403, "permission_denied")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"given": ""}, "input"),
        ({"given": []}, "input"),
        ({"given": None}, "input"),
        ({"given": ["a", ""]}, "input"),
        ({"given": ["a", 1]}, "input"),
        ({"given": ["a", [1]]}, "input"),
        ({"given": [True]}, "input"),
        ({"given": [[]]}, "input"),
        ({"given": ["a"] * 2049}, "input"),
        ({"dimensions": 0}, "dimensions"),
        ({"encoding_format": "int8"}, "encoding_format"),
        ({"stream_options": 1}, "stream_options"),
        ({"model": 3}, "model"),
    ],
)
async def test_what_can_not_be_embedded_is_a_400_with_the_parameter(
    upstream: FaultLLM, tmp_path: Path, body: dict[str, object], param: str
):
    async with serving(catalog(upstream.url), tmp_path) as gateway:
        reply = await embed(gateway, **body)

    assert (reply.status, reply.error["param"]) == (400, param)


async def test_chat_never_goes_to_a_model_for_vectors(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(catalog(upstream.url), tmp_path) as gateway, sdk(gateway) as ai:
        with pytest.raises(openai.BadRequestError, match="doesn't offer chat"):
            await ai.chat.completions.create(
                model="vectors", messages=[{"role": "user", "content": "Hi"}]
            )


async def test_a_dry_run_tells_who_would_be_asked_without_a_score(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(catalog(upstream.url), tmp_path) as gateway:
        reply = await embed(gateway, "a b c d", headers={"x-llm-router-dry-run": "1"})

    assert reply.json["backend"] == "vectors"
    assert reply.json["score"] is None
    assert reply.json["estimate"]["cost_nano_usd"] == 40
    assert reply.json["estimate"]["saved_nano_usd"] == 0
    assert upstream.attempts == []


def test_the_synchronous_sdk_embeds_and_completes_too(
    threaded_upstream: ThreadedFaultLLM,
    live_gateway: Callable[[Catalog], AbstractContextManager[str]],
):
    with (
        live_gateway(catalog(threaded_upstream.url)) as url,
        OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as ai,
    ):
        vectors = ai.embeddings.create(model=MODEL, input=["a", "b"])
        text = ai.completions.create(model="small", prompt="Hi")
        pieces = ai.completions.create(model="small", prompt="Hi", stream=True)
        streamed = "".join(piece.choices[0].text for piece in pieces)

    assert [len(each.embedding) for each in vectors.data] == [3, 3]
    assert streamed == text.choices[0].text == "Answer to: Hi (call 2)"


async def test_each_input_has_to_fit_by_itself(upstream: FaultLLM, tmp_path: Path):
    narrow = backend("narrow", 1, upstream.url, model="bge-m3", context_window=10)
    async with serving(catalog(upstream.url, narrow), tmp_path) as gateway:
        many = await embed(gateway, ["x" * 40] * 50, model="bge-m3")
        long = await embed(gateway, ["x", "x" * 44], model="bge-m3")

    assert many.status == 200
    assert (long.status, long.error["code"]) == (400, "context_length_exceeded")


async def test_a_pin_chooses_among_backends_with_vectors(
    upstream: FaultLLM, tmp_path: Path
):
    keys = {"free": Caller("a"), "bound": Caller("b", may_pin=False)}
    async with serving(catalog(upstream.url), tmp_path, keys=keys) as gateway:
        replies = [
            await embed(gateway, model=model, headers={**pin, "x-api-key": key})
            for key, model, pin in (
                ("free", MODEL, {"x-llm-router-pin": "spare"}),
                ("free", MODEL, {"x-llm-router-pin": "large"}),
                ("bound", MODEL, {"x-llm-router-pin": "spare"}),
                ("bound", "spare", {}),
                ("bound", MODEL, {}),
            )
        ]

    assert [reply.status for reply in replies] == [200, 404, 403, 403, 200]
    assert replies[0].headers["x-llm-router-model"] == "spare"
