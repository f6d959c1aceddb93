"""The real SDKs find a provider they can talk to."""

from concurrent.futures import ThreadPoolExecutor

import anthropic
import openai
import pytest

from tests.faultllm import FaultLLM, ThreadedFaultLLM
from tests.faultllm.anthropic_dialect import signed

ASK = [{"role": "user", "content": "say hi"}]
TOOL = {"type": "object", "properties": {"city": {"type": "string"}}}


def openai_client(upstream: FaultLLM) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(
        base_url=f"{upstream.url}/v1", api_key="sk-up", max_retries=0
    )


def anthropic_client(upstream: FaultLLM) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(
        base_url=upstream.url, api_key="sk-up", max_retries=0
    )


async def test_openai_reads_a_whole_answer(upstream: FaultLLM) -> None:
    async with openai_client(upstream) as client:
        answer = await client.chat.completions.create(model="m", messages=ASK)

    assert answer.choices[0].message.content == "Answer to: say hi (call 1)"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (2, 6)
    assert answer._request_id == "req_fault1"


async def test_openai_reads_a_stream_with_usage(upstream: FaultLLM) -> None:
    async with openai_client(upstream) as client:
        stream = await client.chat.completions.create(
            model="m", messages=ASK, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]

    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == "Answer to: say hi (call 1)"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 8
    assert 5 <= len(chunks) <= 10


async def test_openai_accumulates_a_streamed_tool_call(upstream: FaultLLM) -> None:
    tool = {"type": "function", "function": {"name": "weather", "parameters": TOOL}}
    async with (
        openai_client(upstream) as client,
        client.chat.completions.stream(
            model="fault/tool-call", messages=ASK, tools=[tool]
        ) as stream,
    ):
        answer = await stream.get_final_completion()

    [call] = answer.choices[0].message.tool_calls or []
    assert call.function.name == "weather"
    assert call.function.arguments == '{"city": "Paris"}'
    assert answer.choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (429, openai.RateLimitError),
        (503, openai.InternalServerError),
    ],
)
async def test_openai_raises_the_error_of_each_status(
    upstream: FaultLLM, status: int, error: type[openai.APIStatusError]
) -> None:
    async with openai_client(upstream) as client:
        with pytest.raises(error) as raised:
            await client.chat.completions.create(
                model=f"fault/status-{status}", messages=ASK
            )

    assert raised.value.type
    assert raised.value.request_id == "req_fault1"


async def test_openai_raises_on_an_error_within_a_stream(upstream: FaultLLM) -> None:
    async with openai_client(upstream) as client:
        stream = await client.chat.completions.create(
            model="fault/error-event-at-3", messages=ASK, stream=True
        )
        received = []
        with pytest.raises(openai.APIError, match="had an error"):
            async for chunk in stream:
                received.append(chunk)

    assert len(received) == 3


async def test_openai_lists_models(upstream: FaultLLM) -> None:
    async with openai_client(upstream) as client:
        page = await client.models.list()

    assert [model.id for model in page.data] == ["fault/ok"]
    assert (upstream.probes, upstream.total) == (1, 0)


async def test_anthropic_reads_a_whole_answer(upstream: FaultLLM) -> None:
    async with anthropic_client(upstream) as client:
        message = await client.messages.create(model="m", messages=ASK, max_tokens=50)

    assert message.content[0].text == "Answer to: say hi (call 1)"
    assert message.stop_reason == "end_turn"
    assert (message.usage.input_tokens, message.usage.output_tokens) == (2, 6)


async def test_anthropic_accumulates_a_stream(upstream: FaultLLM) -> None:
    async with (
        anthropic_client(upstream) as client,
        client.messages.stream(model="m", messages=ASK, max_tokens=50) as stream,
    ):
        message = await stream.get_final_message()

    assert message.content[0].text == "Answer to: say hi (call 1)"
    assert message.stop_reason == "end_turn"
    assert message.usage.output_tokens == 6


async def test_anthropic_accumulates_a_thought_and_a_tool_call(
    upstream: FaultLLM,
) -> None:
    tool = {"name": "weather", "input_schema": TOOL}
    async with (
        anthropic_client(upstream) as client,
        client.messages.stream(
            model="fault/reasoning+tool-call",
            messages=ASK,
            max_tokens=50,
            tools=[tool],
        ) as stream,
    ):
        message = await stream.get_final_message()

    thought, call = message.content
    assert thought.thinking == "Let me think. "
    assert thought.signature == signed("fault/reasoning+tool-call")
    assert (call.name, call.input) == ("weather", {"city": "Paris"})
    assert message.stop_reason == "tool_use"


async def test_anthropic_raises_overloaded_as_status_and_as_event(
    upstream: FaultLLM,
) -> None:
    async with anthropic_client(upstream) as client:
        with pytest.raises(anthropic.APIStatusError) as raised:
            await client.messages.create(
                model="fault/overloaded-529", messages=ASK, max_tokens=50
            )
        assert raised.value.status_code == 529
        assert raised.value.type == "overloaded_error"

        stream = await client.messages.create(
            model="fault/error-event-at-5", messages=ASK, max_tokens=50, stream=True
        )
        with pytest.raises(anthropic.APIStatusError) as raised:
            async for _ in stream:
                pass
        assert raised.value.type == "overloaded_error"


async def test_anthropic_lists_models(upstream: FaultLLM) -> None:
    async with anthropic_client(upstream) as client:
        page = await client.models.list()

    assert page.data[0].id == "fault/ok"


async def test_a_prompt_can_look_cached_in_both_dialects(upstream: FaultLLM) -> None:
    ask = [{"role": "user", "content": "two words cached=100 cache_write=50"}]
    async with openai_client(upstream) as client:
        chat = await client.chat.completions.create(model="m", messages=ask)
    async with anthropic_client(upstream) as client:
        message = await client.messages.create(model="m", messages=ask, max_tokens=50)

    assert chat.usage is not None
    assert chat.usage.prompt_tokens == 154
    assert chat.usage.prompt_tokens_details is not None
    assert chat.usage.prompt_tokens_details.cached_tokens == 100
    assert message.usage.input_tokens == 4
    assert message.usage.cache_read_input_tokens == 100
    assert message.usage.cache_creation_input_tokens == 50


def test_a_synchronous_client_talks_to_an_upstream_in_a_thread() -> None:
    with ThreadedFaultLLM() as upstream:
        with openai.OpenAI(base_url=f"{upstream.url}/v1", api_key="k") as client:
            upstream.script = ["status-503"]
            answer = client.chat.completions.create(model="m", messages=ASK)
        upstream.wait_until(lambda: upstream.in_flight == 0)

    assert answer.choices[0].message.content == "Answer to: say hi (call 2)"
    assert [attempt.status for attempt in upstream.attempts] == [503, 200]


def test_a_thread_is_released_from_outside() -> None:
    with (
        ThreadedFaultLLM() as upstream,
        openai.OpenAI(base_url=f"{upstream.url}/v1", api_key="k") as client,
        ThreadPoolExecutor(1) as pool,
    ):
        asked = pool.submit(
            client.chat.completions.create, model="fault/hold", messages=ASK
        )
        upstream.wait_until(lambda: upstream.holding == 1)
        assert not asked.done()
        upstream.release()
        answer = asked.result()

    assert answer.choices[0].message.content == "Answer to: say hi (call 1)"
