"""Intents choose between backends of equal price, in the running gateway."""

from dataclasses import replace
from datetime import date

import pytest
from django.utils import timezone

from gateway.api import feedback
from gateway.runtime.database import in_database
from gateway.runtime.snapshot import build
from routing.catalog import Catalog, Policy
from routing.learned.guide import Guide
from routing.learned.intents import Intents, Kind
from routing.learned.trails import Count, Trails
from routing.models import Intent, IntentCheck, RoutingPolicy
from tests.harness import PRICES, TIERS, ask, backend, serving
from tests.log_rows import log_row
from tests.routing.lessons import keep_lesson

TODAY = date(2026, 11, 26)


def catalog(url, **prices):
    backends = tuple(
        replace(backend(name, 1, url), price=prices.get(name, PRICES[1]))
        for name in ("one", "two", "three")
    )
    strong = Trails()
    strong.add([Count((1, 1, "two"), TODAY, 50, 50.0, 50.0)], TODAY)
    guide = Guide(Intents([Kind(1, "code", "python")]), {"local": strong}, Trails())
    rules = Policy(cache_enabled=False)
    return Catalog(TIERS, backends, policy=rules, guide=guide)


async def served(gateway, count=20):
    for number in range(count):  # no two of them are one conversation
        await ask(gateway, f"a python function {number}")
    return gateway.records("request")


async def test_the_strongest_trail_serves_unless_it_is_explored(upstream, tmp_path):
    async with serving(catalog(upstream.url), tmp_path) as gateway:
        records = await served(gateway)

    steered = 0
    for record in records:
        steps = [s for s in record["decisions"] if s["step"] == "intents"]
        if steps:
            steered += 1
            assert steps[0]["worth"]["two"] > steps[0]["worth"]["one"]
            assert steps[0]["intents"] == {"code": 1.0}
            assert "two has served such requests best" in steps[0]["text"]
    two = sum(record["backend"] == "two" for record in records)
    assert steered >= 15
    assert two >= 15


async def test_a_dearer_backend_is_never_taken_for_its_trail(upstream, tmp_path):
    cheap = replace(PRICES[1], input=1)
    given = catalog(upstream.url, one=cheap, three=cheap)
    async with serving(given, tmp_path) as gateway:
        records = await served(gateway, 10)

    assert {record["backend"] for record in records} <= {"one", "three"}


@pytest.mark.parametrize("body", [{"model": "three"}])
async def test_a_pin_wins(upstream, tmp_path, body):
    async with serving(catalog(upstream.url), tmp_path) as gateway:
        reply = await ask(gateway, "a python function", **body)

    assert reply.headers["x-llm-router-model"] == "three"


@pytest.mark.usefixtures("transactional_db")
async def test_a_vote_leaves_its_trail_and_the_snapshot_reads_it():
    def prepare():
        Intent.objects.all().delete()
        Intent.objects.create(slug="code", words="python")
        IntentCheck.objects.create(rows=500)
        RoutingPolicy.load()
        RoutingPolicy.objects.update(intents=True)
        keep_lesson("r1")
        log_row("r1", scope="a", score=5, tier=1, backend="haiku").save()

    await in_database(prepare)
    await feedback.store({"request_id": "r1", "quality": 1.0}, "a")

    guide = (await in_database(build, timezone.now())).catalog.guide
    [(cell, strength)] = guide.trails["a"].cells.items()
    assert cell[1:] == (1, "haiku")
    assert strength.value == pytest.approx((1 + 0.6 * 4) / 5)

    def switch_off():
        RoutingPolicy.objects.update(intents=False)

    await in_database(switch_off)
    assert (await in_database(build, timezone.now())).catalog.guide is None
