"""Tiers and aliases of model names."""

import pytest
from django.urls import reverse

from routing.models import ModelAlias, Tier
from tests.routing.admin_forms import errors, save

pytestmark = pytest.mark.django_db


def test_thresholds_rise_over_the_tiers(admin_client, tier):
    middle = Tier.objects.create(rank=2, name="middle", max_score=70)

    response = save(admin_client, middle, max_score=30)

    assert "1 - small goes up to 30" in str(errors(response)["max_score"])
    assert "2 - middle must end above" in str(
        errors(save(admin_client, tier, max_score=70))["max_score"]
    )


def test_only_the_highest_tier_goes_without_a_threshold(admin_client, tier):
    Tier.objects.create(rank=2, name="middle")

    response = save(admin_client, tier, max_score="")

    assert "Only the highest tier may have no maximum" in str(
        errors(response)["max_score"]
    )


def test_a_tier_in_use_is_not_deleted(admin_client, backend):
    url = reverse("admin:routing_tier_delete", args=(backend.tier_id,))

    response = admin_client.post(url, {"post": "yes"})

    assert "would require deleting the following protected related objects" in (
        response.content.decode()
    )
    assert Tier.objects.exists()


def test_an_alias_means_a_tier_or_a_backend_not_both(admin_client, backend):
    response = admin_client.post(
        reverse("admin:routing_modelalias_add"),
        {
            "pattern": "claude-*",
            "position": 1,
            "tier": backend.tier_id,
            "backend": backend.pk,
        },
    )

    assert "Choose a tier or a backend, one of them." in response.content.decode()
    assert not ModelAlias.objects.exists()


def add_alias(admin_client, pattern: str, tier: Tier):
    given = {"pattern": pattern, "position": 1, "tier": tier.pk, "backend": ""}
    return admin_client.post(reverse("admin:routing_modelalias_add"), given)


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("auto", "auto leaves the choice to the router, whatever an alias says."),
        ("tier-1", "tier-1 means exactly that tier, whatever an alias says."),
        ("{}", "is a backend's name, which means exactly that backend, whatever"),
    ],
)
def test_an_alias_that_could_never_act_is_refused(admin_client, backend, pattern, told):
    pattern = pattern.format(backend.name)

    response = add_alias(admin_client, pattern, backend.tier)

    assert told in errors(response)["pattern"][0]
    assert not ModelAlias.objects.exists()


def test_a_tier_that_is_gone_may_live_on_as_an_alias(admin_client, tier):
    assert add_alias(admin_client, "tier-7", tier).status_code == 302


def test_an_alias_whose_name_a_backend_got_since_can_be_edited(admin_client, backend):
    alias = ModelAlias.objects.create(pattern=backend.name, tier=backend.tier)

    save(admin_client, alias, position=7)

    assert alias.position == 7
