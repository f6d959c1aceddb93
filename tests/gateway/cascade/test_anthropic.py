"""Cheap first for clients and backends of Anthropic's dialect."""

from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from anthropic import AsyncAnthropic

from tests.faultllm import FaultLLM
from tests.gateway.cascade.doubting import REFUSES, catalog
from tests.harness import serving


@pytest.mark.parametrize("provider", ["anthropic", "openai-compatible"])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("small", "text"), [(REFUSES, "(call 2)"), ("small", "all 1)")]
)
async def test_clients_of_anthropics_dialect_get_the_answer_that_passed(
    upstream: FaultLLM, tmp_path: Path, provider, stream, small, text
):
    given = catalog(upstream.url, small)
    backends = tuple(replace(each, provider=provider) for each in given.backends)
    asked = {
        "model": "auto",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "Hi"}],
    }
    async with (
        serving(replace(given, backends=backends), tmp_path) as gateway,
        AsyncAnthropic(base_url=gateway.url, api_key="any", max_retries=0) as client,
    ):
        if stream:
            async with client.messages.stream(**asked) as events:
                message = await events.get_final_message()
        else:
            message = await client.messages.create(**asked)
        await gateway.settled()
        [record] = gateway.records("request")

    assert message.content[0].text.endswith(text)
    assert record["attempts"] == len(upstream.attempts)
    assert record["cost_nano"] > 0


async def test_two_samples_of_anthropics_dialect_differ_in_temperature(
    upstream: FaultLLM, tmp_path: Path
):
    given = catalog(upstream.url, "small", cascade_check="agreement")
    backends = tuple(replace(each, provider="anthropic") for each in given.backends)
    body = {
        "model": "auto",
        "max_tokens": 100,
        "temperature": 0.0,
        "messages": [{"role": "user", "content": "Hi"}],
    }
    async with (
        serving(replace(given, backends=backends), tmp_path) as gateway,
        httpx.AsyncClient(verify=False) as client,
    ):
        await client.post(
            f"{gateway.url}/v1/messages",
            json=body,
            headers={"anthropic-version": "2023-06-01"},
        )

    temperatures = [each.body["temperature"] for each in upstream.attempts]
    assert temperatures[:2] == [0.0, 0.7]
