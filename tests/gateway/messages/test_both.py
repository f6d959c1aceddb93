"""Anthropic's SDK in front, either API behind."""

import anthropic
import pytest

from routing.catalog import Catalog, Tier
from tests.gateway.messages.asking import (
    BOTH,
    THINKING,
    TOOL,
    asking,
    create,
    one,
    raw_events,
    streamed,
)
from tests.harness import backend


@BOTH
async def test_a_whole_answer(upstream, gateway, client, provider):
    gateway.serve_catalog(one(upstream.url, provider))
    answer = await client.messages.with_raw_response.create(
        **asking("Hi cached=100 cache_write=20", system="Be brief.")
    )
    message = await answer.parse()
    (sent,) = upstream.attempts

    assert message.content[0].text.startswith("Answer to: Hi")
    assert message.stop_reason == "end_turn"
    usage = message.usage
    assert usage.cache_read_input_tokens == 100
    assert usage.cache_creation_input_tokens == 20
    assert usage.input_tokens == sent.prompt_billed - 120
    assert usage.output_tokens == sent.completion_billed
    assert message._request_id == answer.headers["request-id"]
    assert answer.headers["x-llm-router-model"] == "only"
    (attempt,) = gateway.records("attempt")
    assert (attempt["state"], attempt["dialect"]) == ("billed", "anthropic")
    assert attempt["prompt_tokens"] == sent.prompt_billed
    (request,) = gateway.records("request")
    assert (request["endpoint"], request["outcome"]) == ("messages", "ok")


@BOTH
async def test_a_stream(upstream, gateway, client, provider):
    gateway.serve_catalog(one(upstream.url, provider))
    message = await streamed(client, **asking("Count to three. cached=100"))
    (sent,) = upstream.attempts

    assert message.content[0].text.startswith("Answer to: Count")
    assert message.usage.input_tokens == sent.prompt_billed - 100
    assert message.usage.cache_read_input_tokens == 100
    assert message.usage.output_tokens == sent.completion_billed
    await gateway.settled()
    (attempt,) = gateway.records("attempt")
    assert attempt["state"] == "billed"


@BOTH
async def test_the_bytes_of_a_stream(upstream, gateway, provider):
    gateway.serve_catalog(one(upstream.url, provider, "fault/reasoning+two-tool-calls"))
    events = await raw_events(
        gateway, **asking(stream=True, thinking=THINKING, tools=[TOOL])
    )

    assert all(name == data["type"] for name, data in events)
    names = [name for name, _ in events if name != "ping"]
    assert names[0] == "message_start"
    assert names[-2:] == ["message_delta", "message_stop"]
    assert names.count("message_start") == names.count("message_stop") == 1
    starts = [data for name, data in events if name == "content_block_start"]
    assert [data["index"] for data in starts] == [0, 1, 2]
    kinds = [data["content_block"]["type"] for data in starts]
    assert kinds == ["thinking", "tool_use", "tool_use"]


@BOTH
@pytest.mark.parametrize("stream", [False, True])
async def test_parallel_tools_over_three_turns(
    upstream, gateway, client, provider, stream
):
    gateway.serve_catalog(one(upstream.url, provider, "fault/two-tool-calls"))
    body = asking("Weather?", tools=[TOOL])
    ask = streamed if stream else create
    for turn in (1, 2):
        message = await ask(client, **body)
        assert message.stop_reason == "tool_use"
        uses = message.content
        assert [use.input for use in uses] == [{"city": "Paris"}, {"city": "Oslo"}]
        results = [
            {"type": "tool_result", "tool_use_id": uses[0].id, "content": "sunny"},
            {
                "type": "tool_result",
                "tool_use_id": uses[1].id,
                "content": [{"type": "text", "text": "no such city"}],
                "is_error": True,
            },
        ]
        said = {"role": "assistant", "content": [use.to_dict() for use in uses]}
        body["messages"] += [said, {"role": "user", "content": results}]
        assert len(upstream.attempts) == turn
    gateway.serve_catalog(one(upstream.url, provider))
    last = await ask(client, **body)

    assert last.stop_reason == "end_turn"
    sent = upstream.attempts[-1].body["messages"]
    if provider == "anthropic":
        assert sent == body["messages"]
    else:
        roles = [message["role"] for message in sent]
        assert roles == ["user", *["assistant", "tool", "tool"] * 2]
        assert sent[3]["content"] == "Error:\n\nno such city"
        calls = sent[1]["tool_calls"]
        assert [call["id"] for call in calls] == [
            message["tool_call_id"] for message in sent[2:4]
        ]


@BOTH
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("ok", "end_turn"),
        ("length", "max_tokens"),
        ("tool-call", "tool_use"),
        ("refusal", "refusal"),
    ],
)
async def test_reasons_to_stop(upstream, gateway, client, provider, script, reason):
    gateway.serve_catalog(one(upstream.url, provider, f"fault/{script}"))
    body = asking(tools=[TOOL])

    assert (await client.messages.create(**body)).stop_reason == reason
    assert (await streamed(client, **body)).stop_reason == reason


@BOTH
@pytest.mark.parametrize("at", [0, 4])
async def test_an_error_inside_a_stream_is_an_error_event(
    upstream, gateway, client, provider, at
):
    gateway.serve_catalog(one(upstream.url, provider, f"fault/error-event-at-{at}"))
    with pytest.raises(anthropic.APIStatusError) as error:
        await streamed(client, **asking())
    await gateway.settled()

    assert error.value.body["type"] == "error"
    assert error.value.body["error"]["type"] in ("overloaded_error", "api_error")
    assert gateway.records("request")[0]["outcome"] == "error"


@BOTH
async def test_a_stream_that_is_cut_off_never_ends_well(
    upstream, gateway, client, provider
):
    gateway.serve_catalog(one(upstream.url, provider, "fault/fin-without-done"))
    with pytest.raises(anthropic.APIStatusError):
        await streamed(client, **asking())


async def test_one_message_start_after_a_fail_over(upstream, gateway):
    """The first backend announces its message and breaks off."""
    backends = tuple(
        backend(name, 1, upstream.url, provider=provider, model=name)
        for name, provider in (("m1", "anthropic"), ("m2", "openai-compatible"))
    )
    gateway.serve_catalog(Catalog((Tier(1, "small"),), backends))
    upstream.script = ["error-event-at-1", "ok"]
    events = await raw_events(gateway, **asking(stream=True))

    assert len(upstream.attempts) == 2
    names = [name for name, _ in events]
    assert names.count("message_start") == 1
    assert names[-1] == "message_stop"
