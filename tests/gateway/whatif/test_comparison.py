"""Sums against sums worked out by hand, and what stays as it was."""

from datetime import timedelta

import pytest
from django.utils import timezone

from gateway.models import RequestLog
from gateway.whatif.comparison import CACHED, NOT_SERVED, Comparison
from gateway.whatif.rows import after, before, since
from routing.catalog import Catalog, Policy, PriceList, Tier
from tests.harness import backend, three_tiers
from tests.log_rows import log_row

pytestmark = pytest.mark.django_db
DOLLAR = 10**9


def log(request_id: str, **fields: object) -> None:
    facts = {"tokens": 100, "key": request_id, "paid": 0, **fields.pop("facts", {})}
    given = {
        "scope": "key:1",
        "score": 5,
        "tier": 1,
        "backend": "small",
        "prompt_tokens": 1000,
        "completion_tokens": 100,
        "facts": facts,
    }
    log_row(request_id, **given | fields).save()


def compared(saved: Catalog, preview: Catalog, days: int = 7) -> Comparison:
    now = timezone.now()
    comparison, last = Comparison(saved, preview), before(now, days)
    query = since(now, days)
    while found := after(query, last):
        comparison.add(found)
        last = found[-1].pk
    return comparison


def moved_border(catalog: Catalog, border: int) -> Catalog:
    first, *others = catalog.tiers
    return Catalog(
        (Tier(first.rank, first.name, border), *others),
        catalog.backends,
        policy=catalog.policy,
    )


# small: 1000 x $1 and 100 x $5 per million; medium: three times that.
SMALL, MEDIUM = 1_500_000, 4_500_000


def test_another_border_moves_requests_and_their_dollars():
    catalog = three_tiers("http://x")
    log("easy", score=5, cost_nano=SMALL, facts={"paid": SMALL})
    log("middling", score=20, cost_nano=SMALL, facts={"paid": SMALL})

    seen = compared(catalog, moved_border(catalog, 10))

    assert seen.was == seen.saved
    assert dict(seen.saved.requests) == {1: 2}
    assert dict(seen.preview.requests) == {1: 1, 2: 1}
    assert seen.preview.total_nano - seen.saved.total_nano == MEDIUM - SMALL
    [example] = seen.examples
    assert (example.request_id, example.saved.backend) == ("middling", "small")
    assert (example.preview.place, example.preview.nano) == (2, MEDIUM)


def test_another_price_changes_what_is_paid_and_not_what_failed_before():
    catalog = three_tiers("http://x")
    dearer = PriceList(2 * DOLLAR, 10 * DOLLAR, 0, 0)
    preview = Catalog(
        catalog.tiers,
        (backend("small", 1, "http://x", price=dearer), *catalog.backends[1:]),
        policy=catalog.policy,
    )
    log("one", cost_nano=SMALL + 77, facts={"paid": SMALL})

    seen = compared(catalog, preview)

    assert seen.was == seen.saved
    assert seen.preview.total_nano == 2 * SMALL + 77


def test_tokens_read_from_a_prompt_cache_are_cold_elsewhere():
    catalog = three_tiers("http://x")
    paid = 400 * 1000 + 600 * 100 + 100 * 5000
    log("warm", score=20, cached_tokens=600, cost_nano=paid, facts={"paid": paid})

    seen = compared(catalog, moved_border(catalog, 10))

    assert seen.was == seen.saved
    assert seen.preview.total_nano == MEDIUM


def test_failures_old_rows_hits_and_other_days_stay_as_they_were():
    catalog = three_tiers("http://x")
    log("failed", status=502, backend="", tier=2, cost_nano=5, facts={})
    log("old", score=20, cost_nano=SMALL, facts={"paid": None})
    RequestLog.objects.filter(request_id="old").update(facts=None)
    log("hit", cache="HIT", cost_nano=0)
    log("long ago", score=20, at=timezone.now() - timedelta(days=9))
    log("audit", endpoint="cache.audit", score=20)

    seen = compared(catalog, moved_border(catalog, 10))

    assert seen.was == seen.saved == seen.preview
    assert dict(seen.was.requests) == {NOT_SERVED: 1, 1: 1, CACHED: 1}
    assert (seen.rows, seen.held, seen.changed) == (3, 2, 0)


def test_who_shared_a_call_goes_with_it_and_pays_nothing():
    catalog = three_tiers("http://x")
    log("leader", score=20, cost_nano=SMALL, facts={"paid": SMALL})
    log("follower", cache="SHARED", answered_by="leader", facts={"paid": None})

    seen = compared(catalog, moved_border(catalog, 10))

    assert dict(seen.preview.requests) == {2: 2}
    assert seen.preview.total_nano == MEDIUM


def test_hits_are_gained_and_lost_with_their_dollars():
    short = three_tiers("http://x", cache_ttl_seconds=10.0)
    now = timezone.now() - timedelta(hours=1)
    paid = {"cost_nano": SMALL}
    again = {"key": "same", "paid": SMALL}
    log("first", at=now, facts=again, **paid)
    log("later", at=now + timedelta(seconds=60), facts=again, **paid)
    log("soon", at=now + timedelta(seconds=65), cache="HIT", facts={"key": "same"})

    longer = compared(short, three_tiers("http://x", cache_ttl_seconds=300.0))
    without = compared(short, three_tiers("http://x", cache_enabled=False))

    assert (longer.hits_gained, longer.hits_lost) == (1, 0)
    assert longer.preview.total_nano == SMALL
    assert (without.hits_gained, without.hits_lost) == (0, 1)
    assert without.preview.total_nano == 3 * SMALL


def test_a_name_that_means_nothing_any_more_is_counted_as_not_answered():
    catalog = three_tiers("http://x")
    without = Catalog(catalog.tiers[1:], catalog.backends[1:], policy=Policy())
    log("named", model_asked="small", cost_nano=SMALL, facts={"paid": SMALL})

    seen = compared(catalog, without)

    assert dict(seen.preview.requests) == {NOT_SERVED: 1}
    assert seen.preview.total_nano == 0


def test_no_more_examples_are_kept_than_are_shown_and_those_are_the_largest():
    catalog = three_tiers("http://x")
    for number in range(30):
        cost = (1000 + number) * 1000 + 500_000
        log(
            f"r{number}",
            score=20,
            prompt_tokens=1000 + number,
            cost_nano=cost,
            facts={"paid": cost},
        )

    seen = compared(catalog, moved_border(catalog, 10))

    assert seen.changed == 30
    assert [each.request_id for each in seen.examples] == [
        f"r{number}" for number in range(29, 9, -1)
    ]


def test_what_would_be_decided_otherwise_is_counted_even_where_the_sums_are_equal():
    catalog = three_tiers("http://x")
    log("easy", score=5, tier=2, backend="medium", cost_nano=MEDIUM)
    log("harder", score=40, cost_nano=SMALL)
    RequestLog.objects.filter(request_id="easy").update(
        facts={"tokens": 100, "paid": MEDIUM}
    )
    RequestLog.objects.filter(request_id="harder").update(
        facts={"tokens": 100, "paid": SMALL}
    )

    seen = compared(catalog, catalog)

    assert seen.was == seen.saved
    assert seen.moved == 2


def test_a_hit_on_what_was_bought_before_these_days_is_lost_with_the_cache():
    catalog = three_tiers("http://x")
    log("again", cache="HIT", answered_by="long ago", facts={"key": "k"})

    off = compared(catalog, three_tiers("http://x", cache_enabled=False))
    shorter = compared(catalog, three_tiers("http://x", cache_ttl_seconds=10.0))

    assert (off.hits_lost, off.preview.total_nano) == (1, SMALL)
    assert (shorter.hits_lost, shorter.changed) == (0, 0)


def test_who_shared_a_call_buys_its_own_where_calls_are_not_shared():
    catalog = three_tiers("http://x")
    alone = three_tiers("http://x", sharing_enabled=False)
    log("leader", cost_nano=SMALL, facts={"paid": SMALL})
    log("follower", cache="SHARED", answered_by="leader")

    seen = compared(catalog, alone)

    assert seen.was == seen.saved
    assert seen.preview.total_nano == 2 * SMALL
    assert [each.request_id for each in seen.examples] == ["follower"]


def test_the_first_portion_begins_where_these_days_do():
    old = timezone.now() - timedelta(days=9)
    for number in range(5):
        log(f"old {number}", at=old)
    log("new")
    first = RequestLog.objects.get(request_id="new").pk

    assert before(timezone.now(), 7) == first - 1
    assert before(timezone.now() + timedelta(days=30), 7) == 0


def test_checks_are_not_paid_where_nothing_is_checked():
    catalog = three_tiers("http://x", cascade="all", cascade_band=0.25)
    log(
        "doubted",
        score=25,
        tier=2,
        backend="medium",
        cost_nano=MEDIUM + SMALL + 77,
        facts={
            "paid": MEDIUM,
            "checks": SMALL,
            "cascade": [1, 2, True],
            "only_up": False,
        },
    )

    same = compared(catalog, catalog)
    unchecked = compared(catalog, three_tiers("http://x"))

    assert same.was == same.saved == same.preview
    assert dict(unchecked.preview.requests) == {1: 1}
    assert unchecked.preview.total_nano == SMALL + 77
