"""Where scopes have moved the borders between tiers, as far as that still holds."""

import pytest

from gateway.ledger.books import Caller
from routing.models import RoutingPolicy, Tier, VotedBorder
from tests.gateway.runtime.snapshot.rows import read

pytestmark = pytest.mark.django_db(transaction=True)


def vote(border: int, *, tier: int = 1, base: int = 40, scope: str = "team:web"):
    VotedBorder.objects.create(
        scope=scope, tier=tier, base=base, border=border, votes=50, votes_above=50,
        newest=1,
    )  # fmt: skip


def learn(mode: str = "auto") -> None:
    policy = RoutingPolicy.load()
    policy.learning = mode
    policy.save()


def borders(scope: str = "team:web") -> list[int | None]:
    seen = read().seen_by(Caller(scope))
    return [tier.max_score for tier in seen.catalog.tiers]


def test_a_scope_sees_its_own_borders_and_the_others_those_of_the_tiers():
    learn()
    vote(15)

    assert borders() == [15, None]
    assert borders("team:other") == [40, None]
    snapshot = read()
    seen = snapshot.seen_by(Caller("team:web"))
    assert seen.fingerprint_for("team:web") == snapshot.fingerprint_for("team:web")
    assert seen.seen_by(Caller("team:web")).catalog.tiers == seen.catalog.tiers


@pytest.mark.parametrize("mode", ["none", "watch"])
def test_they_decide_only_where_learning_may(mode):
    learn(mode)
    vote(15)

    assert borders() == [40, None]


def test_a_tier_that_was_given_another_border_has_none_that_is_voted():
    learn()
    vote(15)
    Tier.objects.filter(rank=1).update(max_score=50)

    assert borders() == [50, None]


def test_borders_that_would_not_rise_are_left_out():
    learn()
    Tier.objects.filter(rank=2).update(max_score=60)
    Tier.objects.create(rank=3, name="largest")
    vote(58)
    vote(55, tier=2, base=60)
    vote(20, scope="key:1")

    assert borders() == [40, 60, None]
    assert borders("key:1") == [20, 60, None]


def test_a_change_is_live_at_the_next_look():
    learn()
    before = read().versions

    vote(15)

    assert read().versions != before
