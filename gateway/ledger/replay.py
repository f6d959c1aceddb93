"""Brings the journals of dead processes into the database, exactly once."""

from pathlib import Path
from typing import Protocol

import structlog
from django.db.models import Sum

from gateway.ledger import journal, store
from gateway.ledger.journal import abandoned
from gateway.ledger.writer import Batch, reject
from gateway.models import Attempt
from routing.chat import Json

log = structlog.get_logger("ledger")


class Heir(Protocol):
    """Who takes over what dead processes had set aside where others count too."""

    def settle(self, journal: str, attempts: list[Json]) -> None:
        """Of these, with their ends, which aren't stored yet."""

    def give_back(self, journal: str) -> None:
        """The rest, after that."""


def replay(folder: Path, heir: Heir | None = None) -> int:
    """Store what dead processes left; returns how many records their journals held.

    An attempt with an intent and no settlement may have been billed: it becomes a row
    in state `unknown`, its estimated cost kept as spent. A request that never ended
    becomes a row with outcome `interrupted`. Killed in the middle, it starts again
    and finds its own rows.
    """
    return sum(replay_journal(folder, segments, heir) for segments in abandoned(folder))


def replay_journal(folder: Path, segments: list[Path], heir: Heir | None) -> int:
    """Store one journal, a segment at a time, and delete it."""
    attempts: dict[str, Json] = {}  # intents not settled yet, by attempt
    requests: dict[str, Json] = {}  # last intents of those not ended yet, by request
    owner, count = journal.name_of(segments[0]), 0
    for path in segments:
        batch = read_segment(path)
        for intent in batch.intents:
            attempts[intent["attempt_id"]] = intent
            requests[intent["request_id"]] = intent
        for attempt in batch.attempts:
            attempts.pop(attempt["attempt_id"], None)
        for request in batch.requests:
            requests.pop(request["request_id"], None)
        if heir:
            heir.settle(owner, batch.attempts)
        save(folder, batch)
        count += len(batch.requests) + len(batch.attempts)
    unsettled = [unknown(intent) for intent in attempts.values()]
    if heir:
        heir.settle(owner, unsettled)
        heir.give_back(owner)
    save(folder, Batch(attempts=unsettled))
    save(folder, Batch(requests=[interrupted(intent) for intent in requests.values()]))
    for path in segments:
        path.unlink()
    log.info("journal_replayed", records=count, unknown=len(attempts))
    return count + len(attempts)


def read_segment(path: Path) -> Batch:
    batch = Batch()
    *lines, torn = path.read_bytes().split(b"\n")
    for line in lines:
        batch.add(line)
    # The last line may be torn by the kill; nothing was promised about it.
    if journal.decode(torn):
        batch.add(torn)
    return batch


def save(folder: Path, batch: Batch) -> None:
    poisoned = store.save(batch.requests, batch.attempts, may_exist=True)
    reject(folder, batch.damaged, poisoned)


def unknown(intent: Json) -> Json:
    """An attempt whose outcome nobody saw. Late: its request may have a row already."""
    return {**intent, "state": "unknown", "error_code": "interrupted", "late": True}


def interrupted(intent: Json) -> Json:
    """A request that was cut off, with the cost of all its attempts in the database."""
    attempts = Attempt.objects.filter(request_id=intent["request_id"])
    return {
        **intent,
        "status": 500,
        "outcome": "interrupted",
        "cache": "MISS",
        "model_served": intent.get("model", ""),
        "cost_nano": attempts.aggregate(sum=Sum("cost_nano", default=0))["sum"],
        "attempts": intent.get("number", 1),
        "estimated": True,
        "decisions": [
            {"step": "end", "text": "The gateway stopped during this request."}
        ],
    }
