"""`POST /v1/chat/completions` through a real socket, with OpenAI's own SDK."""

import asyncio
from pathlib import Path

import openai
import pytest
from openai import OpenAI

from gateway import pipeline
from gateway.ledger.books import Caller
from routing.catalog import Catalog, Tier
from routing.chat import ChatRequest
from tests.faultllm import FaultLLM
from tests.gateway.sdk import MakeClient, says
from tests.harness import ask, backend, one_backend, serving, three_tiers

HARD = "Analyze step by step the trade-offs: " + "context " * 3000


async def test_a_whole_answer_comes_back_with_its_routing_and_its_cost(
    upstream: FaultLLM, tmp_path: Path, sdk: MakeClient
):
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        answer = await sdk(gateway.url).chat.completions.with_raw_response.create(
            model="auto", messages=says("What is 2+2?")
        )

    completion = answer.parse()
    assert "What is 2+2?" in completion.choices[0].message.content
    assert answer.headers["x-llm-router-tier"] == "1"
    assert answer.headers["x-llm-router-model"] == "small"
    assert answer.headers["x-llm-router-score"] == "5"
    assert answer.headers["x-llm-router-cache"] == "MISS"
    usage = completion.usage
    nano = usage.prompt_tokens * 1000 + usage.completion_tokens * 5000
    assert answer.headers["x-llm-router-cost"] == f"0.{nano:09d}"
    assert answer.headers["x-request-id"] == answer.headers["request-id"]


async def test_a_hard_request_goes_to_a_higher_tier(
    upstream: FaultLLM, tmp_path: Path, sdk: MakeClient
):
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        await sdk(gateway.url).chat.completions.create(
            model="auto", messages=says(HARD)
        )

    assert [attempt.model for attempt in upstream.attempts] == ["medium"]


async def test_a_stream_arrives_in_pieces_and_without_usage_unless_asked(
    upstream: FaultLLM, tmp_path: Path, sdk: MakeClient
):
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        stream = await sdk(gateway.url).chat.completions.create(
            model="auto", messages=says("Count to three."), stream=True
        )
        chunks = [chunk async for chunk in stream]

    assert len(chunks) > 3
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(c.choices[0].delta.content or "" for c in chunks).startswith(
        "Answer to: Count to three."
    )
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert all(chunk.usage is None for chunk in chunks)
    assert len({chunk.id for chunk in chunks}) == 1


async def test_a_stream_ends_with_usage_when_the_client_asked(
    upstream: FaultLLM, tmp_path: Path, sdk: MakeClient
):
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        stream = await sdk(gateway.url).chat.completions.create(
            model="auto",
            messages=says("Count to three."),
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]

    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens > 0


def test_the_synchronous_sdk_works_too(threaded_upstream, live_gateway):
    with (
        live_gateway(three_tiers(threaded_upstream.url)) as url,
        OpenAI(base_url=f"{url}/v1", api_key="any") as client,
    ):
        chat = client.chat.completions
        answer = chat.create(model="auto", messages=says("Hello"))
        pieces = list(
            chat.create(model="auto", messages=says("Hello again"), stream=True)
        )

    assert answer.choices[0].finish_reason == "stop"
    assert pieces[-1].choices[0].finish_reason == "stop"


async def test_a_client_that_names_a_model_never_gets_a_higher_tier(
    upstream: FaultLLM, tmp_path: Path, sdk: MakeClient
):
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        client = sdk(gateway.url).chat.completions.with_raw_response
        ceiling = await client.create(model="small", messages=says(HARD))
        cheaper = await client.create(model="auto", messages=says("Hi"))
        with pytest.raises(openai.NotFoundError) as unknown:
            await client.create(model="gpt-99", messages=says("Hi"))

    assert ceiling.headers["x-llm-router-tier"] == "1"
    assert cheaper.headers["x-llm-router-tier"] == "1"
    assert unknown.value.code == "model_not_found"
    assert "alias" in unknown.value.message


async def test_unknown_fields_reach_the_provider_and_come_back(
    upstream: FaultLLM, tmp_path: Path, sdk: MakeClient
):
    """Defect 7 of the reference: structs dropped what they did not know."""
    catalog = one_backend(upstream.url, "fault/echo+extra-fields")
    async with serving(catalog, tmp_path) as gateway:
        answer = await sdk(gateway.url).chat.completions.with_raw_response.create(
            model="auto",
            messages=says("Hi"),
            extra_body={"vendor_field": {"deep": [1, 2]}},
        )

    assert upstream.attempts[0].body["vendor_field"] == {"deep": [1, 2]}
    assert answer.http_response.json().keys() > {"id", "choices", "usage"}


async def test_a_failing_backend_is_replaced_by_the_next_and_then_by_a_higher_tier(
    upstream: FaultLLM, tmp_path: Path, sdk: MakeClient
):
    base = three_tiers(upstream.url)
    broken = backend("broken", 1, upstream.url, model="fault/status-500")
    catalog = Catalog(base.tiers, (broken, *base.backends[1:]), policy=base.policy)
    async with serving(catalog, tmp_path) as gateway:
        answer = await sdk(gateway.url).chat.completions.with_raw_response.create(
            model="auto", messages=says("Hi")
        )
        records = gateway.records("attempt")

    assert answer.headers["x-llm-router-model"] == "medium"
    assert [(r["backend"], r["state"]) for r in records] == [
        ("broken", "free"),
        ("medium", "billed"),
    ]


async def test_a_stream_that_was_never_read_from_still_gets_its_row(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(one_backend(upstream.url, "fault/hold"), tmp_path) as gateway:
        chat = ChatRequest(
            body={"messages": says("Hi"), "stream": True},
            scope="local",
            request_id="req_1",
            stream=True,
        )
        record = gateway.runtime.books.open_request(chat, Caller(scope="local"))
        waiting = asyncio.create_task(pipeline.answer(record, gateway.runtime))
        await upstream.until(lambda: upstream.holding == 1)
        upstream.release()
        answer = await waiting
        answer.close()
        record.abandon()
        await gateway.settled()
        (request,) = gateway.records("request")

    assert (request["status"], request["outcome"]) == (499, "client_closed")
    assert len(gateway.records("attempt")) == 1


async def test_what_an_unpriced_backend_cost_is_not_called_nothing(
    upstream: FaultLLM, tmp_path: Path
):
    free = backend("free", 1, upstream.url, price=None)
    dear = backend("dear", 2, upstream.url)
    catalog = Catalog((Tier(1, "a", 50), Tier(2, "b")), (free, dear))
    async with serving(catalog, tmp_path) as gateway:
        reply = await ask(gateway)
        (request,) = gateway.records("request")

    assert "x-llm-router-cost" not in reply.headers
    assert "x-llm-router-saved" not in reply.headers
    assert request["saved_nano"] == 0
    assert request["decisions"][-1] == {
        "step": "cost",
        "text": "free has no price: the cost is unknown.",
    }
    assert catalog.unpriced == (free,)


@pytest.mark.parametrize("provider", ["openai-compatible", "anthropic"])
async def test_a_request_is_fitted_to_the_model_the_router_chose(
    upstream: FaultLLM, tmp_path: Path, provider: str
):
    only = backend(
        "only",
        1,
        upstream.url,
        provider=provider,
        max_output_tokens=100,
        context_window=1000,
        capabilities="-sampling",
    )
    async with serving(Catalog((Tier(1, "a"),), (only,)), tmp_path) as gateway:
        reply = await ask(gateway, temperature=0, top_p=0.5, max_tokens=64_000)
        (request,) = gateway.records("request")

    (attempt,) = upstream.attempts
    assert reply.status == 200
    assert attempt.body["max_tokens"] == 100
    assert not {"temperature", "top_p"} & attempt.body.keys()
    told = [step["text"] for step in request["decisions"] if step["step"] == "dialect"]
    assert "only takes no temperature: it was left out." in told
    assert "only writes 100 tokens at most: max_tokens was 64000." in told
