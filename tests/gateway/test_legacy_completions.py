"""`POST /v1/completions` through a real socket, with OpenAI's own SDK."""

from collections.abc import Iterable
from pathlib import Path

import httpx
import openai
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialects.text_response import TextBuilder
from gateway.providers.openai import StreamReader
from routing.catalog import Catalog, Policy
from tests.faultllm import FaultLLM
from tests.gateway.sdk import client_of
from tests.harness import TIERS, Gateway, Reply, ask, backend, serving

PROMPT = "Once upon a time"
ORIGINS = {
    "openai": {},
    "anthropic": {"provider": "anthropic"},
    "text": {"capabilities": "-chat"},
}


def catalog(url: str, origin: str = "openai", **fields: object) -> Catalog:
    policy = {k: fields.pop(k) for k in ("max_attempts",) if k in fields}
    only = backend("small", 1, url, **{**ORIGINS[origin], **fields})
    return Catalog(TIERS[:1], (only,), policy=Policy(**policy))


async def complete(gateway: Gateway, prompt: object = PROMPT, **body: object) -> Reply:
    async with httpx.AsyncClient(timeout=30, verify=False) as client:
        response = await client.post(
            f"{gateway.url}/v1/completions", json={"prompt": prompt, **body}
        )
    return Reply(response.status_code, response.headers, response.text)


@pytest.mark.parametrize("origin", ORIGINS)
async def test_the_sdk_gets_a_text_from_a_backend_of_any_kind(
    upstream: FaultLLM, tmp_path: Path, origin: str
):
    served = serving(catalog(upstream.url, origin), tmp_path)
    async with served as gateway, client_of(gateway) as ai:
        answer = await ai.completions.create(
            model="small", prompt=PROMPT, max_tokens=50, stop=["END"]
        )

    assert answer.object == "text_completion"
    assert answer.choices[0].text == "Answer to: Once upon a time (call 1)"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens > 0
    (row,) = gateway.records("request")
    assert (row["endpoint"], row["dialect"]) == ("completions", "text")
    assert row["cost_nano"] > 0
    path = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}
    assert upstream.attempts[0].path == path.get(origin, "/v1/completions")


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("usage", [True, False])
async def test_the_sdk_reads_the_stream(
    upstream: FaultLLM, tmp_path: Path, origin: str, usage: bool
):
    served = serving(catalog(upstream.url, origin), tmp_path)
    async with served as gateway, client_of(gateway) as ai:
        stream = await ai.completions.create(
            model="small",
            prompt=PROMPT,
            stream=True,
            stream_options={"include_usage": usage},
        )
        chunks = [chunk async for chunk in stream]

    text = "".join(c.text for chunk in chunks for c in chunk.choices)
    assert text == "Answer to: Once upon a time (call 1)"
    reasons = [c.finish_reason for chunk in chunks for c in chunk.choices]
    assert reasons[-1] == "stop" and set(reasons[:-1]) == {None}
    assert {chunk.object for chunk in chunks} == {"text_completion"}
    assert len({chunk.id for chunk in chunks}) == 1
    assert [chunk.usage is not None for chunk in chunks][-1] is usage


async def test_one_answer_serves_texts_and_chats_whole_and_streamed(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(catalog(upstream.url, "text"), tmp_path) as gateway:
        first = await complete(gateway)
        streamed = await complete(gateway, [PROMPT], stream=True)
    async with serving(catalog(upstream.url), tmp_path / "chat") as gateway:
        chat = await ask(gateway, PROMPT)
        again = await complete(gateway)

    text = first.json["choices"][0]["text"]
    pieces = [orjson.loads(e)["choices"][0]["text"] for e in streamed.events[:-1]]
    assert "".join(pieces) == text
    assert streamed.events[-1] == "[DONE]"
    assert streamed.headers["x-llm-router-cache"] == "HIT"
    assert again.headers["x-llm-router-cache"] == "HIT"
    assert again.json["choices"][0]["text"] == chat.content
    assert len(upstream.attempts) == 2


async def test_the_stream_is_this_to_the_byte(upstream: FaultLLM, tmp_path: Path):
    async with serving(catalog(upstream.url, model="fault/words-2"), tmp_path) as one:
        reply = await complete(one, stream=True, stream_options={"include_usage": True})

    head = (
        '{"id":"chatcmpl-fault1","object":"text_completion","created":1760000000,'
        '"model":"fault/words-2","choices":['
    )
    tail = (
        '],"service_tier":"default","system_fingerprint":"fp_fault","usage":null}\n\n'
    )
    assert reply.text.startswith(
        f'data: {head}{{"text":"word1 ","index":0,"logprobs":null,'
        f'"finish_reason":null}}{tail}'
        f'data: {head}{{"text":"word2","index":0,"logprobs":null,'
        f'"finish_reason":null}}{tail}'
        f'data: {head}{{"text":"","index":0,"logprobs":null,'
        f'"finish_reason":"stop"}}{tail}'
        f"data: {head}],"
    )
    assert reply.text.endswith("data: [DONE]\n\n")


BEYOND = [
    ({"suffix": " The end."}, "suffix"),
    ({"echo": True}, "echo"),
    ({"best_of": 2}, "best_of"),
    ({"logprobs": 3}, "logprobs"),
    ({"prompt": ["one", "two"]}, "prompt"),
    ({"prompt": [1, 2, 3]}, "prompt"),
    ({"prompt": [[1, 2], [3]]}, "prompt"),
]


@pytest.mark.parametrize(("body", "param"), BEYOND)
async def test_what_no_chat_has_is_a_400_with_the_field(
    upstream: FaultLLM, tmp_path: Path, body: dict[str, object], param: str
):
    async with serving(catalog(upstream.url, "anthropic"), tmp_path) as gateway:
        reply = await complete(gateway, **{"prompt": PROMPT, **body})

    assert (reply.status, reply.error["code"]) == (400, "unsupported_parameter")
    assert reply.error["param"] == param
    assert param in reply.error["message"]
    assert upstream.attempts == []


@pytest.mark.parametrize(("body", "param"), BEYOND)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_backend_with_the_legacy_api_gets_it_as_it_is(
    upstream: FaultLLM,
    tmp_path: Path,
    body: dict[str, object],
    param: str,
    stream: bool,
):
    anthropic = backend("claude", 1, upstream.url, provider="anthropic")
    legacy = backend("legacy", 1, upstream.url)
    both = Catalog(TIERS[:1], (anthropic, legacy))
    sent = {"prompt": PROMPT, "stream": stream, **body}
    async with serving(both, tmp_path) as gateway:
        reply = await complete(gateway, **sent)
        again = await complete(gateway, **sent)
        other = await complete(gateway, **{**sent, "seed": 1})

    (attempt, _) = upstream.attempts
    assert attempt.path == "/v1/completions"
    assert attempt.body[param] == sent[param]
    assert attempt.body["model"] == "legacy"
    cached = [each.headers["x-llm-router-cache"] for each in (reply, again, other)]
    assert cached == ["MISS", "HIT", "MISS"]
    if param == "logprobs":
        chunks = reply.events[:-1] if stream else [reply.text]
        answer = orjson.loads(chunks[0])
        assert answer["choices"][0]["logprobs"]["token_logprobs"][0] == -0.5


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": [""]}, "prompt"),
        ({"prompt": {"a": 1}}, "prompt"),
        ({"prompt": ["a", 1]}, "prompt"),
        ({"best_of": 0}, "best_of"),
        ({"echo": "yes"}, "echo"),
        ({"suffix": 1}, "suffix"),
        ({"temperature": 3}, "temperature"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": []}, "stream_options"),
        ({"max_tokens": 0}, "max_tokens"),
    ],
)
async def test_what_is_wrong_is_a_400_with_the_parameter(
    upstream: FaultLLM, tmp_path: Path, body: dict[str, object], param: str
):
    async with serving(catalog(upstream.url), tmp_path) as gateway:
        reply = await complete(gateway, **{"prompt": PROMPT, **body})

    assert (reply.status, reply.error["param"]) == (400, param)


@pytest.mark.parametrize("origin", ORIGINS)
async def test_an_error_after_the_first_byte_ends_the_sdks_stream(
    upstream: FaultLLM, tmp_path: Path, origin: str
):
    upstream.always = "words-20+error-event-at-4"
    served = serving(catalog(upstream.url, origin), tmp_path)
    async with served as gateway, client_of(gateway) as ai:
        stream = await ai.completions.create(model="small", prompt="Hi", stream=True)
        with pytest.raises(openai.APIError):
            async for _ in stream:
                pass

    assert gateway.records("request")[0]["outcome"] == "error"


@pytest.mark.parametrize("script", ["fin-without-done", "end-after-3", "html-200"])
@pytest.mark.parametrize("origin", ORIGINS)
async def test_a_stream_that_is_cut_never_looks_complete(
    upstream: FaultLLM, tmp_path: Path, origin: str, script: str
):
    upstream.always = f"words-20+{script}"
    served = serving(catalog(upstream.url, origin, max_attempts=1), tmp_path)
    async with served as gateway:
        reply = await complete(gateway, stream=True)

    assert "[DONE]" not in reply.text
    assert '"error"' in reply.text


async def test_a_failure_before_the_first_byte_is_never_seen(
    upstream: FaultLLM, tmp_path: Path
):
    two = Catalog(
        TIERS[:1],
        (
            backend("claude", 1, upstream.url, provider="anthropic"),
            backend("legacy", 1, upstream.url, capabilities="-chat"),
        ),
    )
    upstream.script = ["status-500", "ok"]
    async with serving(two, tmp_path) as gateway:
        reply = await complete(gateway)

    assert reply.status == 200
    assert len(upstream.attempts) == 2
    assert reply.json["object"] == "text_completion"


STREAM = (
    b"".join(
        b'data: {"id":"c","object":"text_completion","model":"m","choices":[{"text":%b,'
        b'"index":0,"logprobs":null,"finish_reason":%b}]}\n\n' % piece
        for piece in (
            (b'"\xc3\xa9 "', b"null"),
            (b'"two"', b"null"),
            (b'""', b'"stop"'),
        )
    )
    + b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n'
)


def folded(pieces: Iterable[bytes]) -> dict:
    reader, builder = StreamReader(), TextBuilder(1 << 20)
    for piece in pieces:
        for chunk in reader.feed(piece):
            builder.add(chunk)
    assert reader.ended
    return builder.answer()


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_however_the_bytes_are_cut_the_answer_is_the_same(cuts: list[int]):
    whole = STREAM + b"data: [DONE]\n\n"
    edges = [0, *sorted(cuts), len(whole)]
    pieces = [whole[a:b] for a, b in zip(edges, edges[1:], strict=False)]

    answer = folded(pieces)

    assert answer == folded([whole])
    assert answer["choices"][0]["text"] == "é two"
    assert answer["usage"] == {"prompt_tokens": 1, "completion_tokens": 2}
