"""Background runs outlive their process: whoever is alive takes them over.

The rows are the queue. A process renews the lease of its runs; a run whose lease is
over, or whose process is known to be gone, is claimed by one atomic UPDATE and goes on
with what is written down of it.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone

from gateway.errors import GatewayError
from gateway.runtime.runtime import Runtime
from workflows_app import claim_rows, lease
from workflows_app.runs import Runs
from workflows_app.webhooks import Webhooks, stopped

log = structlog.get_logger("workflows")
LOOK_SECONDS = 1.0
FILL_SECONDS = 0.02
RENEW_ROUNDS = 4  # well within store.LEASE
FORGET_ROUNDS = 3600


class Background:
    """Runs beside the server, from its start to its end: see Lifespan."""

    def __init__(self) -> None:
        self._loop: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None
        self._runs: Runs | None = None

    async def open(self, runtime: Runtime) -> None:
        self._runs = Runs.of(runtime)
        self._loop = asyncio.create_task(self._look(self._runs))
        if settings.WEBHOOK_HOSTS:
            webhooks = Webhooks(self._runs.writer, runtime.http.side)
            self._telling = asyncio.create_task(webhooks.look())

    async def close(self) -> None:
        if self._loop is None or self._runs is None:
            return
        await stopped(self._telling)
        self._loop.cancel()
        await asyncio.wait((self._loop,))
        await self._runs.close()

    async def _look(self, runs: Runs) -> None:
        rounds = 0
        while True:
            runs.freed.clear()
            try:
                await look_once(runs, rounds)
            except DatabaseError as error:
                log.warning("runs_not_read", error=str(error))
            except Exception:  # a bug of ours must not end the looking
                log.exception("looking_after_runs_failed")
            rounds += 1
            # A place that is free is filled at once, or with a few others.
            await asyncio.sleep(FILL_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await runs.freed.wait()


async def look_once(runs: Runs, rounds: int = 0) -> None:
    """Renew, cancel and claim what is due."""
    if runs.in_background and rounds % RENEW_ROUNDS == 0:
        runs.keep_only(set(await runs.writer.call(lease.renew, runs.owner)))
        if held := frozenset(runs.claims.held):
            await runs.writer.call(claim_rows.renew, runs.owner, held)
    if runs.in_background:
        for run_id in await runs.writer.call(lease.asked_to_cancel, runs.owner):
            runs.cancel(run_id)
    if runs.runtime.draining or runs.room <= 0:
        return
    for saved in await runs.writer.call(lease.claim, runs.owner, runs.room):
        try:
            await runs.resume(saved)
        except GatewayError as error:
            await runs.writer.call(
                lease.give_up, saved["run_id"], error.message, error.code
            )
    if rounds % FORGET_ROUNDS == 0:
        days = runs.runtime.snapshot.catalog.policy.log_retention_days
        before = timezone.now() - timedelta(days=days)
        await runs.writer.call(lease.forget_before, before)
