"""Addresses that a client's base URL misses by its `/v1`."""

from pathlib import Path

import anthropic
import pytest
from anthropic import AsyncAnthropic
from django.test import Client

from tests.harness import serving, three_tiers


async def test_a_v1_too_many_is_told(tmp_path: Path):
    async with serving(three_tiers("http://127.0.0.1:9"), tmp_path) as gateway:
        base = f"{gateway.url}/v1"
        async with AsyncAnthropic(base_url=base, api_key="x") as client:
            with pytest.raises(anthropic.NotFoundError) as caught:
                await client.messages.create(
                    model="auto",
                    max_tokens=9,
                    messages=[{"role": "user", "content": "Hi"}],
                )

    assert "'/v1/v1/messages'" in caught.value.message
    assert "base URL so that it asks for '/v1/messages'" in caught.value.message


@pytest.mark.parametrize("path", ["/messages", "/chat/completions", "/responses"])
def test_a_missing_v1_is_told(client: Client, path: str):
    answer = client.post(path, {}, content_type="application/json")

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (404, "unknown_url")
    assert f"base URL so that it asks for '/v1{path}'" in error["message"]


@pytest.mark.parametrize("path", ["/nowhere", "/v1"])
def test_where_nothing_is_meant_the_documentation_is_named(client: Client, path: str):
    message = client.get(path).json()["error"]["message"]

    assert message == f"There is no {path!r} here. See docs/api.md for what is."
