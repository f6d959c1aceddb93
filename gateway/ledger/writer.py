"""The thread that moves journal records into the database."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import structlog
from django.db import DatabaseError, close_old_connections, connection

from gateway.ledger import journal, store
from gateway.ledger.journal import Journal
from routing.chat import Json

log = structlog.get_logger("ledger")
FLUSH_SECONDS = 0.4
PURGE_SECONDS = 5.0
SILENT_SECONDS = 10.0  # that a round may take until the database counts as away
BATCH_BYTES = 256 << 10  # a few hundred records; parsed they take ten times the room
REJECTED = "rejected.jsonl"
# What a record is known by, and told apart from others.
IDS = {
    "request": ("request_id",),
    "attempt": ("attempt_id", "request_id"),
    "intent": ("attempt_id", "request_id"),
}


@dataclass
class Batch:
    """What a stretch of journal said."""

    requests: list[Json] = field(default_factory=list)
    attempts: list[Json] = field(default_factory=list)
    intents: list[Json] = field(default_factory=list)
    damaged: list[bytes] = field(default_factory=list)  # or not known

    def add(self, line: bytes) -> None:
        """What no record of this version is, such as one of the next version that was
        rolled back, is kept aside whole."""
        record = journal.decode(line) or {}
        kinds = {
            "request": self.requests,
            "attempt": self.attempts,
            "intent": self.intents,
        }
        kind = record.get("t")
        if kind in kinds and all(isinstance(record.get(n), str) for n in IDS[kind]):
            kinds[kind].append(record)
        else:
            self.damaged.append(line)


class Writer:
    """Follows one journal. In its thread `before_save` runs before each batch is
    stored, and `on_flush` after each round."""

    def __init__(
        self,
        journal: Journal,
        retention_days: Callable[[], int],
        on_flush: Callable[[], None] = lambda: None,
        content_days: Callable[[], int] | None = None,
        before_save: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.journal = journal
        self.rejected = 0
        self._clock = clock
        self._round_since: float | None = None  # None between two rounds
        self.behind_since: float | None = None  # monotonic; None: up to date
        self._retention_days = retention_days
        self._on_flush = on_flush
        self._before_save = before_save
        self._content_days = content_days or retention_days
        self._oldest = 0  # first segment not yet deleted
        self._segment = 0
        self._offset = 0
        self._open: dict[str, int] = {}  # attempt id -> segment of its intent
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def is_behind(self) -> bool:
        """The last round failed, or this one gets no answer from the database."""
        since = self._round_since  # the thread may set it between two looks
        waits = since is not None and self._clock() - since > SILENT_SECONDS
        return waits or self.behind_since is not None

    def stop(self) -> None:
        """Store everything that was appended until now, then end."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        purge_at = time.monotonic()
        while True:
            self._round_since = None
            last_round = self._stopping.wait(FLUSH_SECONDS)
            self._round_since = self._clock()
            try:
                self.flush()
                self.behind_since = None
                self._on_flush()
                if last_round:
                    store.make_durable()
                elif time.monotonic() >= purge_at:
                    # Each round while there is more, so a backlog goes quickly.
                    now = datetime.now(UTC)
                    more = store.purge(now, self._retention_days())
                    more += store.purge_contents(now, self._content_days())
                    purge_at = time.monotonic() + (0 if more else PURGE_SECONDS)
            except (DatabaseError, OSError) as error:
                self._fall_behind()
                log.warning("ledger_behind", error=str(error))
            except Exception:  # a bug of ours must not end the bookkeeping
                self._fall_behind()
                log.exception("ledger_failed")
            if last_round:
                connection.close()
                return

    def _fall_behind(self) -> None:
        self.behind_since = self.behind_since or time.monotonic()
        close_old_connections()

    def flush(self) -> int:
        """Store what was appended since the last call; returns how many records."""
        self.journal.retry_waiting()
        self.journal.sync()
        stored = 0
        more = True
        while more and (data := self._read()):
            # What comes in meanwhile waits for the next call: a batch of a few records
            # costs as much as one of hundreds.
            more = len(data) >= BATCH_BYTES or self._segment < self.journal.segment
            batch = Batch()
            for line in data.removesuffix(b"\n").split(b"\n"):
                batch.add(line)
            self._before_save()
            self._save(batch)
            self._offset += len(data)
            stored += len(batch.requests) + len(batch.attempts)
            self._delete_finished()
        return stored

    def _read(self) -> bytes:
        """The next whole lines, moving on to the next segment at the end of one."""
        # Read before looking at the current segment: a rotation between the two
        # could otherwise hide the last lines of the old one.
        current = self.journal.segment
        path = self.journal.path(self._segment)
        with path.open("rb") as file:
            file.seek(self._offset)
            data = file.read(BATCH_BYTES)
            if len(data) == BATCH_BYTES:
                data += file.readline()  # the rest of a line that was cut
        end = data.rfind(b"\n") + 1
        if not end and self._segment < current:
            self._segment += 1
            self._offset = 0
            return self._read()
        return data[:end]

    def _save(self, batch: Batch) -> None:
        poisoned = store.save(batch.requests, batch.attempts, may_exist=False)
        reject(self.journal.folder, batch.damaged, poisoned)
        self.rejected += len(batch.damaged) + len(poisoned)
        for intent in batch.intents:
            self._open[intent["attempt_id"]] = self._segment
        for attempt in batch.attempts:
            self._open.pop(attempt["attempt_id"], None)

    def _delete_finished(self) -> None:
        """Segments behind us with no attempt still open are no longer needed."""
        needed = min(self._open.values(), default=self._segment)
        needed = min(needed, self._segment)
        if self._oldest < needed:
            store.make_durable()
        while self._oldest < needed:
            self.journal.delete(self._oldest)
            self._oldest += 1

    def delete_all(self) -> bool:
        """After `stop`: remove the journal when all of it is in the database."""
        if self._open or self.behind_since or self.journal.waiting:
            return False
        for segment in range(self._oldest, self.journal.segment + 1):
            self.journal.delete(segment)
        return True


def reject(folder: Path, damaged: list[bytes], poisoned: list[Json]) -> None:
    """Keep aside, for a person to look at, what can't be stored."""
    lines = damaged + [journal.encode(record).rstrip() for record in poisoned]
    if not lines:
        return
    with (folder / REJECTED).open("ab") as file:
        file.writelines(line + b"\n" for line in lines)
    log.error("records_rejected", count=len(lines), file=REJECTED)
