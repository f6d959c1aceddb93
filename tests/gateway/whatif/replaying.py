"""Requests that are asked of a gateway, and decided again from their facts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from gateway.whatif.replay import Decided, Decision, Replay, features_of
from routing.catalog import Alias, Catalog, Policy
from routing.health import Outcome
from tests.harness import PRICES, TIERS, Gateway, ask, backend, serving

TOOLS = [{"type": "function", "function": {"name": "add", "parameters": {}}}]
ALOUD = "analyze step by step: " + "x" * 3000  # 25 points for two signals


def decided(record: dict) -> Decided:
    names = ("scope", "dialect", "model_asked", "score", "backend", "arm", "facts")
    return Decided(*(record[name] for name in names), features_of(record["facts"]))


def bought(gateway: Gateway) -> list[dict]:
    found = gateway.records("request")
    return [r for r in found if r["cache"] in ("MISS", "BYPASS") and r["backend"]]


def shown(decision: Decision) -> tuple[int | None, str]:
    return decision.tier, decision.backend.name if decision.backend else ""


def check(gateway: Gateway, catalog: Catalog) -> list[dict]:
    """Every bought answer comes out as it did; returns what was looked at."""
    replay, records = Replay(catalog), bought(gateway)
    for record in records:
        again = shown(replay.decide(decided(record)))
        assert again == (record["tier"], record["backend"]), record["decisions"]
    return records


def plain(url: str, **policy: object) -> Catalog:
    """Two equals at the bottom, a cheaper one that is small, and two tiers above."""
    cheap = replace(PRICES[1], input=PRICES[1].input // 2)
    backends = (
        backend("small", 1, url),
        backend("twin", 1, url, model="small"),
        backend("narrow", 1, url, price=cheap, context_window=600),
        backend("medium", 2, url, capabilities="-images"),
        backend("large", 3, url),
    )
    aliases = (Alias("gpt-*-mini", tier=1), Alias("gpt-*", tier=2))
    return Catalog(TIERS, backends, aliases, Policy(**policy))


@asynccontextmanager
async def asked_variously(catalog: Catalog, folder: Path) -> AsyncIterator[Gateway]:
    """A gateway that was asked much of what changes a decision."""
    image = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]
    async with serving(catalog, folder) as gateway:
        for number in range(12):
            await ask(gateway, f"Question {number}")
            await ask(gateway, f"{ALOUD} {number}")
        for model in ("tier-2", "large", "gpt-5-mini", "gpt-5", "medium", "auto"):
            await ask(gateway, f"To {model}", model=model)
            await ask(gateway, f"{ALOUD} to {model}", model=model)
        for name, value in (("max-tier", "1"), ("pin", "tier-3"), ("pin", "twin")):
            await ask(gateway, ALOUD, headers={f"x-llm-router-{name}": value})
        await ask(gateway, "With tools", tools=TOOLS)
        await ask(gateway, "As JSON", response_format={"type": "json_object"})
        pictured = [{"role": "user", "content": image}]
        await ask(gateway, messages=pictured, tools=TOOLS)
        await ask(gateway, "Warm", temperature=0.9)
        await ask(gateway, "Streamed", stream=True)
        await ask(gateway, "Question 1")
        yield gateway


def down(gateway: Gateway, catalog: Catalog, *names: str) -> None:
    pool, now = gateway.runtime.pool, gateway.runtime.clock()
    for name in names:
        health = pool._member_of(catalog.by_name[name]).health
        for _ in range(10):
            health.record(Outcome.CONNECT_ERROR, now)
