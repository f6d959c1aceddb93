"""Every backend beside the one that answered: how it stood, its price, why not it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from gateway.alternatives import alternatives
from gateway.api.explain import _read
from gateway.ledger.books import Caller
from gateway.models import RequestLog
from routing.models import Backend, Price, Tier

pytestmark = pytest.mark.django_db
DOLLAR = 1_000_000_000
NOW = timezone.now()


def backend(name: str, tier: int, dollars: int | None) -> None:
    row = Backend.objects.create(
        name=name,
        tier=Tier.objects.get_or_create(rank=tier, defaults={"name": f"t{tier}"})[0],
        provider="openai",
        model=f"model-of-{name}",
        base_url="http://127.0.0.1:9/v1",
    )
    if dollars is not None:
        price = dict.fromkeys(("input", "output"), dollars * DOLLAR)
        Price.objects.create(
            backend=row,
            cache_read=0,
            cache_write=0,
            effective_from=NOW - timedelta(days=2),
            **price,
        )


@pytest.fixture
def market() -> None:
    Backend.objects.all().delete()
    backend("tiny", 1, 1)
    backend("chosen", 2, 3)
    backend("equal", 2, 3)
    backend("dearer", 2, 4)
    backend("cheaper", 2, 2)
    backend("unpriced", 2, None)
    backend("broken", 2, 1)
    backend("ill", 2, 1)
    backend("huge", 3, 15)


def asked(**fields: object) -> RequestLog:
    given = {
        "request_id": "req_1",
        "at": NOW,
        "scope": "team:a",
        "status": 200,
        "cache": "MISS",
        "tier": 2,
        "backend": "chosen",
        "prompt_tokens": 900_000,
        "completion_tokens": 100_000,
        "facts": {"tokens": 900_000, "failed": ["broken"], "out": ["ill"]},
        **fields,
    }
    return RequestLog.objects.create(**given)


def test_each_has_its_reason_and_what_it_would_have_cost(market):
    told = {each.backend: each for each in alternatives(asked())}

    assert {name: each.why_not for name, each in told.items()} == {
        "tiny": "The decision was for tier 2.",
        "chosen": "",
        "equal": "It costs the same; the other should answer sooner.",
        "dearer": "It costs more than the one that was asked.",
        "cheaper": "It could not take this request, or another was preferred.",
        "unpriced": "It has no price: it comes last in its tier.",
        "broken": "It was asked, and failed.",
        "ill": "It was down, full or limited.",
        "huge": "Tier 2 is tried before it.",
    }
    assert told["chosen"].then == "answered"
    assert told["huge"].cost_nano == 15 * DOLLAR
    assert told["unpriced"].cost_nano is None
    ranks = [each.tier.rank for each in told.values()]
    assert ranks == sorted(ranks)


def test_one_that_could_not_take_it_says_why(market):
    passed = ["cheaper: It doesn't offer chat.", "ill: Rate limited for 1 s."]
    decisions = [
        {"step": "tier", "text": "Tier 2 is enough."},
        {"step": "backend", "text": "chosen: The cheapest.", "passed_over": passed},
    ]

    told = {each.backend: each for each in alternatives(asked(decisions=decisions))}

    assert told["cheaper"].then == "could not take it"
    assert told["cheaper"].why_not == "It doesn't offer chat."
    assert told["ill"].then == "down, full or limited"
    assert told["dearer"].then == "could be asked"


def test_the_last_one_asked_did_not_answer_when_the_request_failed(market):
    log = asked(outcome="error", status=502)
    told = {each.backend: each for each in alternatives(log)}

    assert (told["chosen"].then, told["chosen"].why_not) == ("failed", "")


def test_a_hit_needed_nobody(market):
    told = {each.backend: each for each in alternatives(asked(cache="HIT"))}

    assert told["chosen"].then == "reused"
    assert told["tiny"].why_not == "Nobody had to be asked."


def test_a_price_of_later_does_not_count(market):
    row = Backend.objects.get(name="chosen")
    zero = dict.fromkeys(("input", "output", "cache_read", "cache_write"), 0)
    Price.objects.create(backend=row, effective_from=NOW + timedelta(seconds=1), **zero)

    (told,) = (each for each in alternatives(asked()) if each.backend == "chosen")

    assert told.cost_nano == 3 * DOLLAR


def test_the_api_tells_the_same_of_what_a_key_may_use(market):
    asked()
    whole = _read("req_1", Caller("team:a"))
    bounded = _read("req_1", Caller("team:a", models=("model-of-t*", "chosen")))

    assert len(whole["candidates"]) == 9
    assert [each["backend"] for each in bounded["candidates"]] == ["tiny", "chosen"]
    assert bounded["candidates"][0] == {
        "backend": "tiny",
        "tier": 1,
        "then": "could be asked",
        "why_not": "The decision was for tier 2.",
        "price_usd_per_million": {"input": 1.0, "output": 1.0},
        "cost_usd": 1.0,
    }
    assert _read("req_1", Caller("team:b")) is None


def test_one_that_was_switched_off_could_not_be_asked(market):
    facts = {"tokens": 900_000, "off": ["dearer", "cheaper"]}
    passed = {
        "step": "backend",
        "text": "",
        "passed_over": ["cheaper: It is disabled."],
    }

    log = asked(facts=facts, decisions=[passed])
    told = {each.backend: each for each in alternatives(log)}

    assert told["dearer"].then == told["cheaper"].then
    assert told["dearer"].then == "switched off or misconfigured"
    assert told["dearer"].why_not == "It was switched off or misconfigured."
    assert told["cheaper"].why_not == "It is disabled."
