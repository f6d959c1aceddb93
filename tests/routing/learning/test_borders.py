"""Votes that move a scope's borders: where, how surely, and whose."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.learning.borders import (
    ENOUGH,
    Vote,
    best_border,
    borders,
    due_borders,
    keep_borders,
)
from routing.models import Feedback, RoutingPolicy, Tier, VotedBorder

TIERS = ((1, 30), (2, 70), (3, None))
WHOLE = range(100)


def told(count: int, good, *, weight: float = 1.0, seed: int = 1) -> list[Vote]:
    """Thumbs of a gateway that draws its tier, on scores of 5 to 50; `good` is how
    often a tier's answer is good at a score."""
    random = Random(seed)
    votes = []
    for _ in range(count):
        score, tier = random.randint(5, 50), random.choice((1, 2))
        up = float(random.random() < good(tier, score))
        votes.append(Vote(score, tier, up, weight))
    return votes


def weak_above_15(tier: int, score: int) -> float:
    return 0.3 if tier == 1 and score > 15 else 0.9


def good_up_to_45(tier: int, score: int) -> float:
    return 0.9 if tier == 2 or score <= 45 else 0.1


def border(votes, base: int = 30, loss: float = 0.02) -> int:
    return best_border(votes, 1, 2, base, WHOLE, loss)


def test_the_border_goes_to_where_the_cheaper_tier_begins_to_be_worse():
    assert [border(told(2000, weak_above_15, seed=n)) for n in range(8)] == [15] * 8


def test_it_goes_up_where_the_cheaper_tier_is_better():
    def better_up_to_45(tier: int, score: int) -> float:
        return 0.9 if (tier == 1) == (score <= 45) else 0.2

    assert [border(told(2000, better_up_to_45, seed=n)) for n in range(8)] == [45] * 8


def test_what_is_as_good_as_the_accepted_loss_stays_cheap():
    votes = told(4000, lambda tier, score: 0.80 if tier == 1 else 0.82)

    assert border(votes, loss=0.05) >= 30
    assert border(told(4000, weak_above_15), loss=0.9) >= 45  # whatever it loses


def test_noise_moves_next_to_nothing():
    found = [border(told(1000, lambda *_: 0.7, seed=n)) for n in range(40)]

    assert sum(each != 30 for each in found) <= 4


@pytest.mark.parametrize("few", [1, 2])
def test_too_few_votes_on_one_of_the_tiers_move_nothing(few):
    votes = told(2000, weak_above_15)
    kept, left = [], ENOUGH - 1
    for vote in votes:
        left -= vote.tier == few
        if vote.tier != few or left >= 0:
            kept.append(vote)

    assert border(votes) == 15
    assert border(kept) == 30


def test_a_tenth_of_the_weight_takes_ten_times_the_votes():
    votes = told(300, weak_above_15)
    light = [vote._replace(weight=0.1) for vote in votes]

    assert border(votes) < 30
    assert border(light) == 30
    assert border(light * 10) == border(votes)


def test_borders_keep_rising_and_leave_room_for_each_other():
    random = Random(3)
    votes = [
        Vote(random.randint(0, 100), tier, float(tier == 2), 1.0)
        for tier in (1, 2, 3)
        for _ in range(2000)
    ]

    found = borders(votes, TIERS, 0.02)

    assert found[1] < found[2]
    assert found[1] <= 5  # tier 2 is better than the one below it, and than that above
    assert found[2] >= 95


VOTES = st.builds(
    Vote,
    st.integers(0, 100),
    st.integers(1, 3),
    st.floats(0, 1),
    st.sampled_from([0.1, 1.0]),
)


@given(st.lists(VOTES, max_size=200), st.integers(0, 98), st.integers(1, 99))
def test_any_votes_give_borders_that_are_scores_and_rise(votes, first, second):
    first, second = sorted((first, max(first + 1, second)))

    found = borders(votes * 5, ((1, first), (2, second), (3, None)), 0.02)

    assert 0 <= found[1] < found[2] <= 99 or found == {1: first, 2: second}
    assert found[1] < second


def store(scope: str, votes: list[Vote], request_id: str = "") -> None:
    Feedback.objects.bulk_create(
        Feedback(
            scope=scope,
            request_id=request_id and f"{request_id}{number}",
            score=vote.score / 100,
            tier=vote.tier,
            quality=vote.quality,
            weight=vote.weight,
        )
        for number, vote in enumerate(votes)
    )


@pytest.fixture
def policy(db) -> RoutingPolicy:
    for rank, last in TIERS:
        Tier.objects.create(rank=rank, name=f"tier-{rank}", max_score=last)
    policy = RoutingPolicy.load()
    policy.learning = "auto"
    policy.save()
    return policy


def kept(scope: str) -> dict[int, int]:
    rows = VotedBorder.objects.filter(scope=scope)
    return dict(rows.values_list("tier", "border"))


def test_one_scopes_votes_leave_every_other_scope_as_it_was(policy):
    store("team:web", told(2000, weak_above_15), "web")
    keep_borders("team:web", policy)
    before = list(VotedBorder.objects.filter(scope="team:web").values())
    store("key:9", [Vote(s, t, t / 2, 1.0) for s in range(101) for t in (1, 2)] * 20)

    keep_borders("key:9", policy)
    keep_borders("team:web", policy)

    assert list(VotedBorder.objects.filter(scope="team:web").values()) == before
    assert kept("team:web") == {1: 15, 2: 70}
    assert kept("key:9") != kept("team:web")


def test_a_row_that_claims_more_than_a_vote_counts_as_one(policy):
    votes = told(300, weak_above_15)
    store("a", votes)
    keep_borders("a", policy)
    store("b", [vote._replace(weight=1000.0) for vote in votes])
    keep_borders("b", policy)

    assert kept("a") == kept("b")
    rows = VotedBorder.objects.filter(tier=1).values_list("votes", "votes_above")
    assert rows[0] == rows[1]
    assert sum(rows[0]) == 300


def test_a_scope_is_due_after_as_many_new_votes_of_any_form_as_the_policy_says(policy):
    policy.learned_refit_every = 100
    store("a", told(60, weak_above_15, weight=0.1))
    assert due_borders(policy) == []
    store("a", told(40, weak_above_15), "req")
    store("b", told(99, weak_above_15))
    assert due_borders(policy) == ["a"]

    keep_borders("a", policy)
    assert due_borders(policy) == []
    policy.learning = "none"
    store("a", told(200, weak_above_15))
    assert due_borders(policy) == []


def test_few_votes_leave_rows_that_say_how_many_there_were(policy):
    store("a", told(50, weak_above_15, weight=0.1))

    keep_borders("a", policy)

    row = VotedBorder.objects.get(scope="a", tier=1)
    assert (row.base, row.border) == (30, 30)
    assert row.votes + row.votes_above == 5  # no 4.999999999999998 in the admin
