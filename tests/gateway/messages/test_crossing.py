"""Answers, calls and requests that cross from one dialect to the other."""

import asyncio

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
    streamed,
)
from tests.harness import backend


@BOTH
@pytest.mark.parametrize("first", ["anthropic", "openai"])
async def test_an_answer_paid_for_in_one_dialect_serves_the_other(
    upstream, gateway, client, openai_client, provider, first
):
    gateway.serve_catalog(one(upstream.url, provider))
    chat = {**asking("Once?"), "stream": False}
    if first == "anthropic":
        paid = (await client.messages.create(**asking("Once?"))).content[0].text
    else:
        completion = await openai_client.chat.completions.create(**chat)
        paid = completion.choices[0].message.content

    whole = await client.messages.create(**asking("Once?"))
    stream = await streamed(client, **asking("Once?"))
    completion = await openai_client.chat.completions.create(**chat)
    chunks = [
        chunk
        async for chunk in await openai_client.chat.completions.create(
            **{**chat, "stream": True}, stream_options={"include_usage": True}
        )
    ]

    (sent,) = upstream.attempts
    assert whole.content[0].text == stream.content[0].text == paid
    assert completion.choices[0].message.content == paid
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == paid
    assert whole.usage.output_tokens == sent.completion_billed
    assert stream.usage.output_tokens == sent.completion_billed
    assert completion.usage.completion_tokens == sent.completion_billed
    assert chunks[-1].usage.prompt_tokens == sent.prompt_billed


@BOTH
@pytest.mark.parametrize("stream", [False, True])
async def test_readers_of_both_dialects_share_a_call_in_flight(
    upstream, gateway, client, openai_client, provider, stream
):
    gateway.serve_catalog(one(upstream.url, provider, "fault/hold"))

    async def by_openai() -> str:
        chat = openai_client.chat.completions
        if not stream:
            answer = await chat.create(**asking("Together?"))
            return answer.choices[0].message.content
        chunks = await chat.create(**asking("Together?"), stream=True)
        return "".join([c.choices[0].delta.content or "" async for c in chunks])

    async def by_anthropic() -> str:
        ask = streamed if stream else create
        return (await ask(client, **asking("Together?"))).content[0].text

    tasks = [asyncio.ensure_future(ask()) for ask in (by_openai, by_anthropic) * 2]
    await gateway.called(requests=4)
    await upstream.until(lambda: upstream.holding == 1)
    upstream.release()
    texts = await asyncio.gather(*tasks)

    assert len(set(texts)) == 1
    assert len(upstream.attempts) == 1


async def test_what_changes_the_answer_tells_requests_apart_and_marks_do_not(
    upstream, gateway, client
):
    same = [
        {},
        {"metadata": {"user_id": "u"}},
        {"cache_control": {"type": "ephemeral"}},
        {"system": ""},
    ]
    others = [
        {"thinking": THINKING},
        {"output_config": {"effort": "low"}},
        {"system": [{"type": "text", "text": "Be brief."}]},
        {"extra_headers": {"anthropic-beta": "b"}},
        {"max_tokens": 2001},
        {"extra_body": {"top_k": 3}, "extra_headers": OLD_VERSION},
        {"stop_sequences": ["END"]},
    ]
    for more in [*same, *others]:
        await client.messages.create(**{**asking("Same?"), **more})

    assert len(upstream.attempts) == 1 + len(others)


OLD_VERSION = {"anthropic-version": "2023-06-01"}


# --- What can't be said ---------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"extra_body": {"top_k": 5}, "extra_headers": OLD_VERSION}, "top_k"),
        ({"extra_body": {"container": "c"}}, "container"),
        (
            {"tools": [{"type": "web_search_20260318", "name": "web_search"}]},
            "tools.0.type",
        ),
    ],
)
async def test_what_openai_cannot_express_is_400_and_named_or_goes_to_anthropic(
    upstream, gateway, client, more, param
):
    gateway.serve_catalog(one(upstream.url, "openai-compatible"))
    with pytest.raises(anthropic.BadRequestError) as error:
        await client.messages.create(**asking(), **more)
    assert param in error.value.body["error"]["message"]
    assert upstream.attempts == []

    backends = tuple(
        backend(name, 1, upstream.url, provider=provider, model=name)
        for name, provider in (("m1", "openai-compatible"), ("m2", "anthropic"))
    )
    gateway.serve_catalog(Catalog((Tier(1, "small"),), backends))
    for number in range(4):  # whichever is looked at first
        await client.messages.create(**asking(f"Hi {number}"), **more)
    assert {attempt.model for attempt in upstream.attempts} == {"m2"}


async def test_long_names_of_tools_reach_openai_shortened_and_come_back_whole(
    upstream, gateway, client
):
    gateway.serve_catalog(one(upstream.url, "openai-compatible", "fault/tool-call"))
    name = "mcp__a_server_with_a_long_name__" + "and_a_tool_with_a_longer_one" * 2
    tool = {**TOOL, "name": name}
    body = asking(tools=[tool], tool_choice={"type": "tool", "name": name})
    whole = await client.messages.create(**body)
    said = {"role": "assistant", "content": [b.to_dict() for b in whole.content]}
    result = {
        "type": "tool_result",
        "tool_use_id": whole.content[0].id,
        "content": "x",
    }
    body["messages"] += [said, {"role": "user", "content": [result]}]
    stream = await streamed(client, **body)
    first, second = (attempt.body for attempt in upstream.attempts)
    short = first["tools"][0]["function"]["name"]

    assert whole.content[0].name == stream.content[0].name == name
    assert len(short) == 64
    assert first["tool_choice"]["function"]["name"] == short
    assert second["messages"][1]["tool_calls"][0]["function"]["name"] == short


async def test_the_notes_of_a_crossing_stand_in_the_story(upstream, gateway, client):
    gateway.serve_catalog(one(upstream.url, "openai-compatible"))
    await client.messages.create(**asking(cache_control={"type": "ephemeral"}))
    (request,) = gateway.records("request")

    steps = [d for d in request["decisions"] if d["step"] == "dialect"]
    assert "cache" in steps[0]["text"]
