"""`POST /v1/messages/count_tokens`: by the provider where it counts, else a guess."""

from pathlib import Path

import anthropic
import httpx
import pytest
from anthropic import AsyncAnthropic

from routing.catalog import Catalog, Tier
from tests.faultllm import FaultLLM
from tests.harness import backend, serving

ASKED = {
    "model": "auto",
    "messages": [{"role": "user", "content": "one two three four"}],
    "system": "Be brief.",
}


def one(url: str, provider: str) -> Catalog:
    only = backend("only", 1, url, provider=provider, model="m")
    return Catalog((Tier(1, "small"),), (only,))


async def test_anthropic_counts_for_free(upstream: FaultLLM, tmp_path: Path):
    async with (
        serving(one(upstream.url, "anthropic"), tmp_path) as gateway,
        AsyncAnthropic(base_url=gateway.url, api_key="any") as client,
    ):
        answer = await client.messages.with_raw_response.count_tokens(
            **ASKED, extra_headers={"anthropic-beta": "b"}
        )
        count = await answer.parse()
        assert gateway.records("attempt") == gateway.records("request") == []

    (sent,) = upstream.counts
    assert count.to_dict() == {"input_tokens": 6}
    assert answer.headers["x-llm-router-model"] == "only"
    assert "x-llm-router-estimated" not in answer.headers
    assert sent.body == {**ASKED, "model": "m"}
    assert sent.headers["anthropic-version"] == "2026-10-21"
    assert sent.headers["anthropic-beta"] == "b"
    assert upstream.attempts == []


async def test_what_nobody_counts_is_an_estimate_that_says_so(
    upstream: FaultLLM, tmp_path: Path
):
    async with (
        serving(one(upstream.url, "openai-compatible"), tmp_path) as gateway,
        httpx.AsyncClient() as client,
    ):
        url = f"{gateway.url}/v1/messages/count_tokens"
        answer = await client.post(url, json=ASKED)

    assert answer.json()["estimated"] is True
    assert 3 <= answer.json()["input_tokens"] <= 12
    assert answer.headers["x-llm-router-estimated"] == "true"


@pytest.mark.parametrize(
    "script", ["status-500", "status-404", "half-json", "status-429"]
)
async def test_a_provider_that_fails_to_count_leaves_the_estimate(
    upstream: FaultLLM, tmp_path: Path, script: str
):
    upstream.always = script
    async with (
        serving(one(upstream.url, "anthropic"), tmp_path) as gateway,
        AsyncAnthropic(base_url=gateway.url, api_key="any", max_retries=0) as client,
    ):
        count = await client.messages.count_tokens(**ASKED)

    assert count.to_dict()["estimated"] is True


async def test_with_no_backend_left_there_is_still_an_estimate(tmp_path: Path):
    async with (
        serving(one("http://127.0.0.1:9", "anthropic"), tmp_path) as gateway,
        AsyncAnthropic(base_url=gateway.url, api_key="any", max_retries=0) as client,
    ):
        count = await client.messages.count_tokens(**ASKED)

    assert count.input_tokens > 0


async def test_what_the_provider_refuses_is_refused(upstream: FaultLLM, tmp_path: Path):
    upstream.always = "status-400"
    async with (
        serving(one(upstream.url, "anthropic"), tmp_path) as gateway,
        AsyncAnthropic(base_url=gateway.url, api_key="any", max_retries=0) as client,
    ):
        with pytest.raises(anthropic.BadRequestError):
            await client.messages.count_tokens(**ASKED)
        with pytest.raises(anthropic.NotFoundError):
            await client.messages.count_tokens(**{**ASKED, "model": "gpt-9"})
        with pytest.raises(anthropic.BadRequestError, match="messages"):
            await client.messages.count_tokens(**{**ASKED, "messages": []})
