"""Trains routers on new votes and moves them on: draft, shadow, active, retired."""

from collections import Counter
from collections.abc import Sequence

from django.db.models import Count
from django.utils import timezone

from routing.catalog import Tier as CatalogTier
from routing.learned.evaluate import OF_MORE_VOTES, OF_VOTES
from routing.learned.evidence import labelled
from routing.learned.labelled import TooLittle
from routing.learned.model import NotAModel, QualityModel
from routing.learned.router import column_of
from routing.learned.train import FOLDS, train
from routing.learning.votes import (
    EVERYBODY,
    evidence_of,
    newest_pair,
    newest_vote,
    pairs_of,
    votes_of,
)
from routing.models import (
    Intent,
    LearningTurn,
    Lesson,
    RouterModel,
    RoutingPolicy,
    Tier,
)
from routing.trails import intents_of

FEEDBACK = RouterModel.Source.FEEDBACK
MAX_WORSE = RoutingPolicy.LearnedTarget.MAX_WORSE
KEPT_VERSIONS = 20  # of a scope's own that neither decide nor watch
MOST_SCOPES = 40  # with routers of their own: each takes under a megabyte of memory


def due_scopes(policy: RoutingPolicy) -> list[str]:
    """Scopes with enough votes since the last training, those with most first."""
    if policy.learning == RoutingPolicy.Learning.NONE:
        return []
    turns = {turn.scope: turn for turn in LearningTurn.objects.all()}
    scopes = [EVERYBODY]
    if not policy.learned_across_scopes:
        told: Counter[str] = Counter()
        for judged in (votes_of(EVERYBODY), pairs_of(EVERYBODY)):
            counts = judged.order_by().values("scope").annotate(count=Count("id"))
            told.update({row["scope"]: row["count"] for row in counts})
        scopes = [scope for scope, _ in told.most_common(MOST_SCOPES)]
    return [
        scope
        for scope in scopes
        if new_since(turns.get(scope), scope) >= policy.learned_refit_every
    ]


def new_since(turn: LearningTurn | None, scope: str) -> int:
    """Votes and comparisons that nothing was learned from yet."""
    vote, pair = (turn.newest_vote, turn.newest_pair) if turn else (0, 0)
    new = votes_of(scope).filter(id__gt=vote).count()
    return new + pairs_of(scope).filter(id__gt=pair).count()


def refit(scope: str, policy: RoutingPolicy) -> RouterModel | None:
    """Train this scope's router on its votes; None when nothing came of it, or
    another process is at it. The reason stands with the scope's turn."""
    turn = LearningTurn.take(scope, timezone.now())
    if turn is None:
        return None
    newest, pair = newest_vote(scope), newest_pair(scope)
    made = None
    try:
        made = _refit(scope, policy, newest)
        note = f"{made} was trained: {made.status}. {' '.join(made.objections)}".strip()
    except (TooLittle, NotAModel) as error:
        note = f"No router was trained. {error}"
    except Exception as error:
        turn.end(newest, pair, f"Training failed: {type(error).__name__}: {error}")
        raise
    except BaseException:  # the process is to end
        turn.release()
        raise
    turn.end(newest, pair, note)
    return made


def _refit(scope: str, policy: RoutingPolicy, newest: int) -> RouterModel:
    evidence = evidence_of(scope, policy.max_feedback)
    start, judged = start_of(scope), {t for each in evidence for t in each.judged}
    catalog = [CatalogTier(tier.rank, tier.name) for tier in Tier.objects.all()]
    known = None if start is None else in_ranks(start, catalog, judged)
    tiers = [tier.rank for tier in catalog if tier.rank in judged]
    if known is not None:
        tiers = [int(name) for name in known.tiers]
    evidence = [each for each in evidence if set(each.judged) <= set(tiers)]
    deciding = RouterModel.of(scope, RouterModel.Status.ACTIVE)
    successor = deciding is not None and deciding.source == FEEDBACK
    demands = OF_MORE_VOTES if successor else OF_VOTES
    intents = intents_of(Intent.objects.all())
    model = train(labelled(evidence, tiers), FOLDS, known, demands, intents)
    about = {"votes": len(evidence), "newest_vote": newest}
    if start is not None and known is not None:
        about["start"] = start.version
    metrics = {**model.metrics, "learned": about}
    router = RouterModel.keep(model.dump(), metrics, FEEDBACK, scope)
    if not router.objections:
        router.watch()
    forget_old(scope)
    return router


def start_of(scope: str) -> RouterModel | None:
    """The router of labelled data behind the one that decides; votes correct it."""
    active = RouterModel.Status.ACTIVE
    everybodys = RouterModel.of(EVERYBODY, active)
    deciding = RouterModel.of(scope, active) or everybodys
    for router in (everybodys, deciding):
        if router is not None and router.source != FEEDBACK:
            return router
    if deciding is None:
        return None
    version = deciding.metrics.get("learned", {}).get("start")
    return RouterModel.objects.filter(version=version).first()


def in_ranks(
    start: RouterModel, catalog: Sequence[CatalogTier], judged: set[int]
) -> QualityModel | None:
    """The router with its tiers under their numbers; None unless it knows all those
    that were judged and are still there."""
    model = QualityModel.load(bytes(start.data))
    columns = {tier.rank: column_of(tier, model.tiers) for tier in catalog}
    known = {rank: place for rank, place in columns.items() if place is not None}
    if not judged & set(columns) <= set(known) or len(known) < 2:
        return None
    return model.renamed({str(rank): place for rank, place in known.items()})


def promote(policy: RoutingPolicy) -> list[RouterModel]:
    """Let routers decide that were watched for long enough, where the policy says so.

    What they would have done is kept with them. A promise is not left for a router of
    which nothing was shown: a person lets that decide, and calibrates it.
    """
    if policy.learning != RoutingPolicy.Learning.AUTO:
        return []
    promoted = []
    shadows = RouterModel.objects.filter(
        status=RouterModel.Status.SHADOW, source=FEEDBACK
    )
    for router in shadows.defer("data"):
        if policy.learned_target == MAX_WORSE and promised(router.scope):
            continue
        seen = watched(router)
        if seen["requests"] >= policy.learned_shadow_requests:
            router.metrics = {**router.metrics, "watched": seen}
            router.save(update_fields=["metrics"])
            router.activate()
            promoted.append(router)
    return promoted


def promised(scope: str) -> bool:
    """Was a promise shown of the router that decides for this scope?"""
    active = RouterModel.Status.ACTIVE
    deciding = RouterModel.of(scope, active) or RouterModel.of(EVERYBODY, active)
    return deciding is not None and bool(deciding.promise)


def watched(router: RouterModel) -> dict[str, float]:
    """How a router that watches would have chosen, beside what was chosen."""
    lessons = Lesson.objects.filter(shadow=router.version)
    chosen = lessons.values_list("tier", "shadow_tier")
    count = len(chosen)
    agreed = sum(tier == other for tier, other in chosen)
    top = max((other or 0 for _, other in chosen), default=0)
    highest = sum(other == top for _, other in chosen)
    return {
        "requests": count,
        "agreed": agreed / count if count else 0.0,
        "top_share": highest / count if count else 0.0,
    }


def forget_old(scope: str) -> None:
    """Delete what votes have made and nobody will go back to."""
    resting = (RouterModel.Status.DRAFT, RouterModel.Status.RETIRED)
    own = RouterModel.objects.filter(scope=scope, source=FEEDBACK, status__in=resting)
    for oldest in own.values_list("version", flat=True)[KEPT_VERSIONS:][:1]:
        own.filter(version__lte=oldest).delete()
