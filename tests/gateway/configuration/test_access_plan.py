import pytest

from gateway.configuration import ConfigurationError, plan
from gateway.models import ApiKey, Team
from tests.gateway.configuration.samples import NOW, TWO_MODELS, load, parsed

pytestmark = pytest.mark.django_db

TEAM = """\
teams:
  - name: web
    time_zone: Europe/Zurich
    budget_month_usd: 100
"""
KEYS = """\
keys:
  - name: ci
    team: web
    models: small
    tokens_per_minute: 5000
    budget_day_usd: 0.25
"""


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parsed(TWO_MODELS + text)
    return list(caught.value.messages)


def test_a_file_makes_teams_and_bounds_the_keys_that_exist():
    ApiKey.issue("ci")

    assert {"team web", "key ci"} <= set(load(TWO_MODELS + TEAM + KEYS))

    key = ApiKey.objects.get()
    assert (key.team.name, key.allowed_models) == ("web", "small")
    assert (key.tokens_per_minute, str(key.budget_day_usd)) == (5000, "0.2500")
    assert Team.objects.get().time_zone == "Europe/Zurich"
    assert load(TWO_MODELS + TEAM + KEYS) == []


def test_a_key_that_does_not_exist_is_told_and_not_made():
    wanted = plan(parsed(TWO_MODELS + TEAM + KEYS), NOW)

    assert any("create_key ci" in note for note in wanted.notes)
    assert not any(change.label == "key ci" for change in wanted.changes)


def test_a_short_file_leaves_limits_as_they_are():
    ApiKey.issue("ci", team="web", budget_day_usd="1")

    assert load(TWO_MODELS + "keys:\n  - {name: ci, max_tier: 1}\n")

    key = ApiKey.objects.get()
    assert (key.team.name, key.budget_day_usd, key.max_tier) == ("web", 1, 1)


def test_each_mistake_is_told_with_its_line():
    first = TWO_MODELS.count("\n")
    told = problems(
        "teams:\n  - {name: web, time_zone: Mars/Olympus, budget_day_usd: -1}\n"
        "  - {name: web}\n"
        "keys:\n  - {name: ci, team: wbe}\n  - {team: web}\n"
    )

    assert len(told) == 5
    assert f"config.yaml:{first + 2}:" in told[0]
    assert any('no time zone "Mars/Olympus"' in message for message in told)
    assert any("teams[0].budget_day_usd" in message for message in told)
    assert any('has the same name "web"' in message for message in told)
    assert any('the team "wbe" is not in teams' in message for message in told)
    assert any("keys[1] has no name" in message for message in told)


def test_a_lowest_tier_above_the_highest_is_told_with_its_line():
    line = TWO_MODELS.count("\n") + 2

    assert problems("keys:\n  - {name: ci, min_tier: 2, max_tier: 1}\n") == [
        f"config.yaml:{line}: keys[0].min_tier: The lowest tier is above the highest."
    ]


def test_bounds_that_leave_a_key_no_tier_are_refused():
    ApiKey.issue("ci")

    with pytest.raises(ConfigurationError, match="key ci: No tier is that high"):
        load(TWO_MODELS + "keys:\n  - {name: ci, min_tier: 9}\n")

    assert ApiKey.objects.get().min_tier is None
