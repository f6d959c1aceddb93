"""Looks twice a second, in a thread, whether the configuration has changed; then it is
read anew and swapped whole."""

import threading
import time
from collections.abc import Callable, Mapping

import structlog
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection

from gateway.runtime import snapshot as snapshots
from gateway.runtime.checks import InvalidConfiguration
from gateway.runtime.snapshot import Snapshot

log = structlog.get_logger("configuration")
REFRESH_SECONDS = 0.5
# A safety net for a table whose triggers somebody dropped.
FULL_READ_SECONDS = 60.0


class Refresher:
    """Keeps `current` true. `refused` says why the newest rows are not served."""

    def __init__(
        self,
        first: Snapshot,
        on_change: Callable[[Snapshot], None],
        also: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`also` reads something else of the database, as often."""
        self.current = first
        self.refused = ""
        self.unreachable_since: float | None = None  # monotonic; the database
        self._on_change = on_change
        self._also = also
        self._seen: Mapping[str, int] = first.versions
        self._clock = clock
        self._read_at = clock()
        self._read_for = 0.0  # wall clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="refresh", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(REFRESH_SECONDS):
            try:
                self.refresh()
                self._also()
                self.unreachable_since = None
            except DatabaseError as error:
                # The last good configuration serves on.
                if self.unreachable_since is None:
                    self.unreachable_since = time.monotonic()
                    log.warning("database_unreachable", error=str(error))
                close_old_connections()
            except Exception:  # a bug of ours must not end the refreshing
                log.exception("refresh_failed")
        connection.close()

    def refresh(self) -> None:
        """Look at the counters; read the rows when one of them moved."""
        versions: Mapping[str, int] = snapshots.read_versions()
        expected = versions != self._seen or self._at_its_moment()
        if not (expected or self._long_ago()):
            return
        now = snapshots.utc_now()
        try:
            fresh = snapshots.build(now)
        except InvalidConfiguration as error:
            self.refused = str(error)
            log.error("configuration_refused", reason=self.refused)
        else:
            self.refused = ""
            versions = fresh.versions
            news = expected or fresh.fingerprint != self.current.fingerprint
            self.current = fresh
            self._on_change(fresh)
            if news:
                log.info("configuration_live", versions=dict(versions))
        # Not before: a read that the database broke off is made again.
        self._seen = versions
        self._read_at = self._clock()
        self._read_for = now.timestamp()

    def _at_its_moment(self) -> bool:
        """A row takes effect by itself."""
        changes_at = self.current.changes_at
        return changes_at is not None and self._read_for < changes_at <= time.time()

    def _long_ago(self) -> bool:
        return self._clock() - self._read_at > FULL_READ_SECONDS
