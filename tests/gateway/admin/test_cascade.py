"""An intent's own cascade, as an operator sets it and sees what it will come to."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from gateway.cascade_outlook import outlook_of
from gateway.runtime.snapshot import build
from routing.models import Intent, RoutingPolicy
from tests.gateway.cascade_log import log
from tests.routing.lessons import keep_lesson

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("three_tiers")]
CODE, OTHER = "a python function", "good morning"


def test_an_intent_without_rules_of_its_own_follows_the_policy():
    assert build(timezone.now()).catalog.cascades is None

    Intent.objects.filter(slug="code").update(cascade="whole")
    catalog = build(timezone.now()).catalog

    assert catalog.cascades is not None
    assert catalog.cascades.rules("code", catalog.policy).cascade == "whole"
    assert catalog.cascades.rules("chat", catalog.policy) is catalog.policy


def test_a_judge_that_is_not_there_can_not_be_asked():
    intent = Intent.objects.get(slug="code")
    intent.cascade_check = "judge"

    with pytest.raises(ValidationError, match="no backend that judges"):
        intent.full_clean()
    RoutingPolicy.objects.update(cascade_judge="claude-opus")
    intent.full_clean()


def test_what_it_will_come_to_is_on_the_intents_page(admin_client):
    Intent.objects.all().delete()
    code = Intent.objects.create(slug="code", words="python")
    Intent.objects.create(slug="other", bias=0.5)
    page = reverse("admin:routing_intent_change", args=(code.pk,))
    assert "No request was kept" in admin_client.get(page).content.decode()
    RoutingPolicy.objects.update(cascade_band=0.05)
    by_score = [{"step": "tier", "text": "..."}]
    log(1, 28, 1, 2_000_000, 1500, by_score)
    log(2, 29, 1, 2_000_000, 1500, by_score)
    log(3, 33, 2, 8_000_000, 4000, by_score)
    keep_lesson("r1", CODE)
    keep_lesson("r2", OTHER)

    found = outlook_of(code, build(timezone.now()).catalog)

    # Of code there is request 1 alone; the tiers' means are those of all requests.
    assert found is not None
    assert (found.routed, found.uncertain) == (1, 1)
    assert found.cost == pytest.approx((2e6, 2e6 + 0.3 * 8e6))
    assert found.latency == pytest.approx((1500, 1500 + 0.3 * 4000))
    code.cascade_check = "agreement"  # a second cheap answer beside
    doubled = outlook_of(code, build(timezone.now()).catalog)
    assert doubled is not None
    assert doubled.cost[1] == pytest.approx(2e6 + 2e6 + 0.3 * 8e6)
    shown = admin_client.get(page).content.decode()
    assert "Of the newest 1 routed requests 1 are uncertain." in shown
