"""Purges: the row that every worker hears of, and what of it lies in the database."""

from datetime import timedelta

from django.db.models import Q, QuerySet

from gateway.cache_rows import CachePurge, LearnedAlias, StoredAnswer


def delete_stored(purge: CachePurge) -> None:
    """Delete what a stored purge takes back, so that no start brings it in again."""
    stored_answers(purge).delete()
    if purge.is_whole:
        learned = LearnedAlias.objects.all()
        (learned.filter(scope=purge.scope) if purge.scope else learned).delete()


def stored_answers(purge: CachePurge) -> QuerySet[StoredAnswer]:
    rows = StoredAnswer.objects.all()
    if purge.scope:
        rows = rows.filter(scope=purge.scope)
    if purge.request_id:
        rows = rows.filter(request_id=purge.request_id)
    if purge.model:
        rows = rows.filter(Q(entry__model=purge.model) | Q(entry__backend=purge.model))
    if purge.older_than_seconds is not None:
        before = purge.at - timedelta(seconds=purge.older_than_seconds)
        rows = rows.filter(entry__at__lte=before.timestamp())
    return rows
