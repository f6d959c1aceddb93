"""Requests of callers with limits, and where their budgets stand."""

import httpx

from gateway.limits.rules import Rule
from tests.gateway.limits.samples import caller
from tests.harness import Gateway, Reply, ask

KEY = {"authorization": "Bearer sk-ci"}
OTHER = {"authorization": "Bearer sk-other"}


async def standing(gateway: Gateway, *rules: Rule) -> list[tuple[int, int]]:
    """(spent, set aside) of these budgets now."""
    found = await gateway.runtime.charges.budgets(caller(*rules))
    return [(each.count.spent, each.count.reserved) for each in found]


async def buy(gateway: Gateway, text: str = "Hi", **options: object) -> Reply:
    options.setdefault("headers", KEY)
    return await ask(gateway, text, **{"max_tokens": 5, **options})


async def messages(gateway: Gateway, text: str = "third") -> httpx.Response:
    async with httpx.AsyncClient(timeout=30, verify=False) as client:
        return await client.post(
            f"{gateway.url}/v1/messages",
            headers={**KEY, "anthropic-version": "2023-06-01"},
            json={
                "model": "auto",
                "max_tokens": 5,
                "messages": [{"role": "user", "content": text}],
            },
        )
