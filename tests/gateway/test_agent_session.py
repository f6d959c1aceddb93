"""A coding agent's session of thirty turns, with either SDK over either API.

Tools one by one and in parallel, failing ones, screenshots, thinking, answers that are
broken off, streamed and whole. What reaches the provider must be what it would take.
"""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
from anthropic import AsyncAnthropic
from anthropic.types import MessageParam, ToolParam
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionMessageParam
from pydantic import TypeAdapter

from routing.catalog import Catalog, Tier
from tests.faultllm import FaultLLM
from tests.harness import Gateway, backend, serving

TURNS = 30
SCRIPTS = (
    "reasoning+tool-call",
    "two-tool-calls",
    "ok",
    "reasoning+two-tool-calls",
    "words-40",
)
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
PNG = "iVBORw0KGgo="
SYSTEM = "You are a coding agent. " * 20


class AnthropicAgent:
    """Keeps the conversation as an agent on Anthropic's SDK does."""

    def __init__(self, url: str) -> None:
        self.client = AsyncAnthropic(base_url=url, api_key="any", max_retries=0)
        self.messages: list[dict] = []

    @property
    def request(self) -> dict:
        mark = {"cache_control": {"type": "ephemeral"}}
        return {
            "model": "auto",
            "max_tokens": 4096,
            "system": [{"type": "text", "text": SYSTEM, **mark}],
            "messages": self.messages,
            "thinking": {"type": "enabled", "budget_tokens": 1024},
            "tools": [
                {"name": "run", "description": "Run.", "input_schema": SCHEMA, **mark}
            ],
            "metadata": {"user_id": "u" * 100},
        }

    def say(self, text: str) -> None:
        self.messages.append({"role": "user", "content": text})

    async def turn(self, *, stream: bool) -> list[str]:
        """One answer; the ids of the tools it calls."""
        if stream:
            async with self.client.messages.stream(**self.request) as events:
                message = await events.get_final_message()
        else:
            message = await self.client.messages.create(**self.request)
        content = [block.to_dict() for block in message.content]
        self.messages.append({"role": "assistant", "content": content})
        uses = [block for block in message.content if block.type == "tool_use"]
        assert all(use.input["city"] for use in uses)
        assert (message.stop_reason == "tool_use") == bool(uses)
        return [use.id for use in uses]

    async def broken_off(self) -> None:
        async with self.client.messages.stream(**self.request) as events:
            text = await anext(aiter(events.text_stream))
        said = [{"type": "text", "text": text}]
        self.messages.append({"role": "assistant", "content": said})

    def results(self, ids: list[str], *, failed: bool, screenshot: bool) -> None:
        content: list[dict] = []
        for each in ids:
            shown: list[dict] = [{"type": "text", "text": "done"}]
            if screenshot:
                source = {"type": "base64", "media_type": "image/png", "data": PNG}
                shown.append({"type": "image", "source": source})
            result = {"type": "tool_result", "tool_use_id": each, "content": shown}
            content.append({**result, "is_error": failed})
        content.append({"type": "text", "text": "Go on."})
        self.messages.append({"role": "user", "content": content})


class OpenAIAgent:
    """The same on OpenAI's SDK."""

    def __init__(self, url: str) -> None:
        base = f"{url}/v1"
        self.client = AsyncOpenAI(base_url=base, api_key="any", max_retries=0)
        self.messages: list[dict] = [{"role": "system", "content": SYSTEM}]

    @property
    def request(self) -> dict:
        function = {"name": "run", "description": "Run.", "parameters": SCHEMA}
        return {
            "model": "auto",
            "max_completion_tokens": 4096,
            "messages": self.messages,
            "tools": [{"type": "function", "function": function}],
            "reasoning_effort": "low",
        }

    def say(self, text: str) -> None:
        self.messages.append({"role": "user", "content": text})

    async def turn(self, *, stream: bool) -> list[str]:
        chat = self.client.chat.completions
        if stream:
            async with chat.stream(**self.request) as events:
                completion = await events.get_final_completion()
        else:
            completion = await chat.create(**self.request)
        choice = completion.choices[0]
        self.messages.append(choice.message.model_dump(exclude_none=True))
        calls = choice.message.tool_calls or []
        assert all(json.loads(call.function.arguments)["city"] for call in calls)
        assert (choice.finish_reason == "tool_calls") == bool(calls)
        return [call.id for call in calls]

    async def broken_off(self) -> None:
        stream = await self.client.chat.completions.create(**self.request, stream=True)
        async with aclosing(stream):
            async for chunk in stream:
                if text := chunk.choices[0].delta.content:
                    break
        self.messages.append({"role": "assistant", "content": text})

    def results(self, ids: list[str], *, failed: bool, screenshot: bool) -> None:
        text = "Error: failed" if failed else "done"
        self.messages += [
            {"role": "tool", "tool_call_id": each, "content": text} for each in ids
        ]
        parts: list[dict] = [{"type": "text", "text": "Go on."}]
        if screenshot:
            url = f"data:image/png;base64,{PNG}"
            parts.append({"type": "image_url", "image_url": {"url": url}})
        self.messages.append({"role": "user", "content": parts})


@pytest.fixture(params=["anthropic", "openai-compatible"])
async def gateway(
    request: pytest.FixtureRequest, upstream: FaultLLM, tmp_path: Path
) -> AsyncIterator[Gateway]:
    only = backend(
        "only", 1, upstream.url, provider=request.param, model="claude-sonnet-4-5"
    )
    async with serving(Catalog((Tier(1, "s"),), (only,)), tmp_path) as running:
        yield running


@pytest.mark.parametrize("kind", [AnthropicAgent, OpenAIAgent])
async def test_thirty_turns(upstream: FaultLLM, gateway: Gateway, kind: type):
    agent = kind(gateway.url)
    agent.say("Mend the tests.")
    async with agent.client:
        for turn in range(TURNS):
            if turn % 6 == 5:
                upstream.script = ["words-40+trickle-5ms"]
                await agent.broken_off()
                agent.say(f"Stop. Do {turn} instead.")
                continue
            upstream.script = [SCRIPTS[turn % len(SCRIPTS)]]
            ids = await agent.turn(stream=turn % 2 == 0)
            if ids:
                agent.results(ids, failed=turn % 4 == 3, screenshot=turn % 3 == 0)
            else:
                agent.say(f"Now {turn}.")
    await gateway.settled()

    assert len(upstream.attempts) == TURNS
    for attempt in upstream.attempts:
        assert attempt.status == 200, attempt.body
        check = check_anthropics if "messages" in attempt.path else check_openais
        check(attempt.body)
    attempts = gateway.records("attempt")
    assert len(attempts) == TURNS
    billed = {a["attempt_id"]: a for a in attempts if a["state"] == "billed"}
    assert len(billed) == TURNS - TURNS // 6
    for attempt in upstream.attempts:
        if settled := billed.get(attempt.attempt_id):
            assert settled["completion_tokens"] == attempt.completion_billed
            assert settled["prompt_tokens"] == attempt.prompt_billed


@pytest.mark.parametrize("kind", [AnthropicAgent, OpenAIAgent])
async def test_a_session_that_changes_models_and_providers(
    upstream: FaultLLM, gateway: Gateway, kind: type
):
    """Each model signs its own thoughts and refuses those of others."""
    places = [
        ("anthropic", "claude-sonnet-4-5"),
        ("anthropic", "claude-haiku-4-5"),
        ("openai-compatible", "gpt-5"),
        ("anthropic", "claude-opus-4-6"),
    ]
    agent = kind(gateway.url)
    agent.say("Mend the tests.")
    async with agent.client:
        for turn in range(16):
            provider, model = places[turn * 3 % 4 if turn % 2 else turn // 4]
            only = backend("only", 1, upstream.url, provider=provider, model=model)
            gateway.serve_catalog(Catalog((Tier(1, "s"),), (only,)))
            upstream.script = ["reasoning+tool-call" if turn % 4 else "reasoning"]
            if ids := await agent.turn(stream=turn % 3 == 0):
                agent.results(ids, failed=False, screenshot=False)
            else:
                agent.say(f"Now {turn}.")

    assert [attempt.status for attempt in upstream.attempts] == [200] * 16
    for attempt in upstream.attempts:
        check = check_anthropics if "messages" in attempt.path else check_openais
        check(attempt.body)


def check_anthropics(body: dict) -> None:
    """What Anthropic would refuse, beside what the upstream itself complains of."""
    TypeAdapter(list[MessageParam]).validate_python(body["messages"])
    TypeAdapter(list[ToolParam]).validate_python(body["tools"])
    open_calls: set[str] = set()
    for message in body["messages"]:
        content = message["content"]
        blocks = content if isinstance(content, list) else []
        assert content
        if message["role"] == "user":
            kinds = [block["type"] for block in blocks]
            results = [b["tool_use_id"] for b in blocks if b["type"] == "tool_result"]
            assert set(results) == open_calls
            assert kinds[: len(results)] == ["tool_result"] * len(results)
        texts = [block["text"] for block in blocks if block["type"] == "text"]
        assert all(texts)
        open_calls = {block["id"] for block in blocks if block["type"] == "tool_use"}
    assert not open_calls
    thinking = body.get("thinking")
    if thinking and thinking["type"] == "enabled":
        assert body["max_tokens"] > thinking["budget_tokens"]


def check_openais(body: dict) -> None:
    """What OpenAI would refuse."""
    TypeAdapter(list[ChatCompletionMessageParam]).validate_python(body["messages"])
    assert len(body.get("user", "")) <= 64
    assert "thinking" not in body
    open_calls: list[str] = []
    for message in body["messages"]:
        assert not message.keys() - {
            "role",
            "content",
            "tool_calls",
            "tool_call_id",
            "reasoning_content",
        }
        if message["role"] == "tool":
            open_calls.remove(message["tool_call_id"])
            continue
        assert not open_calls
        open_calls = [call["id"] for call in message.get("tool_calls") or ()]
    assert not open_calls
