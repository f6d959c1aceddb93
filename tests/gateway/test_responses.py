"""`POST /v1/responses` through a real socket, with OpenAI's own SDK."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import openai
import orjson
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from routing.catalog import Catalog, Policy
from tests.faultllm import FaultLLM, ThreadedFaultLLM
from tests.harness import TIERS, Gateway, Reply, ask, backend, serving

ORIGINS = {
    "openai": {},
    "anthropic": {"provider": "anthropic"},
}
NATIVE = {"capabilities": "+responses"}
TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}
SEARCH = [{"type": "web_search"}]
SAID = "Answer to: Hi there (call 1)"


def catalog(url: str, origin: str = "openai", **fields: object) -> Catalog:
    policy = {k: fields.pop(k) for k in ("max_attempts",) if k in fields}
    only = backend("small", 1, url, **{**ORIGINS.get(origin, NATIVE), **fields})
    return Catalog(TIERS[:1], (only,), policy=Policy(**policy))


def sdk(gateway: Gateway) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="any", max_retries=0)


async def respond(
    gateway: Gateway, given: object = "Hi there", **body: object
) -> Reply:
    headers = body.pop("headers", None)
    async with httpx.AsyncClient(timeout=30, verify=False) as client:
        response = await client.post(
            f"{gateway.url}/v1/responses",
            json={"input": given, **body},
            headers=headers,
        )
    return Reply(response.status_code, response.headers, response.text)


def events(reply: Reply) -> list[dict]:
    """The events of a stream, each with its name on a line of its own."""
    found = []
    for block in reply.text.split("\n\n"):
        if block and not block.startswith(":"):
            name, data = block.split("\n")
            event = orjson.loads(data.removeprefix("data: "))
            assert name == f"event: {event['type']}"
            found.append(event)
    return found


# --- whole ----------------------------------------------------------------------------


@pytest.mark.parametrize("origin", ORIGINS)
async def test_the_sdk_gets_a_response_from_either_kind_of_backend(
    upstream: FaultLLM, tmp_path: Path, origin: str
):
    served = serving(catalog(upstream.url, origin), tmp_path)
    async with served as gateway, sdk(gateway) as ai:
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
    async with served as gateway, sdk(gateway) as ai:
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
    async with serving(catalog(upstream.url), tmp_path) as gateway, sdk(gateway) as ai:
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


# --- streams --------------------------------------------------------------------------


async def test_the_stream_is_this_to_the_byte(upstream: FaultLLM, tmp_path: Path):
    only = catalog(upstream.url, model="fault/words-1")
    async with serving(only, tmp_path) as gateway:
        reply = await respond(gateway, "Hi", stream=True)

    start = (
        '{"id":"resp_chatcmpl-fault1","object":"response","created_at":1760000000,'
        '"status":"%s","background":false,"error":null,"incomplete_details":null,'
        '"instructions":null,"max_output_tokens":null,"max_tool_calls":null,'
        '"metadata":{},"parallel_tool_calls":true,"service_tier":"default",'
        '"temperature":1.0,"tool_choice":"auto","tools":[],"top_logprobs":0,'
        '"top_p":1.0,"truncation":"disabled","user":null,"model":"fault/words-1",'
        '"output":%s,"previous_response_id":null,'
        '"reasoning":{"effort":null,"summary":null},"store":false,'
        '"text":{"format":{"type":"text"}},"usage":%s}'
    )
    id = "msg_chatcmpl-fault1_0"
    part = '{"type":"output_text","text":"word1","annotations":[],"logprobs":[]}'
    item = (
        f'{{"id":"{id}","type":"message","status":"completed","role":"assistant",'
        f'"content":[{part}]}}'
    )
    usage = (
        '{"input_tokens":1,"input_tokens_details":{"cached_tokens":0,'
        '"cache_write_tokens":0},"output_tokens":1,'
        '"output_tokens_details":{"reasoning_tokens":0},"total_tokens":2}'
    )
    place = f'"item_id":"{id}","output_index":0,"content_index":0'
    told = [
        ("created", f'"response":{start % ("in_progress", "[]", "null")}'),
        ("in_progress", f'"response":{start % ("in_progress", "[]", "null")}'),
        (
            "output_item.added",
            f'"output_index":0,"item":{{"id":"{id}","type":"message",'
            '"status":"in_progress","role":"assistant","content":[]}',
        ),
        ("content_part.added", f'{place},"part":{part.replace("word1", "")}'),
        ("output_text.delta", f'{place},"delta":"word1","logprobs":[]'),
        ("output_text.done", f'{place},"text":"word1","logprobs":[]'),
        ("content_part.done", f'{place},"part":{part}'),
        ("output_item.done", f'"output_index":0,"item":{item}'),
        ("completed", f'"response":{start % ("completed", f"[{item}]", usage)}'),
    ]
    assert reply.text == "".join(
        f'event: response.{kind}\ndata: {{"type":"response.{kind}",'
        f'"sequence_number":{number},{rest}}}\n\n'
        for number, (kind, rest) in enumerate(told)
    )


@pytest.mark.parametrize("origin", [*ORIGINS, "native"])
async def test_the_sdk_reads_the_stream_and_its_final_response(
    upstream: FaultLLM, tmp_path: Path, origin: str
):
    upstream.always = "reasoning"
    tools = SEARCH if origin == "native" else []
    served = serving(catalog(upstream.url, origin), tmp_path)
    async with (
        served as gateway,
        sdk(gateway) as ai,
        ai.responses.stream(model="small", input="Hi there", tools=tools) as stream,
    ):
        seen = [event async for event in stream]
        final = await stream.get_final_response()

    numbers = [event.sequence_number for event in seen]
    assert numbers == list(range(len(seen)))
    deltas = [e.delta for e in seen if e.type == "response.output_text.delta"]
    assert "".join(deltas) == final.output_text == SAID
    assert len(deltas) > 1
    assert final.usage.output_tokens > 0
    thoughts = [item for item in final.output if item.type == "reasoning"]
    if origin != "native":
        assert "".join(s.text for s in thoughts[0].summary).strip()
        assert [item.type for item in final.output] == ["reasoning", "message"]


def test_the_synchronous_sdk_streams_too(
    threaded_upstream: ThreadedFaultLLM,
    live_gateway: Callable[[Catalog], AbstractContextManager[str]],
):
    with (
        live_gateway(catalog(threaded_upstream.url)) as url,
        OpenAI(base_url=f"{url}/v1", api_key="any") as ai,
    ):
        whole = ai.responses.create(model="small", input="Hi there")
        with ai.responses.stream(model="small", input="Hi there") as stream:
            kinds = [event.type for event in stream]
            final = stream.get_final_response()

    assert final.output_text == whole.output_text == SAID
    assert kinds[0] == "response.created" and kinds[-1] == "response.completed"


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize(
    "script",
    ["ok", "unicode", "reasoning", "tool-call", "two-tool-calls", "refusal", "length"]
    + ["tool-calls-out-of-order", "tool-call+one-byte", "split-utf8"],
)
async def test_a_stream_says_what_the_whole_answer_says(
    upstream: FaultLLM, tmp_path: Path, origin: str, script: str
):
    fields = {"tools": [TOOL], "include": ["reasoning.encrypted_content"]}
    bypass = {"headers": {"cache-control": "no-store"}}
    upstream.always = script
    async with serving(catalog(upstream.url, origin), tmp_path) as gateway:
        whole = await respond(gateway, **fields, **bypass)
        streamed = await respond(gateway, stream=True, **fields, **bypass)

    told = events(streamed)
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    assert plain(told[-1]["response"]) == plain(whole.json)
    assert plain(rebuilt(told)) == plain(whole.json)


def rebuilt(told: list[dict]) -> dict:
    """The response as its items alone add up."""
    final = told[-1]["response"]
    done = [e for e in told if e["type"] == "response.output_item.done"]
    items = {event["output_index"]: event["item"] for event in done}
    return {**final, "output": [items[at] for at in sorted(items)]}


def plain(response: dict) -> list[tuple]:
    """What an answer says, without what differs between any two."""
    said = [("status", response["status"])]
    for item in response["output"]:
        match item["type"]:
            case "message":
                said += [
                    (
                        p["type"],
                        p.get("text", p.get("refusal")).replace("(call 2)", "(call 1)"),
                    )
                    for p in item["content"]
                ]
            case "function_call":
                said.append((item["name"], orjson.loads(item["arguments"])))
            case "reasoning":
                text = "".join(each["text"] for each in item["summary"])
                said.append(("reasoning", text.strip(), "encrypted_content" in item))
    return sorted(said, key=repr)  # interleaved calls come in the order they began


# --- reuse ----------------------------------------------------------------------------


@pytest.mark.parametrize("origin", ORIGINS)
async def test_one_answer_serves_responses_and_chats_whole_and_streamed(
    upstream: FaultLLM, tmp_path: Path, origin: str
):
    async with serving(catalog(upstream.url, origin), tmp_path) as gateway:
        chat = await ask(gateway, "Hi there")
        item = {"role": "user", "content": [{"type": "input_text", "text": "Hi there"}]}
        whole = await respond(gateway)
        streamed = await respond(gateway, [item], stream=True)

    assert whole.headers["x-llm-router-cache"] == "HIT"
    assert streamed.headers["x-llm-router-cache"] == "HIT"
    assert whole.json["output"][0]["content"][0]["text"] == chat.content
    told = events(streamed)
    assert plain(rebuilt(told)) == plain(whole.json)
    assert told[-1]["response"]["usage"] == whole.json["usage"]
    assert len(upstream.attempts) == 1


async def test_equal_requests_of_three_apis_share_one_call(
    upstream: FaultLLM, tmp_path: Path
):
    upstream.script = ["hold"]
    async with serving(catalog(upstream.url), tmp_path) as gateway:
        calls = [
            asyncio.create_task(call)
            for call in (
                respond(gateway, stream=True),
                respond(gateway, stream=True),
                ask(gateway, "Hi there", stream=True),
            )
        ]
        await gateway.called(3)
        await upstream.until(lambda: upstream.holding == 1)
        upstream.release()
        one, two, chat = await asyncio.gather(*calls)

    assert plain(events(one)[-1]["response"]) == plain(events(two)[-1]["response"])
    assert chat.content == SAID
    assert len(upstream.attempts) == 1


# --- what no chat can say -------------------------------------------------------------

BEYOND = [
    ({"tools": SEARCH}, "tools[0].type"),
    ({"tools": [{"type": "custom", "name": "a"}]}, "tools[0].type"),
    ({"given": [{"type": "item_reference", "id": "msg_1"}]}, "input[0].type"),
    ({"truncation": "auto"}, "truncation"),
    ({"top_logprobs": 2}, "top_logprobs"),
    ({"include": ["message.output_text.logprobs"]}, "include"),
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


# --- what goes wrong ------------------------------------------------------------------


@pytest.mark.parametrize("origin", [*ORIGINS, "native"])
@pytest.mark.parametrize(
    "script", ["error-event-at-6", "end-after-6", "fin-without-done", "rst-after-6"]
)
async def test_a_failure_after_the_first_byte_ends_as_a_failed_response(
    upstream: FaultLLM, tmp_path: Path, origin: str, script: str
):
    upstream.always = f"words-20+{script}"
    only = catalog(upstream.url, origin, max_attempts=1)
    body = {"truncation": "auto"} if origin == "native" else {}
    async with serving(only, tmp_path) as gateway:
        reply = await respond(gateway, stream=True, **body)

    told = events(reply)
    numbers = [event["sequence_number"] for event in told]
    assert numbers == sorted(set(numbers))
    assert told[-1]["type"] == "response.failed"
    assert told[-1]["response"]["status"] == "failed"
    assert told[-1]["response"]["id"] == told[0]["response"]["id"]
    assert told[-1]["response"]["error"]["code"] == "server_error"
    assert gateway.records("request")[0]["outcome"] == "error"


async def test_the_sdk_reads_a_failed_response(upstream: FaultLLM, tmp_path: Path):
    upstream.always = "words-20+end-after-6"
    async with serving(catalog(upstream.url), tmp_path) as gateway, sdk(gateway) as ai:
        stream = await ai.responses.create(model="small", input="Hi", stream=True)
        seen = [event async for event in stream]

    assert seen[-1].type == "response.failed"
    assert seen[-1].response.error.message == "The provider's stream ended too early."


@pytest.mark.parametrize("stream", [False, True])
async def test_a_failure_before_the_first_byte_goes_to_another_backend(
    upstream: FaultLLM, tmp_path: Path, stream: bool
):
    two = Catalog(
        TIERS[:1],
        (
            backend("claude", 1, upstream.url, provider="anthropic"),
            backend("gpt", 1, upstream.url),
        ),
    )
    upstream.script = ["status-500", "ok"]
    async with serving(two, tmp_path) as gateway:
        reply = await respond(gateway, stream=stream)

    assert reply.status == 200
    if stream:
        kinds = [event["type"] for event in events(reply)]
        assert kinds.count("response.created") == 1
        assert kinds[-1] == "response.completed"
    assert len(upstream.attempts) == 2


@pytest.mark.parametrize("origin", [*ORIGINS, "native"])
@pytest.mark.parametrize("script", ["html-200", "empty-200", "half-json"])
async def test_what_is_no_answer_is_a_502(
    upstream: FaultLLM, tmp_path: Path, origin: str, script: str
):
    upstream.always = script
    body = {"truncation": "auto"} if origin == "native" else {}
    only = catalog(upstream.url, origin, max_attempts=1)
    async with serving(only, tmp_path) as gateway, sdk(gateway) as ai:
        with pytest.raises(openai.InternalServerError) as caught:
            await ai.responses.create(model="small", input="Hi", **body)

    assert caught.value.code == "bad_upstream_response"
