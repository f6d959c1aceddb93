import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from gateway.models import ApiKey, Team
from gateway.runtime.snapshot import build
from routing.models import Backend, Intent, ModelAlias, RoutingPolicy, Tier

pytestmark = pytest.mark.django_db

COPIED = "It holds a character that can't be seen (U+200B), often from copying."


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (Tier(rank=1, name="a\u200b"), "name"),
        (Backend(name="a", provider="ollama", model="a\u200b"), "model"),
        (
            Backend(name="a", provider="ollama", base_url="http://a/\u200b"),
            "base_url",
        ),
        (ModelAlias(pattern="a\u200b"), "pattern"),
        (Intent(slug="a", description="a\u200b"), "description"),
        (Intent(slug="a", words="a\u200b"), "words"),
        (RoutingPolicy(cache_judge="a\u200b"), "cache_judge"),
        (RoutingPolicy(sidecar_url="http://a/\u200b"), "sidecar_url"),
        (Team(name="a\u200b"), "name"),
        (ApiKey(name="a\u200b"), "name"),
        (ApiKey(name="a", allowed_models="a\u200b"), "allowed_models"),
    ],
)
def test_nobody_enters_what_nobody_sees(row, field):
    with pytest.raises(ValidationError) as refused:
        row.clean()

    (told,) = refused.value.message_dict[field]
    assert told.startswith(COPIED)


@pytest.mark.parametrize(
    "row",
    [
        Tier(rank=1, name="rapide\u00a0: petit"),
        Team(name="\u6771\u4eac\u3000\u30c1"),
        ApiKey(name="\U0001f469\u200d\U0001f4bb"),
        Intent(slug="a", description="one\r\n\ttwo\u00a0three", words="one\r\ntwo"),
    ],
)
def test_what_people_write_is_taken(row):
    row.clean()


def test_a_space_that_does_not_break_is_no_part_of_a_models_name():
    with pytest.raises(ValidationError):
        Backend(name="a", provider="ollama", model="gpt\u00a05").clean()


def test_a_team_of_before_gets_new_limits_by_the_form_that_shows_its_name(admin_client):
    team = Team.objects.create(name="a\u200b")

    page = f"/admin/gateway/team/{team.pk}/change/"
    answer = admin_client.post(page, {"time_zone": "UTC", "requests_per_minute": 7})

    assert answer.status_code == 302
    team.refresh_from_db()
    assert team.requests_per_minute == 7


def test_a_row_of_before_serves_on():
    tier = Tier.objects.create(rank=1, name="one")
    Backend.objects.create(name="a", tier=tier, provider="ollama", model="a\u200b")

    assert "a" in build(timezone.now()).catalog.by_name
