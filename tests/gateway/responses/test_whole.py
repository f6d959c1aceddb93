"""Whole answers of `POST /v1/responses`, with OpenAI's own SDK."""

from pathlib import Path

import orjson
import pytest
from pydantic import BaseModel

from tests.faultllm import FaultLLM
from tests.gateway.responses.asking import ORIGINS, SAID, TOOL, catalog, events, respond
from tests.gateway.sdk import client_of
from tests.harness import serving


@pytest.mark.parametrize("origin", ORIGINS)
async def test_the_sdk_gets_a_response_from_either_kind_of_backend(
    upstream: FaultLLM, tmp_path: Path, origin: str
):
    served = serving(catalog(upstream.url, origin), tmp_path)
    async with served as gateway, client_of(gateway) as ai:
        response = await ai.responses.create(
            model="small",
            instructions="Be brief.",
            input="Hi there",
            max_output_tokens=100,
            metadata={"case": "1"},
        )

    assert response.output_text == SAID
    assert response.status == "completed"
    assert response.id.startswith("resp_")
    assert response.instructions == "Be brief."
    assert response.metadata == {"case": "1"}
    assert response.store is False
    usage = response.usage
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens > 0
    (row,) = gateway.records("request")
    assert (row["endpoint"], row["dialect"]) == ("responses", "responses")
    assert row["prompt_tokens"] == usage.input_tokens
    assert row["cost_nano"] > 0
    sent = upstream.attempts[0].body
    assert "metadata" not in sent and "store" not in sent
    assert sent["max_tokens"] == 100
    if origin == "openai":
        assert sent["messages"][0] == {"role": "system", "content": "Be brief."}
    else:
        assert sent["system"] == "Be brief."


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_loop_of_tools_goes_round(
    upstream: FaultLLM, tmp_path: Path, origin: str, stream: bool
):
    upstream.script = ["two-tool-calls+reasoning", "ok"]
    served = serving(catalog(upstream.url, origin), tmp_path)
    async with served as gateway, client_of(gateway) as ai:
        history = [{"role": "user", "content": "What is the weather?"}]
        asked = {"model": "small", "tools": [TOOL], "tool_choice": "required"}
        asked |= {"include": ["reasoning.encrypted_content"]}
        if stream:
            async with ai.responses.stream(input=history, **asked) as events:
                first = await events.get_final_response()
        else:
            first = await ai.responses.create(input=history, **asked)
        calls = [item for item in first.output if item.type == "function_call"]
        assert [call.name for call in calls] == ["get_weather"] * 2
        assert all(orjson.loads(call.arguments)["city"] for call in calls)
        history += [item.model_dump(exclude_none=True) for item in first.output]
        history += [
            {
                "type": "function_call_output",
                "call_id": call.call_id,
                "output": "sunny",
            }
            for call in calls
        ]
        second = await ai.responses.create(input=history, model="small", tools=[TOOL])

    assert second.output_text.startswith("Answer to:")
    sent = upstream.attempts[1].body["messages"]
    ids = [call.call_id for call in calls]
    if origin == "openai":
        assert [m["role"] for m in sent] == ["user", "assistant", "tool", "tool"]
        assert [call["id"] for call in sent[1]["tool_calls"]] == ids
        assert [m["tool_call_id"] for m in sent[2:]] == ids
    else:
        kinds = [block["type"] for block in sent[1]["content"]]
        assert kinds == ["thinking", "tool_use", "tool_use"]  # and signed, as it was
        assert [block["tool_use_id"] for block in sent[2]["content"]] == ids


async def test_every_kind_of_input_arrives(upstream: FaultLLM, tmp_path: Path):
    items = [
        {"role": "developer", "content": [{"type": "input_text", "text": "Rules"}]},
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Look"},
                {"type": "input_image", "image_url": "https://a.b/c", "detail": "low"},
                {"type": "input_file", "file_data": "data:x", "filename": "a.pdf"},
            ],
        },
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
        {
            "type": "message",
            "role": "assistant",
            "id": "msg_1",
            "status": "completed",
            "content": [{"type": "output_text", "text": "I see", "annotations": []}],
        },
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {
            "type": "function_call_output",
            "call_id": "c1",
            "output": [{"type": "input_text", "text": "done"}],
        },
    ]
    async with serving(catalog(upstream.url), tmp_path) as gateway:
        reply = await respond(
            gateway,
            items,
            tools=[TOOL],
            tool_choice={"type": "function", "name": "get_weather"},
            parallel_tool_calls=False,
            reasoning={"effort": "low", "summary": "auto"},
            text={
                "verbosity": "low",
                "format": {
                    "type": "json_schema",
                    "name": "a",
                    "schema": {"type": "object"},
                    "strict": True,
                },
            },
            truncation="disabled",
            store=False,
        )

    assert reply.status == 200
    sent = upstream.attempts[0].body
    assert sent["messages"] == [
        {"role": "developer", "content": "Rules"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look"},
                {
                    "type": "image_url",
                    "image_url": {"url": "https://a.b/c", "detail": "low"},
                },
                {"type": "file", "file": {"file_data": "data:x", "filename": "a.pdf"}},
            ],
        },
        {
            "role": "assistant",
            "content": "I see",
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "f", "arguments": "{}"},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "done"},
    ]
    assert sent["tools"] == [
        {
            "type": "function",
            "function": {k: v for k, v in TOOL.items() if k != "type"},
        }
    ]
    assert sent["tool_choice"] == {
        "type": "function",
        "function": {"name": "get_weather"},
    }
    assert sent["parallel_tool_calls"] is False
    assert (sent["reasoning_effort"], sent["verbosity"]) == ("low", "low")
    assert sent["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "a", "schema": {"type": "object"}, "strict": True},
    }


class Echo(BaseModel):
    body: dict


async def test_the_sdk_parses_an_answer_by_its_schema(
    upstream: FaultLLM, tmp_path: Path
):
    upstream.always = "echo"
    async with (
        serving(catalog(upstream.url), tmp_path) as gateway,
        client_of(gateway) as ai,
    ):
        response = await ai.responses.parse(
            model="small", input="Hi there", text_format=Echo
        )

    assert response.output_parsed.body["model"] == "small"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize(
    ("script", "status", "reason"),
    [
        ("length", "incomplete", "max_output_tokens"),
        ("content-filter", "incomplete", "content_filter"),
    ],
)
async def test_an_answer_that_is_not_whole_says_why(
    upstream: FaultLLM,
    tmp_path: Path,
    origin: str,
    script: str,
    status: str,
    reason: str,
    stream: bool,
):
    upstream.always = script
    async with serving(catalog(upstream.url, origin), tmp_path) as gateway:
        reply = await respond(gateway, stream=stream)

    response = events(reply)[-1]["response"] if stream else reply.json
    assert response["status"] == status
    assert response["incomplete_details"] == {"reason": reason}
    if stream:
        assert events(reply)[-1]["type"] == "response.incomplete"
