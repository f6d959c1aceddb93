"""`POST /v1/embeddings` through a real socket, with OpenAI's own SDK."""

import asyncio
from array import array
from base64 import b64decode
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from openai import OpenAI

from gateway.ledger.books import Caller
from routing.catalog import Catalog
from tests.faultllm import FaultLLM, ThreadedFaultLLM
from tests.gateway.embedding import MODEL, catalog, embed
from tests.gateway.sdk import client_of
from tests.harness import serving


@pytest.mark.parametrize(
    ("given", "vectors"),
    [("Hi there", 1), (["Hi", "you"], 2), ([72, 105], 1), ([[72, 105], [1]], 2)],
)
@pytest.mark.parametrize("encoding", ["float", "base64"])
async def test_the_sdk_gets_what_the_provider_made(
    upstream: FaultLLM, tmp_path: Path, given: object, vectors: int, encoding: str
):
    async with (
        serving(catalog(upstream.url), tmp_path) as gateway,
        client_of(gateway) as ai,
    ):
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


async def test_without_usage_the_tokens_are_estimated(
    upstream: FaultLLM, tmp_path: Path
):
    upstream.always = "usage-missing"
    async with serving(catalog(upstream.url), tmp_path) as gateway:
        await embed(gateway, "abcd")
        await embed(gateway, [1, 2, 3])

    told = [(a["state"], a["prompt_tokens"]) for a in gateway.records("attempt")]
    assert told == [("estimated", 1), ("estimated", 3)]


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
