"""OpenAI's SDK in front, Anthropic's Messages API behind."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import openai
import pytest
from openai import AsyncOpenAI

from routing.catalog import Catalog
from tests.faultllm import FaultLLM
from tests.gateway.claude import claude
from tests.gateway.sdk import says
from tests.harness import Gateway, backend, serving

TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
PIXEL = "data:image/png;base64,iVBORw0KGgo="


@pytest.fixture
async def gateway(upstream: FaultLLM, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with serving(claude(upstream.url), tmp_path) as running:
        yield running


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[AsyncOpenAI]:
    base = f"{gateway.url}/v1"
    async with AsyncOpenAI(base_url=base, api_key="any", max_retries=0) as made:
        yield made


async def test_a_whole_answer(upstream: FaultLLM, gateway: Gateway, client):
    answer = await client.chat.completions.create(
        model="auto",
        messages=[{"role": "system", "content": "Be brief."}, *says("Hi cached=100")],
        max_tokens=50,
        stop=["END"],
    )
    sent = upstream.attempts[0]

    assert answer.object == "chat.completion"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.choices[0].message.content.startswith("Answer to: Hi")
    assert answer.created > 0
    assert sent.path == "/v1/messages"
    assert sent.body["system"] == "Be brief."
    text = {"type": "text", "text": "Hi cached=100"}
    assert sent.body["messages"] == [{"role": "user", "content": [text]}]
    assert (sent.body["max_tokens"], sent.body["stop_sequences"]) == (50, ["END"])
    assert sent.headers["anthropic-version"] == "2023-06-01"
    assert upstream.saw_key("upstream-key")
    (attempt,) = gateway.records("attempt")
    assert attempt["cached_tokens"] == 100
    assert attempt["prompt_tokens"] == sent.prompt_billed
    assert answer.usage.prompt_tokens_details.cached_tokens == 100


async def test_a_stream(upstream: FaultLLM, gateway: Gateway, client):
    stream = await client.chat.completions.create(
        model="auto",
        messages=says("Count to three."),
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]

    assert chunks[0].choices[0].delta.role == "assistant"
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == upstream.attempts[0].completion_billed
    await gateway.settled()
    (attempt,) = gateway.records("attempt")
    assert attempt["state"] == "billed"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_tool_is_called_and_its_result_goes_back(
    upstream: FaultLLM, gateway: Gateway, client, stream: bool
):
    gateway.serve_catalog(claude(upstream.url, "fault/tool-call"))
    asked = {"model": "auto", "messages": says("Weather in Rome?"), "tools": [TOOL]}
    if stream:
        async with client.chat.completions.stream(**asked) as events:
            async for _ in events:
                pass
            answer = await events.get_final_completion()
    else:
        answer = await client.chat.completions.create(**asked)
    message = answer.choices[0].message
    gateway.serve_catalog(claude(upstream.url))
    (call,) = message.tool_calls
    result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    history = [*asked["messages"], message.model_dump(exclude_none=True), result]
    await client.chat.completions.create(model="auto", messages=history, tools=[TOOL])

    assert answer.choices[0].finish_reason == "tool_calls"
    assert call.function.name == "weather"
    assert isinstance(json.loads(call.function.arguments), dict)
    _, assistant, user = upstream.attempts[1].body["messages"]
    assert assistant["content"][-1]["id"] == call.id
    assert user["content"][0]["tool_use_id"] == call.id


async def test_an_agent_that_names_its_assistant_goes_on(
    upstream: FaultLLM, gateway: Gateway, client
):
    answer = await client.chat.completions.create(
        model="auto",
        messages=[
            *says("Hi"),
            {"role": "assistant", "content": "Hello.", "name": "model"},
            *says("More."),
        ],
    )

    assert answer.choices[0].message.content
    said = {"role": "assistant", "content": [{"type": "text", "text": "Hello."}]}
    assert upstream.attempts[0].body["messages"][1] == said


async def test_an_image_and_a_json_schema(upstream: FaultLLM, gateway, client):
    await client.chat.completions.create(
        model="auto",
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": PIXEL}},
                ],
            }
        ],
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "thing", "schema": {"type": "object"}},
        },
    )
    body = upstream.attempts[0].body

    assert body["messages"][0]["content"][1]["source"]["media_type"] == "image/png"
    assert body["output_config"]["format"]["schema"] == {"type": "object"}


@pytest.mark.parametrize(
    ("script", "reason"),
    [("length", "length"), ("refusal", "content_filter")],
)
async def test_stop_reasons(
    upstream: FaultLLM, gateway: Gateway, client, script: str, reason: str
):
    gateway.serve_catalog(claude(upstream.url, f"fault/{script}"))
    answer = await client.chat.completions.create(model="auto", messages=says("Hi"))
    again = await client.chat.completions.with_raw_response.create(
        model="auto", messages=says("Hi")
    )

    assert answer.choices[0].finish_reason == reason
    assert again.headers["x-llm-router-cache"] == "MISS"


@pytest.mark.parametrize(
    ("field", "value"), [("n", 2), ("logprobs", True), ("seed", 7), ("logit_bias", {})]
)
async def test_what_anthropic_cannot_express_is_400_and_named(
    upstream: FaultLLM, client, field: str, value: object
):
    if value == {}:
        value = {"50256": -100}
    with pytest.raises(openai.BadRequestError) as error:
        await client.chat.completions.create(
            model="auto", messages=says("Hi"), **{field: value}
        )

    assert field in error.value.message
    assert upstream.attempts == []


async def test_what_anthropic_cannot_express_goes_to_a_backend_that_can(
    upstream: FaultLLM, gateway: Gateway, client
):
    only = claude(upstream.url)
    other = backend("other", 1, upstream.url)
    gateway.serve_catalog(Catalog(only.tiers, (*only.backends, other)))
    answers = [
        await client.chat.completions.with_raw_response.create(
            model="auto", messages=says(f"Hi {number}"), **extra
        )
        for number, extra in enumerate(({"logprobs": True}, {"seed": 7}))
    ]

    assert {answer.headers["x-llm-router-model"] for answer in answers} == {"other"}


@pytest.mark.parametrize("at", [0, 3])
async def test_an_error_event_ends_the_stream_as_an_error(
    upstream: FaultLLM, gateway: Gateway, client, at: int
):
    gateway.serve_catalog(claude(upstream.url, f"fault/error-event-at-{at}"))
    with pytest.raises(openai.APIError):
        stream = await client.chat.completions.create(
            model="auto", messages=says("Hi"), stream=True
        )
        async for _ in stream:
            pass


async def test_a_stream_without_message_stop_is_cut_off(
    upstream: FaultLLM, gateway: Gateway, client
):
    gateway.serve_catalog(claude(upstream.url, "fault/fin-without-done"))
    with pytest.raises(openai.APIError):
        stream = await client.chat.completions.create(
            model="auto", messages=says("Hi"), stream=True
        )
        async for _ in stream:
            pass
    await gateway.settled()

    assert gateway.records("request")[0]["outcome"] == "error"


async def test_the_same_question_is_answered_from_the_cache_of_a_translated_answer(
    upstream: FaultLLM, client
):
    first = await client.chat.completions.create(model="auto", messages=says("Once?"))
    stream = await client.chat.completions.create(
        model="auto", messages=says("Once?"), stream=True
    )
    chunks = [chunk async for chunk in stream]

    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == first.choices[0].message.content
    assert len(upstream.attempts) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_what_was_written_for_an_hour_is_charged_as_such(
    upstream: FaultLLM, gateway: Gateway, client, stream: bool
):
    answer = await client.chat.completions.create(
        model="auto",
        messages=[{"role": "user", "content": "Hi cache_write=50 cache_write_1h=20"}],
        max_tokens=5,
        stream=stream,
    )
    if stream:
        async for _ in answer:
            pass
    await gateway.settled()
    (attempt,) = gateway.records("attempt")

    assert (attempt["cache_write_tokens"], attempt["cache_write_1h_tokens"]) == (50, 20)
    plain = attempt["prompt_tokens"] - 50
    tokens = attempt["completion_tokens"]
    assert attempt["cost_nano"] == (
        plain * 1000 + 30 * 1250 + 20 * 2000 + tokens * 5000
    )
