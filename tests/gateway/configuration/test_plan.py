import pytest

from gateway.configuration import ConfigurationError, apply, plan
from gateway.configuration.difference import Detail, Outcome
from routing.models import Backend, Intent, ModelAlias, RoutingPolicy, Tier
from tests.gateway.configuration.samples import (
    LATER,
    NOW,
    REFERENCE,
    TWO_MODELS,
    load,
    models,
    parsed,
)

pytestmark = pytest.mark.django_db


def changes(text: str, **options: bool) -> dict[str, tuple[Outcome, list[Detail]]]:
    """What `text` would do, without what it leaves alone."""
    wanted = plan(parsed(text), LATER, **options)
    return {
        change.label: (change.outcome, list(change.details))
        for change in wanted.changes
        if change.outcome is not Outcome.UNCHANGED
    }


def test_a_plan_writes_nothing():
    plan(parsed(REFERENCE), NOW)

    assert not Tier.objects.exists()
    assert not Backend.objects.exists()
    assert not RoutingPolicy.objects.exists()


def test_the_references_example_becomes_rows():
    load(REFERENCE)

    tiers = Tier.objects.values_list("rank", "name", "max_score")
    assert list(tiers) == [(1, "tier-1", 30), (2, "tier-2", 70), (3, "tier-3", None)]
    opus = Backend.objects.get(name="claude-opus")
    assert (opus.tier.rank, opus.context_window) == (3, 200_000)
    assert (opus.api_key_env, opus.api_key_value) == ("ANTHROPIC_API_KEY", "")
    assert RoutingPolicy.load().cache_matching == "canonical"
    assert RoutingPolicy.load().write_timeout_seconds == 120.0


@pytest.mark.parametrize("text", [REFERENCE, TWO_MODELS])
def test_a_second_load_changes_nothing(text):
    load(text)

    assert plan(parsed(text), LATER).is_empty
    assert changes(text) == {}


@pytest.mark.parametrize(
    ("ranks", "scores"),
    [((1,), [None]), ((1, 2), [50, None]), ((1, 2, 3, 4), [25, 50, 75, None])],
)
def test_any_number_of_tiers_works(ranks, scores):
    load(models(*ranks))

    assert list(Tier.objects.values_list("max_score", flat=True)) == scores


def test_a_tier_more_gives_the_highest_a_bound_and_keeps_the_others():
    load(models(1, 2, 3) + "classifier: {tier1_max: 20, tier2_max: 60}\n")

    assert changes(models(1, 2, 3, 4)) == {
        "tier 3": (Outcome.CHANGED, [Detail("tier3_max", "none", "75")]),
        "tier 4": (Outcome.CREATED, [Detail("name", "none", "tier-4")]),
        "backend m4": (
            Outcome.CREATED,
            [
                Detail("provider", "none", "ollama"),
                Detail("model", "none", "x4"),
                Detail("tier", "none", "4"),
            ],
        ),
    }


@pytest.mark.parametrize(("low", "high"), [(80, 90), (5, 10)])
def test_all_thresholds_can_move_past_each_other(low, high):
    load(models(1, 2, 3))

    load(models(1, 2, 3) + f"classifier: {{tier1_max: {low}, tier2_max: {high}}}\n")

    assert list(Tier.objects.values_list("max_score", flat=True)) == [low, high, None]


def test_a_threshold_above_that_of_a_tier_the_file_does_not_have_is_refused():
    load(models(1, 2, 3))

    with pytest.raises(ConfigurationError, match="With the tiers of the database"):
        plan(parsed(models(1, 2) + "classifier: {tier1_max: 75}\n"), LATER)


def test_what_the_file_does_not_say_keeps_the_value_of_the_database():
    load(TWO_MODELS)
    Backend.objects.filter(name="small").update(weight=3, context_window=4096)
    RoutingPolicy.objects.update(cache_ttl_seconds=7)

    assert changes(TWO_MODELS + "cache: {max_size: 5}\n") == {
        "policy": (Outcome.CHANGED, [Detail("cache.max_size", "1000", "5")])
    }


def test_backends_missing_in_the_file_stay_unless_pruned():
    load(models(1, 2, 2))
    left = ("backend m3", (Outcome.NOT_IN_FILE, []))
    pruned = [Detail("state", "enabled", "disabled")]

    assert changes(models(1, 2)) == dict([left])
    assert changes(models(1, 2), prune=True) == {
        "backend m3": (Outcome.NOT_IN_FILE, pruned)
    }
    apply(plan(parsed(models(1, 2)), LATER, prune=True))
    assert Backend.objects.get(name="m3").state == "disabled"
    assert changes(models(1, 2)) == {}


def test_pruning_leaves_aliases_and_intents_to_a_file_that_has_no_such_list():
    load(models(1, 2))
    aliases, intents = ModelAlias.objects.count(), Intent.objects.count()

    assert changes(models(1, 2), prune=True) == {}
    assert changes(models(1, 2) + "aliases:\nintents:\n", prune=True) == {}
    pruned = changes(models(1, 2) + "aliases: []\nintents: []\n", prune=True)

    assert aliases and intents
    assert len(pruned) == aliases + intents


def test_the_baseline_tier_is_a_rank_in_the_file():
    load(models(1, 2) + "routing: {baseline_tier: 2}\n")

    policy = RoutingPolicy.load()
    assert policy.baseline_tier == Tier.objects.get(rank=2)
    assert changes(models(1, 2) + "routing: {baseline_tier: 1}\n") == {
        "policy": (Outcome.CHANGED, [Detail("routing.baseline_tier", "2", "1")])
    }


def test_families_are_made_once_and_stay_deleted_or_changed():
    load(models(1, 2, 3))
    assert ModelAlias.objects.get(pattern="claude-*opus*").tier.rank == 3
    ModelAlias.objects.filter(pattern="gpt-*").delete()
    ModelAlias.objects.filter(pattern="o1*").update(tier=Tier.objects.get(rank=1))

    assert changes(models(1, 2, 3)) == {}


def test_an_alias_of_the_file_wins_over_the_family_of_that_name():
    text = models(1, 2) + "aliases: [{pattern: 'gpt-*', backend: m1}]\n"
    load(text)

    alias = ModelAlias.objects.get(pattern="gpt-*")
    assert (alias.backend.name, alias.tier, alias.position) == ("m1", None, 1)
    assert alias == ModelAlias.objects.first()
    assert changes(text) == {}


def test_an_alias_can_turn_from_a_backend_to_a_tier():
    load(models(1, 2) + "aliases: [{pattern: mine, backend: m1}]\n")

    load(models(1, 2) + "aliases: [{pattern: mine, tier: 2}]\n")

    alias = ModelAlias.objects.get(pattern="mine")
    assert (alias.backend, alias.tier.rank) == (None, 2)


def test_an_alias_made_in_the_admin_is_told_and_left():
    load(models(1, 2))
    ModelAlias.objects.create(pattern="mine", tier=Tier.objects.get(rank=1))

    assert changes(models(1, 2)) == {"alias mine": (Outcome.NOT_IN_FILE, [])}


def test_similarity_is_noted_where_it_does_not_act():
    note = (
        "cache.similarity_thresh acts in jaccard matching only; cache.matching is "
        "canonical"
    )
    jaccard = REFERENCE.replace("cache:\n", "cache:\n  matching: jaccard\n")

    assert note in plan(parsed(REFERENCE), NOW).notes
    assert not any("similarity" in n for n in plan(parsed(jaccard), NOW).notes)


def test_a_judge_that_is_no_backend_is_noted_and_what_was_meant():
    text = models(1) + "cache: {judge: m-1}\ncascade: {judge: m1}\n"

    notes = plan(parsed(text), NOW).notes

    assert [note for note in notes if "judge" in note] == [
        'cache.judge is m-1, which is no backend; did you mean "m1"?'
    ]


def test_backends_without_a_key_or_a_price_are_noted():
    text = "models: [{name: m, provider: openai, model: x, tier: 1}]\n"

    assert plan(parsed(text), NOW).notes == (
        "m gets no requests yet: openai needs an API key.",
        "m has no price; its costs are counted as unpriced",
    )
