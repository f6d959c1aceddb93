"""The report against numbers worked out by hand, and what comes into it."""

from datetime import date
from random import Random
from statistics import mean, variance

import pytest

from gateway.ledger import acceptance, store
from gateway.ledger.books import Caller
from gateway.models import MeasuredDay
from gateway.savings import Arm, by_scope, report, together
from tests.faultllm import FaultLLM
from tests.gateway.ledger.samples import attempt, request
from tests.gateway.limits.samples import tiers
from tests.harness import ask, serving

TODAY = date(2026, 11, 26)
AT = "2026-11-26T10:00:00.000000+00:00"


def arm_of(costs: list[int], **fields: int) -> Arm:
    squares = sum((cost / 1000) ** 2 for cost in costs)
    return Arm(len(costs), sum(costs), squares, **fields)


def test_the_interval_is_that_of_the_difference_of_two_means():
    random = Random(1)
    routed = [round(random.gauss(2e6, 5e5)) for _ in range(400)]
    held = [round(random.gauss(9e6, 2e6)) for _ in range(50)]

    told = report({"routed": arm_of(routed), "holdout": arm_of(held)})

    difference = mean(held) - mean(routed)
    spread = (variance(held) / 50 + variance(routed) / 400) ** 0.5
    low, high = told["measured_saved_95_usd"]
    assert told["measured_saved_usd"] == pytest.approx(400 * difference / 1e9)
    assert low == pytest.approx(400 * (difference - 1.96 * spread) / 1e9)
    assert high == pytest.approx(400 * (difference + 1.96 * spread) / 1e9)
    assert told["enough"]


def test_the_true_saving_lies_in_the_interval_as_often_as_it_says():
    random, inside = Random(7), 0
    for _ in range(400):
        routed = [round(random.expovariate(1 / 2e6)) for _ in range(300)]
        held = [round(random.expovariate(1 / 8e6)) for _ in range(60)]
        told = report({"routed": arm_of(routed), "holdout": arm_of(held)})
        low, high = told["measured_saved_95_usd"]
        inside += low <= 300 * 6e6 / 1e9 <= high

    assert 0.91 <= inside / 400 <= 0.98


def test_deciding_is_taken_off_and_bad_answers_do_not_count():
    told = report(
        {
            "routed": arm_of(
                [100] * 10, saved_nano=9000, asked_again=1, bad_feedback=1
            ),
            "holdout": arm_of([1000] * 10),
            "deciding": arm_of([500, 500]),
        }
    )

    assert told["measured_saved_usd"] == pytest.approx((9000 - 1000) / 1e9)
    assert told["priced_saved_usd"] == pytest.approx((9000 - 1000) / 1e9)
    assert told["routed"]["accepted"] == 8
    assert told["routed"]["cost_per_accepted_usd"] == pytest.approx(125e-9)
    assert told["holdout"]["cost_per_accepted_usd"] == pytest.approx(1000e-9)
    assert not told["enough"]


def test_nothing_is_claimed_before_both_groups_have_requests():
    assert report({}) == {}
    told = report({"routed": arm_of([5, 5])})
    assert told["measured_saved_usd"] is None
    assert told["measured_saved_95_usd"] is None


# --- The books ---------------------------------------------------------------------


@pytest.mark.django_db
def test_groups_are_added_up_with_votes_and_repeated_questions():
    def row(name: str, arm: str, cost: int, **fields: object) -> dict:
        return request(name, arm=arm, cost_nano=cost, scope="team:t", at=AT, **fields)

    rows = [
        row("r1", "routed", 1000, saved_nano=7000),
        row("r2", "routed", 3000, asks_again="r1", saved_nano=0),
        row("r3", "routed", 0, status=502, saved_nano=0),
        row("h1", "holdout", 8000, saved_nano=0),
        row("x1", "", 999),
        row("d1", "", 500, endpoint="cache.judge"),
        row("d2", "", 70, endpoint="learn.judge"),
    ]
    store.save(rows, [], may_exist=False)
    for name in ("r1", "r2", "r3", "x1"):  # r1 was asked again already
        acceptance.note(name, "team:t", "bad_feedback")
    acceptance.note("h1", "team:another", "bad_feedback")

    arms = by_scope(TODAY)["team:t"]

    assert arms["routed"] == Arm(
        3, 4000, 10.0, 7000, asked_again=1, bad_feedback=1, unanswered=1
    )
    assert arms["routed"].accepted == 0
    assert arms["holdout"] == Arm(1, 8000, 64.0)
    assert arms["deciding"].cost_nano == 570
    assert together([arms, arms])["routed"].requests == 6
    assert MeasuredDay.objects.count() == 3
    assert by_scope(date(2027, 1, 1)) == {}


@pytest.mark.django_db
def test_a_call_that_outlives_its_request_is_in_the_measured_cost():
    row = request("r1", arm="routed", cost_nano=1000, scope="team:t", at=AT)
    late = attempt("r1", 2, cost_nano=2000, late=True)
    store.save([row], [], may_exist=False)
    store.save([], [late], may_exist=False)

    assert by_scope(TODAY)["team:t"]["routed"] == Arm(1, 3000, 9.0, 600)


# --- The draw ----------------------------------------------------------------------


async def groups(gateway, count: int, **options: object) -> list[tuple[str, int]]:
    """The group and tier of each of so many requests."""
    for number in range(count):
        await ask(gateway, f"Question {number}", max_tokens=5, **options)
    await gateway.settled()
    return [(r["arm"], r["tier"]) for r in gateway.records("request")]


async def test_a_share_goes_to_the_baseline_the_same_with_the_same_seed(
    upstream: FaultLLM, tmp_path
):
    seen = []
    for run in ("one", "two"):
        catalog = tiers(upstream.url, holdout_share=0.3)
        async with serving(catalog, tmp_path / run, seed=3) as gateway:
            seen.append(await groups(gateway, 40))
            first = next(r for r in gateway.records("request") if r["arm"] == "holdout")

    assert seen[0] == seen[1]
    assert {*seen[0]} == {("routed", 1), ("holdout", 3)}
    assert 5 <= seen[0].count(("holdout", 3)) <= 20
    (told,) = [each for each in first["decisions"] if each["step"] == "holdout"]
    assert told["instead_of"] == 1


async def test_nobody_is_drawn_without_a_share(upstream: FaultLLM, tmp_path):
    async with serving(tiers(upstream.url), tmp_path) as gateway:
        assert {*await groups(gateway, 5)} == {("", 1)}


@pytest.mark.parametrize(
    "caller",
    [
        Caller("team:t", "k", "t", 1, max_tier=2),
        Caller("team:t", "k", "t", 1, models=("small", "large")),
    ],
)
async def test_a_key_that_may_not_use_the_baseline_is_in_no_group(
    upstream: FaultLLM, tmp_path, caller: Caller
):
    catalog = tiers(upstream.url, holdout_share=1.0)
    async with serving(catalog, tmp_path, keys={"sk-k": caller}) as gateway:
        headers = {"authorization": "Bearer sk-k"}
        assert {*await groups(gateway, 3, headers=headers)} == {("", 1)}


async def test_a_pinned_request_is_in_no_group(upstream: FaultLLM, tmp_path):
    catalog = tiers(upstream.url, holdout_share=1.0)
    async with serving(catalog, tmp_path) as gateway:
        assert {*await groups(gateway, 3, model="tier-2")} == {("", 2)}


async def test_asking_the_same_again_at_once_counts_against_the_answer(
    upstream: FaultLLM, tmp_path
):
    catalog = tiers(upstream.url, holdout_share=0.000001)
    fresh = {"cache-control": "no-cache"}
    async with serving(catalog, tmp_path) as gateway:
        await ask(gateway, "Why?")
        await ask(gateway, "Why?", headers=fresh)
        await ask(gateway, "Something else")
        await gateway.settled()
        first, second, third = gateway.records("request")

    assert first["asks_again"] == third["asks_again"] == ""
    assert second["asks_again"] == first["request_id"]
