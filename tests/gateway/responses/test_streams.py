"""Streams of `POST /v1/responses`, with OpenAI's own SDK."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from openai import OpenAI

from routing.catalog import Catalog
from tests.faultllm import FaultLLM, ThreadedFaultLLM
from tests.gateway.responses.asking import (
    ORIGINS,
    SAID,
    SEARCH,
    TOOL,
    catalog,
    events,
    plain,
    rebuilt,
    respond,
)
from tests.gateway.sdk import client_of
from tests.harness import serving


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
        client_of(gateway) as ai,
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
