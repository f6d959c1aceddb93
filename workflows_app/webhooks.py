"""Tells an address of the client's when its background run has ended.

What is to be told is in the run's row, so it outlives the process that has to tell it.
Signed as Standard Webhooks says (https://www.standardwebhooks.com): the id stays the
same from try to try, so that a receiver can know what it has heard already.
"""

import asyncio
import base64
import hashlib
import hmac
from contextlib import suppress
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

import httpx
import orjson
import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db.models import F, Q
from django.utils import timezone

from gateway.errors import BadRequest
from routing.chat import Json
from workflows_app import records
from workflows_app.models import WorkflowRun
from workflows_app.run import ENDED
from workflows_app.writer import Writer

log = structlog.get_logger("workflows")
LOOK_SECONDS = 1.0
ANSWER_SECONDS = 10.0
PAUSES = (5, 30, 120, 600, 3600)  # seconds after each failure but the last
# Who claims a delivery has so long to make it before another process does.
CLAIM = timedelta(seconds=60)
AT_ONCE = 16
MAX_CHARS = 2000
State = WorkflowRun.Webhook


def checked(value: object) -> str:
    """The address to tell, or "". Raises BadRequest when it may not be told."""
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > MAX_CHARS:
        raise refused(f"must be an address of at most {MAX_CHARS} characters.")
    try:
        url = httpx.URL(value)
    except httpx.InvalidURL as error:
        raise refused(f"is no address: {error}.") from None
    if url.scheme not in ("http", "https") or not url.host or url.userinfo:
        raise refused("must be an http or https address without a user name.")
    if not settings.WEBHOOK_HOSTS:
        raise refused("can't be used: no host is allowed (LLM_ROUTER_WEBHOOK_HOSTS).")
    if not any(fnmatchcase(url.host, pattern) for pattern in settings.WEBHOOK_HOSTS):
        raise refused(f"may not go to {url.host[:100]}.")
    return value


def refused(reason: str) -> BadRequest:
    return BadRequest(f"webhook {reason}", param="webhook")


class Webhooks:
    """The deliveries of one process, beside its runs."""

    def __init__(self, writer: Writer, client: httpx.AsyncClient) -> None:
        self._writer = writer
        self._client = client

    async def look(self) -> None:
        """For ever: tell what is due."""
        while True:
            try:
                await self.deliver_due()
            except DatabaseError as error:
                log.warning("webhooks_not_read", error=str(error))
            except Exception:  # a bug of ours must not end the looking
                log.exception("webhooks_failed")
            await asyncio.sleep(LOOK_SECONDS)

    async def deliver_due(self) -> None:
        due = await self._writer.call(claim)
        await asyncio.gather(*map(self._deliver, due))

    async def _deliver(self, due: tuple[int, str, Json]) -> None:
        pk, url, told = due
        problem = await self._tell(url, told)
        await self._writer.persist(note, pk, problem)

    async def _tell(self, url: str, told: Json) -> str:
        """What went wrong, or ""."""
        body = orjson.dumps(told, default=str)
        headers = {"content-type": "application/json", **signed(message_id(told), body)}
        try:
            # For the whole call: httpx's own time-outs begin anew with every byte.
            async with asyncio.timeout(ANSWER_SECONDS):
                async with self._client.stream(
                    "POST", url, content=body, headers=headers
                ) as answer:
                    status = answer.status_code
        except TimeoutError:
            return f"It did not answer within {ANSWER_SECONDS:g} s."
        except httpx.HTTPError as error:
            return f"It can't be reached ({type(error).__name__})."
        # Nor is a redirect followed: it could lead anywhere.
        return "" if 200 <= status < 300 else f"It answered {status}."


def message_id(told: Json) -> str:
    """A run that is done again ends again, which is news; a second try is not."""
    ended = datetime.fromisoformat(told["finished_at"])
    return f"{told['run_id']}_{int(ended.timestamp() * 1000)}"


def signed(message: str, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks for a message with this id."""
    stamp = str(int(timezone.now().timestamp()))
    content = b".".join((message.encode(), stamp.encode(), body))
    digest = hmac.new(settings.WEBHOOK_KEY, content, hashlib.sha256)
    return {
        "webhook-id": message,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest.digest()).decode()}",
    }


def claim() -> list[tuple[int, str, Json]]:
    """What this process has to tell now: the row, its address and the report."""
    now = timezone.now()
    due = WorkflowRun.objects.filter(
        Q(webhook_due=None) | Q(webhook_due__lte=now),
        webhook_state=State.WAITING,
        status__in=ENDED,
    )
    found = []
    for row in due.order_by("id")[:AT_ONCE]:
        # One statement, so that of two processes only one finds it still due.
        if due.filter(pk=row.pk).update(webhook_due=now + CLAIM):
            report = records.details(row.run_id, row.scope) or {}
            found.append((row.pk, row.webhook, {"type": "run_done", **report}))
    return found


def note(pk: int, problem: str) -> None:
    """How a try ended, and when the next one is due."""
    rows = WorkflowRun.objects.filter(pk=pk)
    rows.update(webhook_tries=F("webhook_tries") + 1, webhook_problem=problem)
    tries = rows.values_list("webhook_tries", flat=True).first() or 0
    if not problem:
        rows.update(webhook_state=State.DELIVERED, webhook_due=None)
    elif tries > len(PAUSES):
        rows.update(webhook_state=State.FAILED, webhook_due=None)
    else:
        pause = timedelta(seconds=PAUSES[tries - 1])
        rows.update(webhook_due=timezone.now() + pause)


async def stopped(task: "asyncio.Task[None] | None") -> None:
    """What was under way is told again by whoever is next."""
    if task is not None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
