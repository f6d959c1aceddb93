"""Puts together what a process needs to serve, as its settings say."""

import asyncio
import time
from asyncio import AbstractEventLoop
from contextlib import suppress
from random import Random

from django.conf import settings
from django.db import connections

from gateway.aliases import AliasReader, Known
from gateway.cache_rows import StoredAnswer
from gateway.ledger.books import Books
from gateway.ledger.journal import Journal
from gateway.ledger.replay import Heir, replay
from gateway.ledger.writer import Writer
from gateway.limits.counters import Counters
from gateway.limits.estates import Estates, Executor
from gateway.metrics import Metrics
from gateway.providers.http import HttpClient
from gateway.runtime import snapshot as snapshots
from gateway.runtime.admission import Admission
from gateway.runtime.complaints import Complaints
from gateway.runtime.persistence import stored_answers
from gateway.runtime.refresher import Refresher
from gateway.runtime.runtime import Runtime
from gateway.runtime.snapshot import Snapshot
from gateway.shared.shared import Shared

SETTLED_SECONDS = 5.0  # that the books wait for counters; slower ones don't stop them


def prepare() -> tuple[Snapshot, list[StoredAnswer]]:
    """Bring in what a killed process left behind, then read the configuration and the
    answers that were kept."""
    try:
        replay(settings.JOURNAL_DIR, heir())
        snapshot = snapshots.build(snapshots.utc_now())
        return snapshot, stored_answers(snapshot.catalog.policy, time.time())
    finally:
        connections.close_all()


def new_runtime(first: Snapshot) -> Runtime:
    random = Random()  # noqa: S311 - for jitter and picking, never for secrets
    metrics = Metrics()
    shared = shared_state(random)
    journal = Journal(settings.JOURNAL_DIR, settings.JOURNAL_MAX_BYTES)
    return Runtime(
        first,
        Books(
            journal,
            metrics,
            time.monotonic,
            time.time,
            serve_when_full=settings.ON_STORAGE_FULL == "serve",
        ),
        HttpClient(allow_private=settings.PRIVATE_UPSTREAMS == "allow"),
        Admission(
            settings.MAX_IN_FLIGHT,
            settings.MAX_BODY_BYTES,
            settings.MAX_HELD_BYTES,
            random,
        ),
        metrics,
        shared=shared,
        counters=counters(shared, journal.name),
        workers=settings.WORKERS,
        loopback=is_loopback(settings.ADDR),
        clock=time.monotonic,
        random=random,
    )


def new_refresher(runtime: Runtime, loop: AbstractEventLoop) -> Refresher:
    """Reads in its own thread; what it finds is applied in `loop`."""

    def apply(new: Snapshot) -> None:
        loop.call_soon_threadsafe(runtime.apply, new)

    def forget(scope: str, request_id: str) -> None:
        loop.call_soon_threadsafe(runtime.cache.forget, scope, request_id)

    def know(aliases: Known) -> None:
        loop.call_soon_threadsafe(
            runtime.cache.know_aliases, aliases.roots, aliases.refused
        )

    complaints, aliases = Complaints(forget), AliasReader(know, time.monotonic)

    def look() -> None:
        complaints.look()
        aliases.look()
        runtime.drift.look()

    return Refresher(runtime.snapshot, apply, look)


def new_writer(runtime: Runtime, loop: AbstractEventLoop) -> Writer:
    def catch_up() -> None:
        """Books that are ahead of a counter could raise it too far: by what is settled
        later."""
        if not runtime.charges.counts_elsewhere:
            return
        settling = asyncio.run_coroutine_threadsafe(runtime.charges.caught_up(), loop)
        with suppress(TimeoutError):
            settling.result(SETTLED_SECONDS)
        settling.cancel()

    def on_flush() -> None:
        runtime.totals.read(snapshots.utc_now().date())
        runtime.persistence.flush(runtime.snapshot.catalog.policy)

    return Writer(
        runtime.books.journal,
        lambda: runtime.snapshot.catalog.policy.log_retention_days,
        on_flush=on_flush,
        content_days=lambda: runtime.snapshot.catalog.policy.contents_retention_days,
        before_save=catch_up,
    )


def shared_state(random: Random) -> Shared | None:
    """What the workers share through Redis, when there is one."""
    if not settings.REDIS_URL:
        return None
    from gateway.shared.redis_state import RedisState  # megabytes that few need

    state = RedisState(settings.REDIS_URL, settings.REDIS_TIMEOUT_MS / 1000)
    return Shared(state, settings.SECRET_KEY, random)


def heir() -> Heir:
    """Who settles what killed processes had set aside where all workers count; also for
    a worker that is alone, because they may not have been."""
    from gateway.limits.inheritance import HeirOfHolds

    return HeirOfHolds(settings.REDIS_URL, settings.SECRET_KEY, estates())


def estates() -> Estates:
    return Estates(settings.JOURNAL_DIR)


def new_executor(shared: Shared | None) -> Executor | None:
    """Who gives back what killed processes have set aside in a Redis that was away."""
    if not shared:
        return None
    from gateway.limits.inheritance import counters_of

    link, seal = shared.state.link, shared.seal  # type: ignore[attr-defined]
    return Executor(estates(), lambda owner: counters_of(owner, link, seal).give_back())


def counts_alone() -> bool:
    return not settings.REDIS_URL and settings.WORKERS == 1


def counters(shared: Shared | None, owner: str) -> list[Counters]:
    """Who counts what all workers may spend together; a worker that is alone does it
    itself."""
    if counts_alone():
        return []
    from gateway.limits.in_database import DatabaseCounters

    in_database = DatabaseCounters(owner=owner)
    if not shared:
        return [in_database]
    from gateway.limits.in_redis import RedisCounters

    link = shared.state.link  # type: ignore[attr-defined]
    return [
        RedisCounters(
            link,
            shared.seal,
            in_database.spent,
            time.time,
            owner=owner,
            leave=estates().add,
        ),
        in_database,
    ]


def is_loopback(addr: str) -> bool:
    host = addr.rpartition(":")[0].strip("[]")
    return host in ("localhost", "::1") or host.startswith("127.")
