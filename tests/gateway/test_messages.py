"""Anthropic's SDK in front, either API behind."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import anthropic
import httpx
import openai
import orjson
import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from gateway.ledger.books import Caller
from routing.catalog import Catalog, Policy, Tier
from tests.faultllm import FaultLLM
from tests.faultllm.anthropic_dialect import signed
from tests.harness import Gateway, backend, serving

ROOT = Path(__file__).resolve().parent.parent.parent
BOTH = pytest.mark.parametrize("provider", ["anthropic", "openai-compatible"])
TOOL = {
    "name": "weather",
    "description": "Weather of a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}
THINKING = {"type": "enabled", "budget_tokens": 1024}


def one(url: str, provider: str, model: str = "m", **policy: object) -> Catalog:
    only = backend("only", 1, url, provider=provider, model=model)
    return Catalog((Tier(1, "small"),), (only,), policy=Policy(**policy))


def asking(text: str = "Hi", **more: object) -> dict:
    return {
        "model": "auto",
        "max_tokens": 2000,
        "messages": [{"role": "user", "content": text}],
        **more,
    }


@pytest.fixture
async def gateway(upstream: FaultLLM, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with serving(one(upstream.url, "anthropic"), tmp_path) as running:
        yield running


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(
        base_url=gateway.url, api_key="any", max_retries=0
    ) as made:
        yield made


@pytest.fixture
async def openai_client(gateway: Gateway) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(
        base_url=f"{gateway.url}/v1", api_key="any", max_retries=0
    ) as made:
        yield made


async def streamed(client: AsyncAnthropic, **body: object) -> anthropic.types.Message:
    async with client.messages.stream(**body) as stream:
        async for _ in stream:
            pass
        return await stream.get_final_message()


async def raw_events(gateway: Gateway, **body: object) -> list[tuple[str, dict]]:
    async with httpx.AsyncClient(timeout=30) as http:
        answer = await http.post(f"{gateway.url}/v1/messages", json=body)
    assert answer.status_code == 200
    blocks = answer.text.split("\n\n")
    assert blocks.pop() == ""
    events = []
    for block in blocks:
        name, data = block.split("\n")
        events.append((name.removeprefix("event: "), orjson.loads(data[6:])))
    return events


# --- Both upstreams -------------------------------------------------------------


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


async def create(client: AsyncAnthropic, **body: object) -> anthropic.types.Message:
    return await client.messages.create(**body)


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


# --- Passing through ------------------------------------------------------------

MARK = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
NATIVE = {
    "max_tokens": 3000,
    "system": [{"type": "text", "text": "Be brief.", **MARK}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Go", **MARK}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": signed("m")},
                {"type": "redacted_thinking", "data": "xx"},
                {
                    "type": "server_tool_use",
                    "id": "s",
                    "name": "web_search",
                    "input": {},
                },
                {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "document",
                    "source": {"type": "url", "url": "https://x.test/a.pdf"},
                    "citations": {"enabled": True},
                    "from_next_year": [1],
                },
            ],
        },
    ],
    "tools": [
        {"type": "web_search_20260318", "name": "web_search", "max_uses": 2},
        {**TOOL, "eager_input_streaming": True, **MARK},
    ],
    "thinking": {"type": "enabled", "budget_tokens": 1024, "display": "summarized"},
    "output_config": {"effort": "high"},
    "metadata": {"user_id": "u-1"},
    "service_tier": "standard_only",
    "context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]},
    "from_next_year": {"a": [None, 1.5, "é"]},
}


async def test_anthropics_body_goes_to_anthropic_as_it_came(upstream, gateway):
    headers = {
        "anthropic-version": "2026-10-21",
        "anthropic-beta": "b-2, a-1,b-2",
        "authorization": "Bearer any",
    }
    async with httpx.AsyncClient() as http:
        answer = await http.post(
            f"{gateway.url}/v1/messages",
            json={"model": "auto", **NATIVE},
            headers=headers,
        )
    (sent,) = upstream.attempts

    assert answer.status_code == 200, answer.text
    assert sent.body == {"model": "m", **NATIVE}
    assert sent.headers["anthropic-version"] == "2026-10-21"
    assert sent.headers["anthropic-beta"] == "a-1,b-2"
    assert upstream.saw_key("upstream-key")


async def test_anthropics_answer_comes_back_as_it_is(upstream, gateway, client):
    gateway.serve_catalog(
        one(upstream.url, "anthropic", "fault/extra-fields+reasoning")
    )
    body = asking(thinking=THINKING)
    whole = await client.messages.create(**body)
    events = await raw_events(
        gateway, **asking("Other", thinking=THINKING, stream=True)
    )

    assert whole.x_vendor == {"kept": True, "text": "déjà vu"}
    assert whole.content[0].signature == signed("fault/extra-fields+reasoning")
    assert all(data["x_vendor"]["kept"] for _, data in events)
    deltas = [data for name, data in events if name == "content_block_delta"]
    kinds = {data["delta"]["type"] for data in deltas}
    assert kinds == {"thinking_delta", "signature_delta", "text_delta"}


async def test_betas_and_versions_are_anthropics_business_only(
    upstream, gateway, client
):
    gateway.serve_catalog(one(upstream.url, "openai-compatible"))
    await client.messages.create(
        **asking(), extra_headers={"anthropic-beta": "context-management-2025-06-27"}
    )
    (sent,) = upstream.attempts

    assert not [name for name in sent.headers if name.startswith("anthropic")]


# --- Thoughts -------------------------------------------------------------------


async def test_thoughts_go_back_to_the_model_that_had_them_and_to_no_other(
    upstream, gateway, client
):
    thinker = one(upstream.url, "anthropic", "fault/reasoning")
    gateway.serve_catalog(thinker)
    body = asking(thinking=THINKING)
    first = await client.messages.create(**body)
    said = {"role": "assistant", "content": [b.to_dict() for b in first.content]}
    body["messages"] += [said, {"role": "user", "content": "And?"}]

    await client.messages.create(**body)
    gateway.serve_catalog(one(upstream.url, "anthropic", "another"))
    await client.messages.create(**body)
    gateway.serve_catalog(one(upstream.url, "openai-compatible"))
    await client.messages.create(**body)
    _, same, other, openais = (attempt.body for attempt in upstream.attempts)

    assert same["messages"] == body["messages"]
    assert other["messages"][1]["content"] == said["content"][1:]
    assert openais["messages"][1] == {
        "role": "assistant",
        "content": first.content[1].text,
    }


async def test_a_signature_the_provider_refuses_costs_one_more_try_without_it(
    upstream, gateway, client
):
    """After a restart nobody knows whose it was."""
    thought = {"type": "thinking", "thinking": "Hm.", "signature": signed("older")}
    said = {"role": "assistant", "content": [thought, {"type": "text", "text": "Yes"}]}
    body = asking(thinking=THINKING)
    body["messages"] += [said, {"role": "user", "content": "And?"}]
    message = await client.messages.create(**body)
    refused, taken = upstream.attempts

    assert message.stop_reason == "end_turn"
    assert (refused.status, taken.status) == (400, 200)
    assert taken.body["messages"][1]["content"] == said["content"][1:]
    assert [a["state"] for a in gateway.records("attempt")] == ["free", "billed"]


async def test_openais_client_sends_signed_thoughts_back_as_it_got_them(
    upstream, gateway, openai_client
):
    gateway.serve_catalog(one(upstream.url, "anthropic", "fault/reasoning"))
    asked = [{"role": "user", "content": "Hi"}]
    answer = await openai_client.chat.completions.create(model="auto", messages=asked)
    message = answer.choices[0].message.model_dump(exclude_none=True)
    history = [*asked, message, {"role": "user", "content": "And?"}]

    await openai_client.chat.completions.create(model="auto", messages=history)
    gateway.serve_catalog(one(upstream.url, "openai-compatible"))
    await openai_client.chat.completions.create(model="auto", messages=history)
    _, same, other = (attempt.body for attempt in upstream.attempts)

    thought = same["messages"][1]["content"][0]
    assert thought["signature"] == signed("fault/reasoning")
    assert "thinking_blocks" not in other["messages"][1]


# --- One answer for both dialects -----------------------------------------------


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


# --- Errors and addresses -------------------------------------------------------


async def test_errors_of_every_kind_come_in_anthropics_shape(upstream, tmp_path):
    """Also without the version's header: the address tells the dialect."""
    keys = {"right": Caller(scope="s", max_in_flight=1)}
    async with (
        serving(
            one(upstream.url, "anthropic"), tmp_path, keys=keys, max_body_bytes=1000
        ) as gateway,
        httpx.AsyncClient(base_url=gateway.url) as http,
    ):
        right = {"x-api-key": "right"}
        bearer = {"authorization": "Bearer right"}
        url = "/v1/messages"
        answers = [
            await http.post(url, json=asking()),
            await http.post(url, json=asking(model="gpt-9"), headers=right),
            await http.post(url, json=asking("x" * 2000), headers=right),
            await http.post(url, content=b"{", headers=right),
            await http.post(url, json=asking(max_tokens=None), headers=bearer),
            await http.get(url, headers=right),
            await http.post(
                url, json=asking(), headers={**right, "anthropic-version": "1999"}
            ),
            await http.post(f"{url}/count_tokens", json={}, headers=right),
        ]
        upstream.always = "status-529"
        overloaded = await http.post(url, json=asking(), headers=right)

    found = [(a.status_code, a.json()["error"]["type"]) for a in answers]
    assert found == [
        (401, "authentication_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (415, "invalid_request_error"),
        (400, "invalid_request_error"),
        (405, "invalid_request_error"),
        (400, "invalid_request_error"),
        (400, "invalid_request_error"),
    ]
    for answer in [*answers, overloaded]:
        body = answer.json()
        assert body["type"] == "error"
        assert body["request_id"] == answer.headers["request-id"]
    assert overloaded.status_code == 529
    assert overloaded.json()["error"]["type"] == "overloaded_error"
    assert int(overloaded.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    "betas", ["a b", "é", "a" * 101, ",".join(map(str, range(65)))]
)
async def test_betas_that_are_no_names_are_refused(upstream, gateway, betas):
    headers = {"anthropic-beta": betas.encode("latin-1")}
    async with httpx.AsyncClient() as http:
        url = f"{gateway.url}/v1/messages"
        answer = await http.post(url, json=asking(), headers=headers)

    assert answer.status_code == 400
    assert "anthropic-beta" in answer.json()["error"]["message"]
    assert upstream.attempts == []


async def test_both_headers_carry_the_key(upstream, tmp_path):
    keys = {"right": Caller(scope="s")}
    async with serving(one(upstream.url, "anthropic"), tmp_path, keys=keys) as gateway:
        for credential in ({"api_key": "right"}, {"auth_token": "right"}):
            async with AsyncAnthropic(
                base_url=gateway.url, max_retries=0, **credential
            ) as client:
                await client.messages.create(**asking())


@BOTH
def test_both_sdks_that_wait(threaded_upstream, live_gateway, provider):
    with live_gateway(one(threaded_upstream.url, provider)) as url:
        with anthropic.Anthropic(base_url=url, api_key="any", max_retries=0) as client:
            message = client.messages.create(**asking("One"))
            with client.messages.stream(**asking("Two")) as stream:
                text = "".join(stream.text_stream)
            threaded_upstream.script = ["tool-call", "ok"]
            last = client.beta.messages.tool_runner(
                **asking("Three"), tools=[weather_tool]
            ).until_done()
        with openai.OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as chat:
            completion = chat.chat.completions.create(**asking("Four"))
            with chat.chat.completions.stream(**asking("Five")) as events:
                final = events.get_final_completion()

    assert message.content[0].text.startswith("Answer to: One")
    assert text.startswith("Answer to: Two")
    assert last.stop_reason == "end_turn"
    assert completion.choices[0].message.content.startswith("Answer to: Four")
    assert final.choices[0].message.content.startswith("Answer to: Five")


@anthropic.beta_tool
def weather_tool(city: str) -> str:
    """Weather of a city.

    Args:
        city: Its name.
    """
    return f"sunny in {city}"


def test_the_snippet_of_the_readme(threaded_upstream, live_gateway):
    """Word for word, but for the port, and with whatever key the SDK finds."""
    readme = (ROOT / "README.md").read_text()
    snippet = readme.split("```python\nimport anthropic\n")[1].split("```")[0]
    found: dict = {}
    with (
        live_gateway(one(threaded_upstream.url, "anthropic")) as url,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("ANTHROPIC_API_KEY", "any")
        port = url.rpartition(":")[2]
        code = "import anthropic\n" + snippet.replace(":8080", f":{port}")
        exec(code, found)  # noqa: S102 - it is our own page
        found["client"].close()

    assert found["message"].content[0].text.startswith("Answer to: What's France's")


@BOTH
async def test_the_sdks_tool_runner(upstream, gateway, client, provider):
    gateway.serve_catalog(one(upstream.url, provider, "anything"))
    upstream.script = ["tool-call", "ok"]

    @anthropic.beta_async_tool
    async def weather(city: str) -> str:
        """Weather of a city.

        Args:
            city: Its name.
        """
        return f"sunny in {city}"

    runner = client.beta.messages.tool_runner(**asking(), tools=[weather])
    last = await runner.until_done()

    assert last.stop_reason == "end_turn"
    assert len(upstream.attempts) == 2
    sent = json.dumps(upstream.attempts[1].body)
    assert "sunny in Paris" in sent
