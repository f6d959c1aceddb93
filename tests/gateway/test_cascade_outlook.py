"""What a cascade is expected to come to, recomputed by hand."""

import pytest
from django.urls import reverse
from django.utils import timezone

from gateway.cascade_outlook import outlook
from gateway.runtime.snapshot import build
from routing.models import RoutingPolicy
from tests.gateway.cascade_log import log

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("three_tiers"),
]


def test_the_expectation_is_on_the_policys_page(admin_client):
    by_score = [{"step": "tier", "text": "..."}]
    log(1, 28, 1, 1_000_000, 1000, by_score)
    log(2, 10, 1, 3_000_000, 2000, by_score)
    log(3, 33, 2, 8_000_000, 4000, by_score)
    log(4, 30, 2, 8_000_000, 4000, [{"step": "model", "text": "pinned"}])
    RoutingPolicy.objects.update(cascade_band=0.05)

    found = outlook(build(timezone.now()).catalog)

    # Tier 1 costs 2 and takes 1.5 s on average, tier 2 8 and 4 s; requests 1 and 3 are
    # within 5 points of the border of 30, and 30 % of doubts are assumed.
    assert (found.routed, found.uncertain, found.share) == (3, 2, 0.3)
    assert found.cost == pytest.approx((2e6 + 2e6 + 8e6, 2e6 + 2 * (2e6 + 0.3 * 8e6)))
    both = 1500 + 0.3 * 4000
    assert found.latency == pytest.approx((7000 / 3, (1500 + 2 * both) / 3))
    page = reverse("admin:routing_routingpolicy_change", args=(1,))
    shown = admin_client.get(page).content.decode()
    assert "Of the newest 3 routed requests 2 are uncertain." in shown
    assert "cost $0.012 without a cascade and $0.0108 with it" in shown


def test_what_went_past_the_cache_is_reckoned_and_what_we_asked_ourselves_is_not():
    by_score = [{"step": "tier", "text": "..."}]
    log(1, 28, 1, 1_000_000, 1000, by_score, cache="BYPASS")
    log(2, 33, 2, 8_000_000, 4000, by_score)
    log(3, 33, 2, 99_000_000, 4000, by_score, endpoint="learn.judge")
    log(4, 33, 2, 99_000_000, 4000, by_score, endpoint="playground.chat")
    log(5, 28, 1, 0, 1, by_score, cache="HIT")

    found = outlook(build(timezone.now()).catalog)

    assert (found.routed, found.uncertain) == (2, 2)
    assert found.cost[0] == pytest.approx(9_000_000)


def test_a_router_says_how_often_and_checks_that_were_made_know_better():
    def chosen(quality):
        tiers = [
            {"tier": 1, "quality": quality, "utility": quality},
            {"tier": 3, "quality": 0.9, "utility": 0.9},
        ]
        return [{"step": "router", "tiers": tiers}]

    log(1, 5, 1, 10, 1, [])
    log(2, 5, 3, 50, 9, chosen(0.88))
    log(3, 5, 3, 50, 9, chosen(0.5))

    found = outlook(build(timezone.now()).catalog)

    assert (found.routed, found.uncertain) == (2, 1)
    assert found.share == pytest.approx(0.12)

    checks = [{"step": "cascade_check", "passed": False}]
    log(4, 5, 3, 50, 9, chosen(0.88) + checks)
    log(5, 5, 1, 10, 1, chosen(0.88) + [{"step": "cascade_check", "passed": True}])
    assert outlook(build(timezone.now()).catalog).share == 0.5


def test_without_traffic_nothing_is_reckoned():
    text = str(outlook(build(timezone.now()).catalog))
    assert text == "Nothing was routed yet: there is nothing to reckon with."
