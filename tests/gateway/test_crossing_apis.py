"""Workers share what was bought through any of the APIs."""

import asyncio
from pathlib import Path

import httpx
import orjson

from tests.faultllm import FaultLLM
from tests.harness import Gateway, ask, one_backend
from tests.workers import State, readers, until, workers

QUESTION = "What is the capital of France?"


async def post(gateway: Gateway, path: str, **body: object) -> httpx.Response:
    async with httpx.AsyncClient(timeout=30, verify=False) as client:
        return await client.post(f"{gateway.url}/v1/{path}", json=body)


async def test_one_workers_answer_serves_every_api_of_the_other(
    upstream: FaultLLM, tmp_path: Path, ways: State
):
    async with workers(one_backend(upstream.url), tmp_path, ways) as (one, two):
        chat = await ask(one, QUESTION)
        response = await post(two, "responses", input=QUESTION)
        text = await post(two, "completions", prompt=QUESTION)

    assert response.headers["x-llm-router-cache"] == "HIT"
    assert text.headers["x-llm-router-cache"] == "HIT"
    assert response.json()["output"][0]["content"][0]["text"] == chat.content
    assert text.json()["choices"][0]["text"] == chat.content
    assert len(upstream.attempts) == 1


async def test_vectors_are_shared_and_kept_for_all_workers(
    upstream: FaultLLM, tmp_path: Path, ways: State
):
    model = "text-embedding-3-small"
    asked = {"model": model, "input": ["a", "b"]}
    upstream.script = ["hold"]
    async with workers(one_backend(upstream.url, model), tmp_path, ways) as (one, two):
        first = asyncio.create_task(post(one, "embeddings", **asked))
        await upstream.until(lambda: upstream.holding == 1)
        second = asyncio.create_task(post(two, "embeddings", **asked))
        await two.called()
        await until(lambda: readers(one) == 2)
        upstream.release()
        replies = await asyncio.gather(first, second)
        again = await post(two, "embeddings", **asked)

    assert {reply.content for reply in [*replies, again]} == {replies[0].content}
    caches = [r.headers["x-llm-router-cache"] for r in [*replies, again]]
    assert caches == ["MISS", "SHARED", "HIT"]
    assert len(upstream.attempts) == 1


async def test_a_responses_stream_is_shared_by_two_workers(
    upstream: FaultLLM, tmp_path: Path, ways: State
):
    catalog = one_backend(upstream.url, "fault/words-20+hold-after-5")
    async with workers(catalog, tmp_path, ways) as (one, two):
        first = asyncio.create_task(post(one, "responses", input="Hi", stream=True))
        await upstream.until(lambda: upstream.holding == 1)
        second = asyncio.create_task(post(two, "responses", input="Hi", stream=True))
        await two.called()
        await until(lambda: readers(one) == 2)
        upstream.release()
        replies = await asyncio.gather(first, second)

    ends = [reply.text.rsplit("data: ", 1)[1] for reply in replies]
    outputs = [orjson.loads(end)["response"]["output"] for end in ends]
    assert outputs[0] == outputs[1]
    assert len(outputs[0][0]["content"][0]["text"].split()) == 20
    assert len(upstream.attempts) == 1
