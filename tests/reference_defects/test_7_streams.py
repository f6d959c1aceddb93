"""Defect 7 of the reference: streams that were collected first, fields that were
dropped, a 429 that counted as health."""

from pathlib import Path

import httpx
import orjson
import pytest

from tests.faultllm import FaultLLM
from tests.harness import ask, one_backend, serving, three_tiers


async def test_7_the_first_words_arrive_before_the_last_are_written(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = one_backend(upstream.url, "fault/words-10+hold-after-5")
    async with serving(catalog, tmp_path) as gateway, httpx.AsyncClient() as client:
        body = {"messages": [{"role": "user", "content": "Hi"}], "stream": True}
        url = f"{gateway.url}/v1/chat/completions"
        async with client.stream("POST", url, json=body) as response:
            lines = response.aiter_lines()
            early = [await anext(lines) for _ in range(5)]
            assert upstream.holding == 1  # the rest is not written yet
            upstream.release()
            late = [line async for line in lines]

    assert any('"content":' in line for line in early)
    assert "data: [DONE]" in late


@pytest.mark.parametrize("stream", [False, True])
async def test_7_fields_nobody_here_knows_pass_both_ways(
    upstream: FaultLLM, tmp_path: Path, stream: bool
):
    fields = {"vendor_field": {"deep": [1, None]}, "reasoning_effort": "low", "seed": 3}
    catalog = one_backend(upstream.url, "fault/extra-fields")
    async with serving(catalog, tmp_path) as gateway:
        reply = await ask(gateway, stream=stream, **fields)

    sent = upstream.attempts[0].body
    assert {name: sent[name] for name in fields} == fields
    answers = [orjson.loads(e) for e in reply.events[:-1]] or [reply.json]
    known = {"id", "object", "created", "model", "choices", "usage"}
    assert any(answer.keys() - known for answer in answers)


async def test_7_a_429_is_not_health(upstream: FaultLLM, tmp_path: Path):
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        upstream.script = ["retry-after=30"]
        replaced = await ask(gateway, "first")
        spared = await ask(gateway, "second")
        small, *_ = gateway.runtime.pool.status(gateway.runtime.snapshot.catalog)

    assert small["status"] == "rate_limited"
    assert replaced.headers["x-llm-router-model"] == "medium"
    assert spared.headers["x-llm-router-model"] == "medium"
    assert [attempt.model for attempt in upstream.attempts] == [
        "small",
        "medium",
        "medium",
    ]
