"""A provider's own prompt cache: what it may recognise is left as it was, byte by byte,
and what it read or wrote is paid at its price."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from routing.catalog import Catalog, Policy, PriceList, Tier
from tests.faultllm import FaultLLM
from tests.harness import PRICES, Gateway, backend, serving

# In an order that no sorting would leave alone.
PARAMETERS = {
    "type": "object",
    "required": ["zip", "city"],
    "properties": {"zip": {"type": "string"}, "city": {"type": "string"}},
    "additionalProperties": False,
}
NAMES = ("zebra", "apple", "mango")
INSTRUCTIONS = "Be brief.  Two  spaces, a tab\t, é, 漢字 and \\n stay."
TURNS = [
    ("user", "Hi.  What is 2+2?"),
    ("assistant", "4"),
    ("user", "And\n\nin words?"),
    ("assistant", "four \u2028 exactly"),
    ("user", "Thanks, and doubled?"),
]


def openai_body(turns: int) -> dict[str, Any]:
    talk = [{"role": role, "content": text} for role, text in TURNS[:turns]]
    tools = [
        {"type": "function", "function": {"name": name, "parameters": PARAMETERS}}
        for name in NAMES
    ]
    system = {"role": "system", "content": INSTRUCTIONS}
    return {"model": "auto", "tools": tools, "messages": [system, *talk]}


def anthropic_body(turns: int) -> dict[str, Any]:
    talk = [{"role": role, "content": text} for role, text in TURNS[:turns]]
    tools = [{"name": name, "input_schema": PARAMETERS} for name in NAMES]
    fields = {"model": "auto", "max_tokens": 50, "system": INSTRUCTIONS}
    return {**fields, "tools": tools, "messages": talk}


async def post(gateway: Gateway, client: str, body: dict[str, Any]) -> None:
    path = {"openai": "chat/completions", "anthropic": "messages"}[client]
    headers = {"anthropic-version": "2023-06-01"} if client == "anthropic" else {}
    async with httpx.AsyncClient(timeout=20, verify=False) as browser:
        reply = await browser.post(
            f"{gateway.url}/v1/{path}", json=body, headers=headers
        )
    assert reply.status_code == 200, reply.text


def catalog(url: str, provider: str, price: PriceList = PRICES[1]) -> Catalog:
    only = backend("small", 1, url, provider=provider, model="small", price=price)
    return Catalog((Tier(1, "small"),), (only,), policy=Policy(cache_enabled=False))


def text_of(value: object) -> str:
    """As it was sent: the order of its fields counts, too."""
    return json.dumps(value, ensure_ascii=False)


@pytest.mark.parametrize("provider", ["openai-compatible", "anthropic"])
@pytest.mark.parametrize("client", ["openai", "anthropic"])
async def test_each_turn_begins_with_all_that_the_last_one_sent(
    upstream: FaultLLM, tmp_path: Path, client: str, provider: str
):
    body_of = {"openai": openai_body, "anthropic": anthropic_body}[client]
    async with serving(catalog(upstream.url, provider), tmp_path) as gateway:
        for turns in (1, 3, 5):
            await post(gateway, client, body_of(turns))

    sent = [attempt.body for attempt in upstream.attempts]
    assert len(sent) == 3
    for before, after in zip(sent, sent[1:], strict=False):
        assert len(after["messages"]) == len(before["messages"]) + 2
        kept = after["messages"][: len(before["messages"])]
        assert text_of(kept) == text_of(before["messages"])
        for name in ("tools", "system"):  # what comes before them
            assert text_of(after.get(name)) == text_of(before.get(name))
    whole = text_of(sent[-1])
    places = [whole.index(f'"{name}"') for name in NAMES]
    assert places == sorted(places)
    assert text_of(PARAMETERS) in whole
    for text in (INSTRUCTIONS, *(text for _, text in TURNS)):
        assert text_of(text) in whole


PRICE = PriceList(
    input=1_000_000_000,
    output=5_000_000_000,
    cache_read=100_000_000,
    cache_write=1_250_000_000,
)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("provider", ["openai-compatible", "anthropic"])
@pytest.mark.parametrize("client", ["openai", "anthropic"])
async def test_tokens_out_of_a_prompt_cache_cost_what_the_provider_asks_for_them(
    upstream: FaultLLM, tmp_path: Path, client: str, provider: str, stream: bool
):
    body = {"openai": openai_body, "anthropic": anthropic_body}[client](1)
    body["messages"][-1]["content"] += " cached=400 cache_write=200"
    async with serving(catalog(upstream.url, provider, PRICE), tmp_path) as gateway:
        await post(gateway, client, {**body, "stream": stream})
        await gateway.settled()
        (attempt,) = gateway.records("attempt")
        (request,) = gateway.records("request")

    billed = upstream.attempts[0]
    plain = billed.prompt_billed - 400 - 200
    nano = plain * 1000 + 400 * 100 + 200 * 1250 + billed.completion_billed * 5000
    assert (attempt["cached_tokens"], attempt["cache_write_tokens"]) == (400, 200)
    assert attempt["prompt_tokens"] == billed.prompt_billed
    assert attempt["cost_nano"] == request["cost_nano"] == nano
