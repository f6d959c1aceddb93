"""The score of the cache in the database: what audits found, and what follows."""

from typing import Literal

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from gateway.cache.proof import why_off
from gateway.cache_rows import CacheLevelOff, CacheProof
from routing.bounds import upper_bound
from routing.catalog import Policy
from routing.chat import Json

Verdict = Literal["right", "wrong", "unjudged"]


def spend(scope: str, level: str, cost_nano: int) -> CacheProof:
    """Count what a look at this level cost today; the row it is counted in."""
    today = timezone.now().date()
    row, _ = CacheProof.objects.get_or_create(scope=scope, level=level)
    mine = CacheProof.objects.filter(pk=row.pk)
    mine.exclude(day=today).update(day=today, day_spent_nano=0)
    mine.update(day_spent_nano=F("day_spent_nano") + cost_nano)
    return row


@transaction.atomic  # one commit for half a dozen statements
def note(
    scope: str, level: str, verdict: Verdict, cost_nano: int, policy: Policy
) -> str:
    """Count one audit; why the level went off by it, or ""."""
    row = spend(scope, level, cost_nano)
    CacheProof.objects.filter(pk=row.pk).update(**{verdict: F(verdict) + 1})
    row.refresh_from_db()
    limit, enough = policy.cache_max_false_hit_share, policy.cache_min_audits
    reason = why_off(row.wrong, row.right + row.wrong, limit, enough)
    if not reason:
        return ""
    _, made = CacheLevelOff.objects.get_or_create(
        scope=scope, level=level, defaults={"reason": reason}
    )
    return reason if made else ""


def reset(scope: str, level: str) -> None:
    """Begin again: the level may answer, and nothing is known of it yet."""
    CacheLevelOff.objects.filter(scope=scope, level=level).delete()
    CacheProof.objects.filter(scope=scope, level=level).update(
        right=0, wrong=0, unjudged=0
    )


def by_scope() -> dict[str, Json]:
    """What `/stats` tells each scope of its audited levels."""
    off = {(row.scope, row.level): row.reason for row in CacheLevelOff.objects.all()}
    found: dict[str, Json] = {}
    for row in CacheProof.objects.all():
        found.setdefault(row.scope, {})[row.level] = {
            "audited": row.right + row.wrong + row.unjudged,
            "false_hits": row.wrong,
            "unjudged": row.unjudged,
            "upper_bound": upper_bound(row.wrong, row.right + row.wrong),
            "off": off.get((row.scope, row.level), ""),
        }
    return found
