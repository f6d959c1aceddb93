"""Scripts that change what is said."""

import json

import pytest

from tests.faultllm import FaultLLM, digest
from tests.faultllm_selftest.raw import CHAT, MESSAGES, Json, Reply, ask


def finish_of(reply: Reply) -> str:
    body = reply.json()
    return (
        body["choices"][0]["finish_reason"]
        if "choices" in body
        else body["stop_reason"]
    )


async def test_separate_answers_to_the_same_prompt_can_be_told_apart(
    upstream: FaultLLM,
) -> None:
    texts = [
        (await ask(upstream, "m")).json()["choices"][0]["message"]["content"]
        for _ in range(2)
    ]

    assert texts == [
        "Answer to: hello there world (call 1)",
        "Answer to: hello there world (call 2)",
    ]


async def test_only_who_asks_gets_usage_in_a_stream(upstream: FaultLLM) -> None:
    plain = await ask(upstream, "m", stream=True)
    asked = await ask(
        upstream, "m", stream=True, stream_options={"include_usage": True}
    )

    assert all("usage" not in chunk for chunk in plain.chunks())
    *others, last = asked.chunks()
    assert {chunk["usage"] for chunk in others} == {None}
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] == 10
    assert plain.events()[-1].data == asked.events()[-1].data == "[DONE]"


@pytest.mark.parametrize(
    ("path", "finish"), [(CHAT, "length"), (MESSAGES, "max_tokens")]
)
async def test_no_more_is_generated_than_max_tokens(
    upstream: FaultLLM, path: str, finish: str
) -> None:
    reply = await ask(upstream, "fault/words-40", path, max_tokens=5)

    assert "word5" in reply.body.decode()
    assert "word6" not in reply.body.decode()
    assert finish_of(reply) == finish
    assert upstream.attempts[0].completion_billed == 5


@pytest.mark.parametrize(
    ("script", "openai_finish", "anthropic_finish"),
    [
        ("length", "length", "max_tokens"),
        ("refusal", "stop", "refusal"),
        ("content-filter", "content_filter", "refusal"),
        ("tool-call", "tool_calls", "tool_use"),
        ("finish=tired", "tired", "tired"),
    ],
)
async def test_answers_end_for_the_reason_asked_for(
    upstream: FaultLLM, script: str, openai_finish: str, anthropic_finish: str
) -> None:
    chat = await ask(upstream, f"fault/{script}")
    message = await ask(upstream, f"fault/{script}", MESSAGES)

    assert finish_of(chat) == openai_finish
    assert finish_of(message) == anthropic_finish


async def test_a_refusal_is_no_content_in_openais_dialect(upstream: FaultLLM) -> None:
    whole = await ask(upstream, "fault/refusal")
    stream = await ask(upstream, "fault/refusal", stream=True)

    message = whole.json()["choices"][0]["message"]
    assert message["content"] is None
    assert message["refusal"] == "I can't help with that."
    deltas = [chunk["choices"][0]["delta"] for chunk in stream.chunks()]
    text = "".join(delta.get("refusal") or "" for delta in deltas)
    assert text == "I can't help with that."


async def test_an_echo_tells_what_arrived_but_no_key(upstream: FaultLLM) -> None:
    reply = await ask(
        upstream,
        "fault/echo",
        headers={"authorization": "Bearer sk-secret", "x-mine": "yes"},
        x_unknown={"kept": [1]},
        max_tokens=500,
    )

    received = json.loads(reply.json()["choices"][0]["message"]["content"])
    assert received["body"]["x_unknown"] == {"kept": [1]}
    assert received["headers"]["x-mine"] == "yes"
    assert received["headers"]["authorization"] == digest("sk-secret")
    assert b"sk-secret" not in reply.data


async def test_tool_call_deltas_come_out_of_order(upstream: FaultLLM) -> None:
    reply = await ask(upstream, "fault/tool-calls-out-of-order", stream=True)

    calls: list[Json] = [
        chunk["choices"][0]["delta"]["tool_calls"][0]
        for chunk in reply.chunks()
        if "tool_calls" in chunk["choices"][0]["delta"]
    ]
    assert [call["index"] for call in calls] == [1, 0, 1, 0, 1, 0, 1, 0]
    arguments = {0: "", 1: ""}
    for call in calls:
        arguments[call["index"]] += call["function"]["arguments"]
    assert arguments == {0: '{"city": "Paris"}', 1: '{"city": "Oslo"}'}


async def test_answers_can_name_another_model_and_have_unknown_fields(
    upstream: FaultLLM,
) -> None:
    body = (await ask(upstream, "fault/wrong-model=gpt-0+extra-fields")).json()

    assert body["model"] == "gpt-0"
    assert body["x_vendor"]["kept"] is True
    assert body["choices"][0]["x_logits"] == [0.5]


async def test_thoughts_are_billed_as_completion(upstream: FaultLLM) -> None:
    body = (await ask(upstream, "fault/reasoning")).json()

    assert body["choices"][0]["message"]["reasoning_content"] == "Let me think."
    assert body["usage"]["completion_tokens_details"]["reasoning_tokens"] == 3
    assert body["usage"]["completion_tokens"] == 10
    assert upstream.attempts[0].completion_billed == 10


@pytest.mark.parametrize(
    ("headers", "fields", "message"),
    [
        ({"anthropic-version": ""}, {}, "anthropic-version: header is required"),
        ({}, {"max_tokens": None}, "max_tokens: Field required"),
        (
            {"anthropic-version": "2026-10-21"},
            {"temperature": 1},
            "temperature: not supported in version 2026-10-21",
        ),
    ],
)
async def test_anthropic_is_as_strict_as_the_original(
    upstream: FaultLLM, headers: Json, fields: Json, message: str
) -> None:
    reply = await ask(upstream, "m", MESSAGES, headers=headers, **fields)

    assert reply.status == 400
    assert reply.json()["error"]["message"] == message
    assert not upstream.attempts[0].billed
