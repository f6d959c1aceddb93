"""Sees to it that votes are learned from: beside the traffic, in another process."""

import asyncio
import contextlib
import sys

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.db.models import Max
from django.utils import timezone

from gateway.runtime.database import in_database
from gateway.runtime.runtime import Runtime
from routing.models import (
    Feedback,
    Judgement,
    LearningTurn,
    RouterModel,
    RoutingPolicy,
)
from routing.models.turn import LONGEST

log = structlog.get_logger("learning")
LOOK_SECONDS = 1.0


class Learner:
    """A task that looks whether a router is due, to be trained or to decide."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._seen: tuple[int, ...] = ()  # the newest rows at the last look
        self._process: asyncio.subprocess.Process | None = None
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            await self._process.wait()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self._runtime.snapshot.catalog.policy.learning == "none":
                continue
            try:
                await self._look()
            except (DatabaseError, OSError) as error:
                log.warning("learning_waits", error=str(error))
            except Exception:  # a bug of ours must not end the learning
                log.exception("learning_failed")

    async def _look(self) -> None:
        for name in await in_database(promoted):
            log.info("router_decides", router=name)
        newest = await in_database(newest_rows)
        if newest == self._seen:
            return
        self._seen = newest
        if await in_database(is_due):
            await self._train()

    async def _train(self) -> None:
        """numpy would hold up every request here for as long as it takes."""
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(settings.BASE_DIR / "manage.py"),
            "learn",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        self._process = None
        text = said.decode(errors="replace").strip()
        if process.returncode:
            log.error("training_failed", code=process.returncode, output=text[-2000:])
        else:
            log.info("trained", output=text)


def newest_rows() -> tuple[int, ...]:
    """Of what is learned from; they rise with every vote and comparison."""
    return tuple(
        model.objects.aggregate(newest=Max("pk"))["newest"] or 0
        for model in (Feedback, Judgement)
    )


def is_due() -> bool:
    from routing.learning.borders import due_borders
    from routing.learning.refit import due_scopes

    policy = RoutingPolicy.load()
    if due_borders(policy):
        return True
    due = set(due_scopes(policy))
    busy = LearningTurn.objects.filter(taken_at__gt=timezone.now() - LONGEST)
    return bool(due - set(busy.values_list("scope", flat=True)))


def promoted() -> list[str]:
    if not RouterModel.objects.filter(status=RouterModel.Status.SHADOW).exists():
        return []
    from routing.learning.refit import promote

    return [str(router) for router in promote(RoutingPolicy.load())]
