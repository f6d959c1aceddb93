"""What `POST /v1/responses` takes that no chat can say, and what nobody takes."""

from pathlib import Path

import pytest

from routing.catalog import Catalog
from tests.faultllm import FaultLLM
from tests.gateway.responses.asking import (
    NATIVE,
    SEARCH,
    TOOL,
    catalog,
    events,
    plain,
    respond,
)
from tests.harness import TIERS, backend, serving

BEYOND = [
    ({"tools": SEARCH}, "tools[0].type"),
    ({"tools": [{"type": "custom", "name": "a"}]}, "tools[0].type"),
    ({"truncation": "auto"}, "truncation"),
    ({"top_logprobs": 2}, "top_logprobs"),
    ({"include": ["message.output_text.logprobs"]}, "include"),
    ({"include": ["reasoning.encrypted_content", "something.new"]}, "include"),
    ({"something_new": 1}, "something_new"),
    (
        {
            "given": [
                {
                    "role": "user",
                    "content": [{"type": "input_image", "file_id": "file-1"}],
                }
            ]
        },
        "input[0].content[0]",
    ),
]


OF_OTHERS = [
    "web_search_call.results",
    "web_search_call.action.sources",
    "file_search_call.results",
    "code_interpreter_call.outputs",
    "computer_call_output.output.image_url",
    "message.input_image.image_url",
]


@pytest.mark.parametrize("origin", ["openai", "anthropic"])
async def test_parts_of_items_that_cannot_be_there_are_no_reason_to_refuse(
    upstream: FaultLLM, tmp_path: Path, origin: str
):
    async with serving(catalog(upstream.url, origin), tmp_path) as gateway:
        reply = await respond(gateway, include=OF_OTHERS)
        searching = await respond(gateway, include=OF_OTHERS, tools=SEARCH)

    assert reply.status == 200
    assert (searching.status, searching.error["param"]) == (400, "tools[0].type")


async def test_what_to_include_that_nobody_here_knows_is_a_400_over_anthropic(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(catalog(upstream.url, "anthropic"), tmp_path) as gateway:
        reply = await respond(gateway, include=["something.new"])

    assert (reply.status, reply.error["param"]) == (400, "include")
    assert "'something.new'" in reply.error["message"]
    assert upstream.attempts == []


@pytest.mark.parametrize(("body", "param"), BEYOND)
async def test_what_no_chat_has_is_a_400_with_the_field(
    upstream: FaultLLM, tmp_path: Path, body: dict, param: str
):
    async with serving(catalog(upstream.url), tmp_path) as gateway:
        reply = await respond(gateway, **{"given": "Hi", **body})

    if param != "input[0].type":  # nothing else is in it
        assert reply.error["code"] == "unsupported_parameter"
        assert reply.error["param"] == param
        assert param in reply.error["message"]
    assert reply.status == 400
    assert upstream.attempts == []


@pytest.mark.parametrize("stream", [False, True])
async def test_a_backend_with_the_api_gets_it_as_it_is_and_keeps_nothing(
    upstream: FaultLLM, tmp_path: Path, stream: bool
):
    chat = backend("chat", 1, upstream.url)
    native = backend("native", 1, upstream.url, **NATIVE)
    both = Catalog(TIERS[:1], (chat, native))
    async with serving(both, tmp_path) as gateway:
        replies = [
            await respond(gateway, tools=tools, stream=stream, metadata={"a": "b"})
            for tools in (SEARCH, SEARCH, [*SEARCH, TOOL])
        ]

    (attempt, _, _) = upstream.attempts
    assert (attempt.path, attempt.model) == ("/v1/responses", "native")
    assert attempt.body["tools"] == SEARCH
    assert attempt.body["metadata"] == {"a": "b"}
    assert attempt.body["store"] is False
    for reply in replies:  # what a tool of the provider found is bought each time
        assert reply.headers["x-llm-router-cache"] == "MISS"
    response = events(replies[0])[-1]["response"] if stream else replies[0].json
    assert [item["type"] for item in response["output"]] == [
        "web_search_call",
        "message",
    ]
    row = gateway.records("attempt")[0]
    assert (row["state"], row["prompt_tokens"]) == ("billed", 2)
    assert row["completion_tokens"] == response["usage"]["output_tokens"]


@pytest.mark.parametrize("stream", [False, True])
async def test_an_untranslated_answer_without_tools_is_kept_for_the_same_request(
    upstream: FaultLLM, tmp_path: Path, stream: bool
):
    async with serving(catalog(upstream.url, "native"), tmp_path) as gateway:
        first = await respond(gateway, truncation="auto", stream=stream)
        again = await respond(gateway, truncation="auto", stream=not stream)
        other = await respond(gateway, truncation="auto", top_logprobs=1)

    assert again.headers["x-llm-router-cache"] == "HIT"
    assert other.headers["x-llm-router-cache"] == "MISS"
    final = events(first if stream else again)[-1]["response"]
    assert plain(final) == plain((again if stream else first).json)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("previous_response_id", "resp_1"),
        ("conversation", "conv_1"),
        ("store", True),
        ("background", True),
        ("prompt", {"id": "pmpt_1"}),
    ],
)
async def test_state_at_a_provider_is_a_400_whatever_the_backend(
    upstream: FaultLLM, tmp_path: Path, field: str, value: object
):
    async with serving(catalog(upstream.url, "native"), tmp_path) as gateway:
        reply = await respond(gateway, **{field: value})

    assert (reply.status, reply.error["param"]) == (400, field)
    assert reply.error["code"] == "unsupported_parameter"
    assert "nothing is kept at a provider" in reply.error["message"]


@pytest.mark.parametrize("origin", ["openai", "anthropic", "native"])
@pytest.mark.parametrize("kind", [{"type": "item_reference"}, {"type": None}, {}])
async def test_a_reference_to_an_item_is_a_400_that_says_what_to_send(
    upstream: FaultLLM, tmp_path: Path, origin: str, kind: dict
):
    given = [{"role": "user", "content": "Hi"}, {"id": "msg_1", **kind}]
    async with serving(catalog(upstream.url, origin), tmp_path) as gateway:
        reply = await respond(gateway, given)

    assert (reply.status, reply.error["param"]) == (400, "input[1]")
    assert reply.error["code"] == "unsupported_parameter"
    assert "Send the item itself" in reply.error["message"]
    assert not upstream.attempts


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"given": None}, "input"),
        ({"given": []}, "input"),
        ({"given": 1}, "input"),
        ({"given": ["Hi"]}, "input[0]"),
        ({"given": [{"role": "king", "content": "Hi"}]}, "input[0].role"),
        ({"given": [{"role": "user"}]}, "input[0].content"),
        ({"given": [{"role": "user", "content": [1]}]}, "input[0].content[0]"),
        (
            {"given": [{"role": "user", "content": [{"type": "input_text"}]}]},
            "input[0].content[0]",
        ),
        ({"given": [{"type": "function_call", "name": "f"}]}, "input[0].call_id"),
        ({"given": [{"type": "function_call_output"}]}, "input[0].call_id"),
        ({"tools": "all"}, "tools"),
        ({"tools": [1]}, "tools[0]"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tool_choice": 1}, "tool_choice"),
        ({"text": []}, "text"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format"),
        ({"text": {"format": 1}}, "text.format"),
        ({"reasoning": "high"}, "reasoning"),
        ({"include": [1]}, "include"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"instructions": 1}, "instructions"),
        ({"stream": "yes"}, "stream"),
        ({"temperature": 9}, "temperature"),
        ({"metadata": "a"}, "metadata"),
    ],
)
async def test_what_is_wrong_is_a_400_with_the_parameter(
    upstream: FaultLLM, tmp_path: Path, body: dict, param: str
):
    async with serving(catalog(upstream.url), tmp_path) as gateway:
        reply = await respond(gateway, **{"given": "Hi", **body})

    assert (reply.status, reply.error["param"]) == (400, param)
