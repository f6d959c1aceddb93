"""What clients of `POST /v1/messages` send, and how they read the answer."""

import anthropic
import httpx
import orjson
import pytest
from anthropic import AsyncAnthropic

from routing.catalog import Catalog, Policy, Tier
from tests.harness import Gateway, backend

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


async def create(client: AsyncAnthropic, **body: object) -> anthropic.types.Message:
    return await client.messages.create(**body)


MARK = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
