import pytest

from gateway.configuration.aliases import FAMILIES, families, seed_families
from routing.catalog import Alias
from routing.models import Backend, ModelAlias, Tier
from routing.tiers import first_match
from tests.gateway.configuration.samples import models, parsed


def tier_of(name: str, text: str) -> int | None:
    """The tier that a client's model name means once `text` was imported."""
    rows = sorted(families(parsed(text)), key=lambda alias: alias.position)
    found = first_match(name, tuple(Alias(row.pattern, row.tier) for row in rows))
    return found.tier if found else None


def test_a_family_stands_for_the_tier_of_its_own_backends():
    text = """\
models:
  - {name: a, provider: ollama, model: gpt-4o-mini, tier: 1}
  - {name: b, provider: ollama, model: claude-haiku-4-5, tier: 2}
  - {name: c, provider: ollama, model: gpt-5, tier: 3}
"""

    assert tier_of("claude-3-5-haiku-latest", text) == 2
    assert tier_of("gpt-5-mini", text) == 1
    assert tier_of("gpt-4o", text) == 3


def test_other_families_mean_a_tier_by_their_strength():
    text = models(1, 2, 3)

    assert tier_of("claude-3-5-haiku-latest", text) == 1
    assert tier_of("claude-3-5-sonnet-20241022", text) == 2
    assert tier_of("claude-opus-4-1", text) == 3
    assert tier_of("gpt-4.1-nano", text) == 1
    assert tier_of("gpt-4o-mini-2024-07-18", text) == 1
    assert tier_of("gpt-4o", text) == 2
    assert tier_of("gpt-5-pro", text) == 3
    assert tier_of("llama3.2", text) is None


def test_with_two_tiers_the_middle_is_the_better_one_and_with_one_all_is_one():
    assert tier_of("gpt-4o", models(1, 2)) == 2
    assert {tier_of(name, models(1)) for name in ("gpt-4o", "gpt-5-pro")} == {1}


def test_no_family_hides_a_more_specific_one_behind_it():
    patterns = list(FAMILIES)

    for place, pattern in enumerate(patterns):
        example = pattern.replace("*", "4").replace("?", "4")
        assert first_match(example, tuple(Alias(p) for p in patterns)) == Alias(
            patterns[place]
        )


@pytest.mark.django_db
def test_families_are_seeded_once_and_an_operators_alias_stays():
    for rank in (1, 2, 3):
        tier = Tier.objects.create(rank=rank, name=f"t{rank}")
        Backend.objects.create(name=f"b{rank}", tier=tier, provider="ollama", model="x")
    ModelAlias.objects.create(pattern="gpt-*", tier=Tier.objects.get(rank=3))

    assert seed_families() == len(FAMILIES) - 1
    assert seed_families() == 0
    assert ModelAlias.objects.get(pattern="gpt-*").tier.rank == 3
    assert ModelAlias.objects.get(pattern="claude-*opus*").tier.rank == 3
    assert ModelAlias.objects.get(pattern="claude-*haiku*").tier.rank == 1


@pytest.mark.django_db
def test_without_backends_there_is_nothing_to_seed():
    assert seed_families() == 0
