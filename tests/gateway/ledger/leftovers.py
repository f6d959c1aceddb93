"""What a killed process left in its journal, and what became of it."""

from gateway.ledger.journal import Journal
from gateway.models import Attempt, RequestLog, UsageTotal
from tests.gateway.ledger.samples import (
    attempt,
    intent,
    request,
)


def leave(folder, *records, segment_bytes=1 << 20):
    """A journal whose owner is gone."""
    journal = Journal(folder, 1 << 30, segment_bytes)
    for record in records:
        journal.append(record)
    journal.close()
    return journal


def complete(request_id):
    return intent(request_id), attempt(request_id), request(request_id)


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


def empty_tables():
    for model in (RequestLog, Attempt, UsageTotal):
        model.objects.all().delete()
