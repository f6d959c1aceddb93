"""From votes to a router that decides, and back again."""

from datetime import timedelta
from random import Random

import pytest
from django.utils import timezone

from gateway.runtime.routers import read_brain
from routing.catalog import Catalog, Policy
from routing.chat import Features
from routing.learned.brain import Brain
from routing.learned.features import prompt_of, row_of
from routing.learning.refit import KEPT_VERSIONS, due_scopes, promote, refit, start_of
from routing.models import (
    Feedback,
    Judgement,
    LearningTurn,
    Lesson,
    RouterModel,
    RoutingPolicy,
    Tier,
)
from tests.harness import PRICES, TIERS, backend
from tests.routing.learned.samples import small_router
from tests.routing.learning.traffic import vote

pytestmark = pytest.mark.django_db
HARD, EASY = "derive the integral of lamp cloud", "say hello to lamp cloud"
LEARNING = Brain(learning=True, exploration=1.0)
TWO = (TIERS[0], TIERS[2])


def catalog(**policy) -> Catalog:
    backends = tuple(
        backend(t.name, t.rank, "http://x", price=PRICES[t.rank]) for t in TWO
    )
    return Catalog(TWO, backends, policy=Policy(**{"learning": "auto"} | policy))


@pytest.fixture
def policy() -> RoutingPolicy:
    for tier in TWO:
        Tier.objects.create(rank=tier.rank, name=tier.name, max_score=tier.max_score)
    policy = RoutingPolicy.load()
    policy.learning = "auto"
    policy.learned_shadow_requests = 10
    policy.save()
    return policy


def tier_of(text: str, brain: Brain) -> int | None:
    router = brain.router
    row = row_of(prompt_of({"messages": [{"role": "user", "content": text}]}))
    return router.decide(router.judge(row, Features(prompt_tokens=8)), [1, 3])


def test_votes_make_a_router_that_is_watched_and_then_decides(policy):
    vote(LEARNING, catalog(), 600)
    made = refit("key:1", policy)

    assert (made.status, made.source, made.scope) == ("shadow", "feedback", "key:1")
    assert promote(policy) == []  # it has watched nothing yet
    brain, notes = read_brain(catalog())
    vote(brain, catalog(), 12, seed=2)
    [promoted] = promote(policy)

    assert promoted == made
    made.refresh_from_db()
    assert made.status == "active"
    assert made.metrics["watched"]["requests"] == 12
    brain, notes = read_brain(catalog())
    own = brain.of("key:1")
    assert (tier_of(EASY, own), tier_of(HARD, own)) == (1, 3)
    assert notes == ()


def test_another_scope_is_routed_as_before_whatever_a_key_votes(policy):
    honest = RouterModel.keep(small_router().dump(), {"objections": []})
    honest.activate()
    before, _ = read_brain(catalog())
    lies = {(1, True): 1.0, (1, False): 0.0, (3, True): 0.0, (3, False): 1.0}

    vote(LEARNING, catalog(), 600, scope="key:evil", quality=lambda *a: lies[a])
    assert refit("key:evil", policy) is not None
    for router in RouterModel.objects.filter(scope="key:evil"):
        router.metrics = {"objections": []}
        router.save()
        router.activate()
    after, _ = read_brain(catalog())

    honest.refresh_from_db()
    assert honest.status == "active"
    evil, victim = after.of("key:evil"), after.of("key:1")
    for text in (HARD, EASY):
        assert tier_of(text, victim) == tier_of(text, before)
    assert evil.router.version != victim.router.version == honest.version


def test_a_promise_is_not_left_by_itself_for_a_router_that_has_shown_none(policy):
    start = RouterModel.keep(small_router().dump(), {"objections": []})
    start.activate()
    start.give({"limit": 0.1, "confidence": 0.95, "baseline": "3", "borders": []})
    policy.learned_target, policy.learned_target_value = "max_worse", 0.1
    policy.learned_shadow_requests = 0
    made = RouterModel.keep(b"x", {"objections": []}, "feedback", "key:1")
    made.watch()

    assert promote(policy) == []
    policy.learned_target = "max_loss"
    assert promote(policy) == [made]

    # Where there is no promise to leave, nothing is lost by it.
    policy.learned_target = "max_worse"
    start.retire()
    other = RouterModel.keep(b"x", {"objections": []}, "feedback", "key:2")
    other.watch()
    assert promote(policy) == [other]


def test_votes_across_scopes_count_no_one_for_more_than_all_others(policy):
    policy.learned_across_scopes = True
    flip = lambda tier, hard: 1.0 - (0.1 if hard and tier == 1 else 0.9)  # noqa: E731
    vote(LEARNING, catalog(), 500, scope="key:good")
    vote(LEARNING, catalog(), 500, scope="key:good too", seed=2)
    vote(LEARNING, catalog(), 400, scope="key:evil", quality=flip, seed=3)

    assert due_scopes(policy) == [""]
    made = refit("", policy)

    assert (made.scope, made.status) == ("", "shadow")
    made.activate()
    brain, _ = read_brain(catalog())
    assert (tier_of(EASY, brain), tier_of(HARD, brain)) == (1, 3)


def test_random_votes_make_a_draft_that_stays_one_with_its_reasons(policy):
    random = Random(4)
    vote(
        LEARNING,
        catalog(),
        500,
        quality=lambda tier, hard: float(random.random() < 0.5),
    )

    made = refit("key:1", policy)

    assert made.status == "draft"
    assert made.objections
    assert made.objections[0] in LearningTurn.objects.get(scope="key:1").note
    assert promote(policy) == []


def test_a_router_of_labelled_prompts_is_corrected_and_not_forgotten(policy):
    start = RouterModel.keep(small_router().dump(), {"objections": []})
    start.activate()
    brain, _ = read_brain(catalog(learned_soft_share=0.5))
    vote(brain, catalog(), 260)

    made = refit("key:1", policy)

    assert made.metrics["learned"]["start"] == start.version
    assert made.metrics["pairs"][0]["ranking"]["apgr"] > 0.7
    # Also after it decides itself, the start is what labelled prompts have taught.
    made.metrics |= {"objections": []}
    made.save()
    made.activate()
    vote(brain, catalog(), 60, seed=2)
    assert refit("key:1", policy).metrics["learned"]["start"] == start.version


def test_training_is_due_after_so_many_new_votes_of_a_scope(policy):
    policy.learned_refit_every = 100
    vote(LEARNING, catalog(), 99)
    vote(LEARNING, catalog(), 100, scope="key:2")
    assert due_scopes(policy) == ["key:2"]

    refit("key:2", policy)
    assert due_scopes(policy) == []
    vote(LEARNING, catalog(), 1, seed=2)
    assert due_scopes(policy) == ["key:1"]
    policy.learning = "none"
    assert due_scopes(policy) == []


def test_one_process_trains_a_scope_at_a_time(policy):
    vote(LEARNING, catalog(), 60)
    now = timezone.now()
    turn = LearningTurn.take("key:1", now)

    assert refit("key:1", policy) is None
    assert RouterModel.objects.count() == 0
    turn.taken_at = now - timedelta(hours=1)  # whoever took it has died
    turn.save()
    assert refit("key:1", policy) is not None


def test_too_few_votes_and_votes_on_one_tier_train_nothing_and_say_so(policy):
    vote(LEARNING, catalog(), 20)
    assert refit("key:1", policy) is None
    assert "at least 50" in LearningTurn.objects.get(scope="key:1").note

    vote(Brain(learning=True), catalog(), 80, scope="key:2")
    assert refit("key:2", policy) is None
    assert "one tier only" in LearningTurn.objects.get(scope="key:2").note


def test_old_versions_go_and_those_in_use_stay(policy):
    vote(LEARNING, catalog(), 60)
    active = RouterModel.keep(b"x", {"objections": []}, "feedback", "key:1")
    active.activate()
    for _ in range(KEPT_VERSIONS + 5):
        RouterModel.keep(b"x", {}, "feedback", "key:1")

    refit("key:1", policy)

    left = RouterModel.objects.filter(scope="key:1", status="draft")
    assert left.count() <= KEPT_VERSIONS
    assert RouterModel.objects.filter(pk=active.pk).exists()


def test_comparisons_train_a_router_without_any_vote(policy):
    policy.learned_refit_every = 300
    vote(LEARNING, catalog(), 300)
    for number, lesson in enumerate(Lesson.objects.all()):
        verdict = (
            "worse"
            if Feedback.objects.get(request_id=lesson.request_id).quality < 0.5
            or number % 3 == 0
            else "equal"
        )
        Judgement.objects.create(
            request_id=lesson.request_id,
            scope="key:1",
            cheap_tier=1,
            baseline_tier=3,
            verdict=verdict,
            tokens=1,
            row=lesson.row,
        )
    Feedback.objects.all().delete()

    assert due_scopes(policy) == ["key:1"]
    made = refit("key:1", policy)

    assert made.metrics["rows"] == 300
    assert made.metrics["pairs"][0]["weak"] == "1"
    assert due_scopes(policy) == []


def test_a_router_of_labelled_prompts_that_came_later_is_the_new_start(policy):
    for _ in range(2):
        RouterModel.keep(small_router().dump(), {"objections": []}).activate()
    own = RouterModel.keep(b"x", {"learned": {"start": 1}}, "feedback", "key:1")
    own.metrics["objections"] = []
    own.activate()

    assert start_of("key:1").version == 2
    RouterModel.objects.get(version=2).retire()
    assert start_of("key:1").version == 1


def test_training_that_is_stopped_is_begun_anew(policy):
    policy.learned_refit_every = 60
    vote(LEARNING, catalog(), 60)
    LearningTurn.take("key:1", timezone.now()).release()

    assert due_scopes(policy) == ["key:1"]
    assert refit("key:1", policy) is not None
