"""Learned aliases in the database: what a judge said of two questions, for all workers.

A wording that turns out wrong takes its whole class with it: nobody knows which of its
members was the mistake.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Count, Max, Q
from django.utils import timezone

from gateway.cache_rows import LearnedAlias

LIFETIME = timedelta(days=30)
MOST = 10_000  # judgements kept, of all scopes; the oldest leave first
REREAD_SECONDS = 60.0  # some may have expired


@dataclass(frozen=True, slots=True)
class Known:
    """Wordings with their roots, and the pairs that were refused."""

    roots: dict[bytes, bytes]
    refused: frozenset[tuple[bytes, bytes]]


def read() -> Known:
    rows = LearnedAlias.objects.filter(expires_at__gt=timezone.now())
    roots: dict[bytes, bytes] = {}
    refused = set()
    newest = rows.order_by("-pk").values_list("wording", "root", "same")[:MOST]
    for wording, root, same in newest:
        pair = bytes.fromhex(wording), bytes.fromhex(root)
        if same:
            roots.setdefault(*pair)
        else:
            refused.add(pair)
    return Known(roots, frozenset(refused))


def learn(
    scope: str,
    wording: bytes,
    root: bytes,
    *,
    same: bool,
    similarity: float,
    judged_by: str,
    most: int = MOST,
) -> Known:
    """Keep a judgement, and `most` in all; what is known with it."""
    LearnedAlias.objects.get_or_create(
        wording=wording.hex(),
        root=root.hex(),
        defaults={
            "scope": scope,
            "same": same,
            "similarity": similarity,
            "judged_by": judged_by,
            "expires_at": timezone.now() + LIFETIME,
        },
    )
    LearnedAlias.objects.filter(expires_at__lte=timezone.now()).delete()
    newest = LearnedAlias.objects.order_by("-pk").values_list("pk", flat=True)
    for oldest in newest[most : most + 1]:
        LearnedAlias.objects.filter(pk__lte=oldest).delete()
    return read()


def refuse(scope: str, member: str, why: str) -> Known:
    """Undo the class of this canonical key (in hex), for good; what is known then."""
    mine = LearnedAlias.objects.filter(scope=scope, same=True)
    roots = mine.filter(Q(wording=member) | Q(root=member)).values_list("root")
    with transaction.atomic():
        rows = list(mine.filter(root__in=[root for (root,) in roots]))
        # New rows, not changed ones: workers look for the newest.
        LearnedAlias.objects.filter(pk__in=[row.pk for row in rows]).delete()
        for row in rows:
            row.pk, row.same, row.judged_by = None, False, why
        LearnedAlias.objects.bulk_create(rows)
    return read()


class AliasReader:
    """`look()` runs in the refresher's thread; `on_change` is told what is known."""

    def __init__(
        self, on_change: Callable[[Known], None], clock: Callable[[], float]
    ) -> None:
        self._on_change = on_change
        self._clock = clock
        self._seen: dict[str, int | None] = {"newest": None, "count": 0}
        self._read_at = clock()

    def look(self) -> None:
        # Rows come and go, but never change: these two tell of both.
        now = LearnedAlias.objects.aggregate(newest=Max("pk"), count=Count("pk"))
        due = now["count"] and self._clock() - self._read_at > REREAD_SECONDS
        if now == self._seen and not due:
            return
        self._on_change(read())
        self._seen, self._read_at = now, self._clock()
