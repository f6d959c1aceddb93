"""What a killed process left in its journal, and what became of it."""

from gateway.ledger.journal import Journal
from gateway.models import Attempt, RequestLog, UsageRollup, UsageTotal


def leave(folder, *records, segment_bytes=1 << 20):
    """A journal whose owner is gone."""
    journal = Journal(folder, 1 << 30, segment_bytes)
    for record in records:
        journal.append(record)
    journal.close()
    return journal


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


def empty_tables():
    for model in (RequestLog, Attempt, UsageTotal, UsageRollup):
        model.objects.all().delete()
