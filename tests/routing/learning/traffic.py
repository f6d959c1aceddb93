"""Traffic of a gateway that learns: lessons and votes, as the gateway stores them."""

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

from routing.catalog import Catalog
from routing.classifier import classify
from routing.features import extract
from routing.learned.brain import Brain
from routing.learned.features import prompt_of, row_of
from routing.models import Feedback, Lesson
from tests.routing.learned.samples import prompt

AT = datetime(2026, 1, 1, tzinfo=UTC)
CHEAP = 1
Quality = Callable[[int, bool], float]  # of a tier's answer to a hard or easy prompt


def truth(tier: int, hard: bool) -> float:
    return 0.1 if hard and tier == CHEAP else 0.9


def vote(
    brain: Brain,
    catalog: Catalog,
    count: int,
    *,
    scope: str = "key:1",
    quality: Quality = truth,
    seed: int = 1,
) -> None:
    """Route so many prompts, and store what was seen and thought of each."""
    random = Random(seed)
    lessons, votes = [], []
    ranks = [tier.rank for tier in catalog.tiers]
    for number in range(count):
        text, hard = prompt(random)
        body = {"messages": [{"role": "user", "content": text}]}
        features = extract(body)
        proposal = brain.of(scope).propose(body, features, ranks, CHEAP, random)
        tier = proposal.tier or CHEAP
        name = f"{scope}-{seed}-{number}"
        kept = proposal.lesson or {}
        lessons.append(
            Lesson(
                request_id=name,
                at=AT,
                scope=scope,
                tier=tier,
                chance=proposal.chance,
                tokens=features.prompt_tokens,
                row=row_of(prompt_of(body)).pack(),
                **{
                    column: kept.get(column)
                    for column in ("router", "gain", "shadow", "shadow_tier")
                },
            )
        )
        votes.append(
            Feedback(
                scope=scope,
                request_id=name,
                score=classify(features).value / 100,
                tier=tier,
                quality=quality(tier, hard),
            )
        )
    Lesson.objects.bulk_create(lessons)
    Feedback.objects.bulk_create(votes)
