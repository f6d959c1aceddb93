"""An answer we have, or that is on its way, is given again to whom it belongs."""

import asyncio
from pathlib import Path

import openai
import pytest

from gateway.ledger.books import Caller
from tests.faultllm import FaultLLM
from tests.gateway.sdk import MakeClient, says
from tests.harness import serving, three_tiers


async def test_the_same_request_again_is_answered_from_the_cache(
    upstream: FaultLLM, tmp_path: Path, sdk: MakeClient
):
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        client = sdk(gateway.url).chat.completions
        first = await client.create(model="auto", messages=says("Who wrote Emma?"))
        again = await client.with_raw_response.create(
            model="auto", messages=says("Who wrote Emma?")
        )

    assert again.parse() == first
    assert again.headers["x-llm-router-cache"] == "HIT"
    assert again.headers["x-llm-router-cache-level"] == "exact"
    assert again.headers["x-llm-router-cost"] == "0.000000000"
    assert len(upstream.attempts) == 1


async def test_a_question_in_other_words_is_answered_from_the_cache(
    upstream: FaultLLM, tmp_path: Path, sdk: MakeClient
):
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        client = sdk(gateway.url).chat.completions.with_raw_response
        await client.create(
            model="auto", messages=says("What is the capital of France?")
        )
        again = await client.create(
            model="auto", messages=says("What's France's capital city?")
        )
        other = await client.create(
            model="auto", messages=says("How do I write Go code?")
        )

    assert again.headers["x-llm-router-cache-level"] == "canonical"
    assert other.headers["x-llm-router-cache"] == "MISS"
    assert len(upstream.attempts) == 2


@pytest.mark.parametrize("bought_as_stream", [True, False])
async def test_a_cached_answer_serves_a_stream_and_a_whole_answer_alike(
    upstream: FaultLLM, tmp_path: Path, sdk: MakeClient, bought_as_stream: bool
):
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        client = sdk(gateway.url).chat.completions

        async def streamed() -> str:
            stream = await client.create(
                model="auto", messages=says("Name a colour."), stream=True
            )
            chunks = [chunk async for chunk in stream]
            return "".join(c.choices[0].delta.content or "" for c in chunks)

        async def whole() -> str:
            answer = await client.create(model="auto", messages=says("Name a colour."))
            return answer.choices[0].message.content

        ways = (streamed, whole) if bought_as_stream else (whole, streamed)
        texts = [await way() for way in ways]

    assert texts[0] == texts[1] != ""
    assert len(upstream.attempts) == 1


async def test_five_identical_requests_at_once_make_one_upstream_call(
    upstream: FaultLLM, tmp_path: Path, sdk: MakeClient
):
    """Defect 1 of the reference: its deduplicator was never called."""
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        upstream.script = ["hold"]
        client = sdk(gateway.url).chat.completions.with_raw_response
        calls = [
            asyncio.create_task(client.create(model="auto", messages=says("Once?")))
            for _ in range(5)
        ]
        while gateway.runtime.admission.in_flight < 5 or not upstream.attempts:
            await asyncio.sleep(0.005)
        upstream.release()
        answers = await asyncio.gather(*calls)

    assert len(upstream.attempts) == 1
    assert len({answer.content for answer in answers}) == 1
    labels = sorted(answer.headers["x-llm-router-cache"] for answer in answers)
    assert labels == ["MISS", "SHARED", "SHARED", "SHARED", "SHARED"]


async def test_nothing_of_one_keys_answers_reaches_another(
    upstream: FaultLLM, tmp_path: Path, sdk: MakeClient
):
    keys = {
        "key-a": Caller(scope="key:1", key_name="a", key_id=1),
        "key-b": Caller(scope="key:2", key_name="b", key_id=2),
    }
    async with serving(three_tiers(upstream.url), tmp_path, keys=keys) as gateway:
        of_a = await sdk(gateway.url, "key-a").chat.completions.create(
            model="auto", messages=says("A secret?")
        )
        of_b = await sdk(
            gateway.url, "key-b"
        ).chat.completions.with_raw_response.create(
            model="auto", messages=says("A secret?")
        )
        with pytest.raises(openai.AuthenticationError):
            await sdk(gateway.url, "key-c").chat.completions.create(
                model="auto", messages=says("A secret?")
            )

    assert of_b.headers["x-llm-router-cache"] == "MISS"
    assert of_b.parse().choices[0].message.content != of_a.choices[0].message.content
    assert len(upstream.attempts) == 2
