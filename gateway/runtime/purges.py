"""The purges an operator ordered, as the snapshot holds them."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Max, Q

from gateway.cache import Withdrawal, Withdrawals
from gateway.cache.key import after_purge
from gateway.cache.withdrawal import latest
from gateway.models import CachePurge
from routing.catalog import Catalog
from routing.vectors import makes_vectors

# Of some of a scope's answers: by model, age or the request that bought one.
PARTIAL = ~Q(model="") | ~Q(request_id="") | Q(older_than_seconds__isnull=False)
ROWS_READ = 1000
RECENT = timedelta(hours=1)


def purged_scopes(catalog: bytes) -> tuple[bytes, dict[str, bytes]]:
    """The catalog's fingerprint after the last purge of all, and those of scopes."""
    rows = CachePurge.objects.exclude(PARTIAL).order_by()
    last = dict(rows.values_list("scope").annotate(Max("pk")))
    if everything := last.pop("", 0):
        catalog = after_purge(catalog, everything)
    return catalog, {
        scope: after_purge(catalog, number) for scope, number in last.items()
    }


def withdrawals(now: datetime) -> Withdrawals:
    """The purges of only some answers. A single answer was deleted from Redis and the
    database; workers have it in memory until they hear of it here."""
    rules, requests = [], set()
    for row in CachePurge.objects.filter(PARTIAL)[:ROWS_READ]:
        before = row.at.timestamp() - (row.older_than_seconds or 0)
        if not row.request_id:
            rules.append(Withdrawal(row.scope, row.model, before))
        elif now - row.at < RECENT:
            requests.add((row.scope, row.request_id))
    return Withdrawals(latest(rules), frozenset(requests))


def notes_of_judge(catalog: Catalog) -> Iterator[str]:
    """What of the judging can't work."""
    known, policy = catalog.by_name, catalog.policy
    if (judge := policy.learned_judge) and judge not in known:
        yield f"The judge of tiers, {judge}, is no backend: no answers are compared."
    if (judge := policy.cascade_judge) and judge not in known:
        yield f"The cascade's judge, {judge}, is no backend: it is not asked."
    if (judge := policy.cache_judge) and judge not in known:
        yield f"The cache's judge, {judge}, is no backend: nothing is judged."
    if policy.cache_learn_aliases and not judge:
        yield "The cache shall learn aliases, but has no judge: nothing is learned."
    embedder = policy.cache_embeddings
    backend = known.get(embedder)
    if embedder and not (backend and makes_vectors(backend)):
        yield f"{embedder} is no backend that makes embeddings: the cache uses none."
