from functools import partial

import pytest

from gateway.configuration import ConfigurationError, apply, dump, plan
from gateway.configuration.difference import Outcome
from gateway.models import ApiKey, Team
from routing.fields import encrypt
from routing.models import (
    Backend,
    Intent,
    ModelAlias,
    Price,
    RoutingPolicy,
    Tier,
    TrailPin,
)
from tests.gateway.configuration.samples import (
    LATER,
    NOW,
    REFERENCE,
    TWO_MODELS,
    load,
    parsed,
)

pytestmark = pytest.mark.django_db


def make_awkward_rows() -> None:
    """Names that YAML takes for something else, odd numbers, every kind of key."""
    load(TWO_MODELS)
    Tier.objects.create(rank=3, name="nobody is here")
    Tier.objects.filter(rank=2).update(name="no: it's #1", max_score=70)
    Backend.objects.filter(name="small").update(
        name="1.5", model="on", weight=0.1 + 0.2, api_key_value=encrypt("sk-canary")
    )
    Price.objects.filter(backend__name="large").update(cache_read=1)
    ModelAlias.objects.filter(pattern="o1*").update(
        tier=None, backend=Backend.objects.get(name="1.5")
    )
    RoutingPolicy.objects.update(
        baseline_tier=Tier.objects.get(rank=1),
        cache_matching="jaccard",
        cache_ttl_seconds=1e-1,
        stream_max_seconds=3.1e9,
        holdout_share=1e-05,
        sidecar_url="http://localhost:6060/classify",
        on_disconnect="drain",
    )
    ApiKey.issue("1e3", team="yes", allowed_models="a, b*", budget_day_usd="0")
    Team.objects.update(time_zone="Asia/Kathmandu", budget_month_usd="1000.5")


def test_loading_a_dump_changes_nothing():
    make_awkward_rows()

    again = plan(parsed(dump(LATER)), LATER)

    assert again.is_empty
    assert {change.outcome for change in again.changes} == {Outcome.UNCHANGED}


def test_names_by_people_come_back_with_the_spaces_they_have():
    load(TWO_MODELS)
    Tier.objects.filter(rank=1).update(name="rapide\u00a0: petit")
    Tier.objects.filter(rank=2).update(name="\u2007\U0001f469\u200d\U0001f4bb")
    key, _ = ApiKey.issue("cl\u00e9\u202f1", team="\u6771\u4eac\u3000\u30c1")
    pin = {"intent": Intent.objects.get(slug="code"), "tier": 1, "backend": "small"}
    for scope in (key.scope, f"key:{key.pk}"):
        TrailPin.objects.create(**pin, scope=scope, value=0.5)

    again = plan(parsed(dump(LATER)), LATER)

    assert {change.outcome for change in again.changes} == {Outcome.UNCHANGED}


def test_what_no_file_may_hold_is_written_so_that_it_is_seen_and_told():
    load(TWO_MODELS)
    Backend.objects.filter(name="small").update(model="a\x85b")

    assert '    model: "a\\Nb"\n' in dump(LATER)
    with pytest.raises(ConfigurationError, match=r"can't be printed \(U\+0085\)"):
        parsed(dump(LATER))


def test_a_tier_that_was_emptied_is_told_before_somebody_loads_the_dump():
    load(TWO_MODELS)
    Tier.objects.filter(rank=2).update(rank=4)

    lines = dump(LATER).splitlines()

    told = (
        "has no backend: give it one, or count the tiers anew, before this is loaded."
    )
    assert lines[:3] == [f"# Tier 2 {told}", f"# Tier 3 {told}", ""]
    with pytest.raises(ConfigurationError, match="tier 2 has no backend"):
        parsed(dump(LATER))


def test_numbers_as_large_as_a_row_takes_come_back():
    load(TWO_MODELS)
    Backend.objects.update(weight=1e21)
    Team.objects.create(name="ours", tokens_per_minute=2**63 - 1)

    assert plan(parsed(dump(LATER)), LATER).is_empty


def test_a_dump_rebuilds_the_rows_in_an_empty_database():
    make_awkward_rows()
    text = dump(LATER)
    ModelAlias.objects.all().delete()
    Backend.objects.all().delete()
    RoutingPolicy.objects.all().delete()
    Tier.objects.all().delete()
    ApiKey.objects.update(team=None, allowed_models="", budget_day_usd=5)
    Team.objects.all().delete()

    apply(plan(parsed(text), NOW))
    Backend.objects.filter(name="1.5").update(api_key_value=encrypt("sk-canary"))

    assert dump(LATER) == text


def test_what_a_person_emptied_does_not_come_back_where_a_dump_is_loaded():
    load(TWO_MODELS)
    first = Intent.objects.get(slug="code")
    Intent.objects.filter(slug="code").update(description="", words="", cues="")
    text = dump(LATER)
    first.save()

    apply(plan(parsed(text), NOW))

    code = Intent.objects.get(slug="code")
    assert first.description and first.words and first.cues
    assert [code.description, code.words, code.cues] == ["", "", ""]
    assert dump(LATER) == text


def test_what_was_deleted_here_stays_so_where_a_dump_is_loaded_and_pruned():
    load(TWO_MODELS)
    ModelAlias.objects.exclude(pattern="gpt-*").delete()
    Intent.objects.exclude(slug="code").delete()
    some = dump(LATER)
    ModelAlias.objects.all().delete()
    Intent.objects.all().delete()
    none = dump(LATER)
    Backend.objects.all().delete()
    Tier.objects.all().delete()
    Intent.objects.create(slug="prose")

    apply(plan(parsed(none), NOW, prune=True))

    assert "\naliases: []\n" in none and "\nintents: []\n" in none
    assert not ModelAlias.objects.exists()
    assert not Intent.objects.filter(active=True).exists()

    ModelAlias.objects.create(pattern="o1*", tier=Tier.objects.get(rank=1))
    apply(plan(parsed(some), NOW, prune=True))

    assert [row.pattern for row in ModelAlias.objects.all()] == ["gpt-*"]
    assert [row.slug for row in Intent.objects.filter(active=True)] == ["code"]
    assert plan(parsed(some), NOW, prune=True).is_empty


def test_a_dump_holds_no_secret_and_says_where_it_is():
    make_awkward_rows()
    token = Backend.objects.get(name="1.5").api_key_value

    text = dump(LATER)

    assert "    # api_key: kept encrypted in the database\n" in text
    assert "    api_key: $BIG_KEY\n" in text
    assert "canary" not in text
    assert token not in text


def test_a_dump_reads_like_the_file_it_came_from():
    load(REFERENCE)

    assert dump(LATER).startswith(
        "models:\n"
        "  - name: claude-haiku\n"
        "    provider: anthropic\n"
        "    model: claude-haiku-4-5-20251001\n"
        "    base_url: https://api.anthropic.com\n"
        "    max_tokens: 200000\n"
        "    tier: 1\n"
        "    weight: 1\n"
        "    max_in_flight: 0\n"
        "    state: enabled\n"
        "    api_key: $ANTHROPIC_API_KEY\n"
        "    cost_per_1k_in: 0.0008\n"
        "    cost_per_1k_out: 0.004\n"
        "    cost_per_1k_cache_read: 0.00008\n"
        "    cost_per_1k_cache_write: 0.001\n"
    )


def test_an_empty_database_gives_the_rules_alone():
    text = dump(NOW)

    assert text.startswith("routing:\n  client_model: ceiling\n")


def test_intents_and_pins_come_back_as_they_were():
    make_awkward_rows()
    Intent.objects.filter(slug="code").update(
        words="no\r\n1.5, rook takes\n", cues="tools 2.5", active=False, cascade="all"
    )
    key, _ = ApiKey.issue("key:5")
    told = "64\u00a0fields, \U0001f469\u200d\U0001f4bb: # plays"
    chess = Intent.objects.create(
        slug="chess", description=told, bias=-0.5, cascade_check="form"
    )
    pin = partial(TrailPin.objects.create, intent=chess, value=0)
    pin(tier=2, backend="large", value=0.1 + 0.2)
    pin(tier=2, backend="large", scope=key.scope)
    pin(tier=2, backend="large", scope="team:yes", value=1)
    pin(tier=1, backend="large")  # where it was
    pin(tier=2, backend="gone")
    pin(tier=2, backend="large", scope="key:0")  # of a key that is gone
    text = dump(LATER)
    assert plan(parsed(text), LATER).is_empty
    Intent.objects.all().delete()

    apply(plan(parsed(text), NOW))

    assert dump(LATER) == text
    assert Intent.objects.get(slug="chess").description == told
    assert "    scope: key:key:5\n" in text
    code = Intent.objects.get(slug="code")
    assert (code.words, code.active) == ("no\r\n1.5, rook takes\n", False)
    assert set(TrailPin.objects.values_list("backend", "tier", "scope", "value")) == {
        ("large", 2, "", 0.1 + 0.2),
        ("large", 2, key.scope, 0.0),
        ("large", 2, "team:yes", 1.0),
    }
