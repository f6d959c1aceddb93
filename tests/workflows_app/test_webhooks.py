"""An end that a client's own address hears of, whatever that address does."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator

import orjson
import pytest

from gateway.runtime.database import in_database
from tests.conversations import listening
from tests.workflows_app.samples import one_op
from workflows_app import lease
from workflows_app.background import look_once
from workflows_app.models import WorkflowRun
from workflows_app.runs import Runs
from workflows_app.webhooks import PAUSES, Webhooks

SECRET = b"a secret of the tests, long enough"


class Receiver:
    """A socket that hears deliveries and answers by `script`, then 200."""

    def __init__(self) -> None:
        self.script: list[str] = []
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.url = ""

    async def __call__(self, reader, writer) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = [line.split(": ", 1) for line in head.split("\r\n")[1:] if line]
        headers = {name.lower(): value for name, value in lines}
        body = await reader.readexactly(int(headers["content-length"]))
        self.heard.append((headers, body))
        answer = self.script.pop(0) if self.script else "200 OK"
        if answer != "hang up":
            writer.write(f"HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n".encode())
            await writer.drain()


@pytest.fixture
async def receiver(settings) -> AsyncIterator[Receiver]:
    settings.WEBHOOK_HOSTS = ["127.0.0.1", "*.example.com"]
    settings.WEBHOOK_KEY = SECRET
    made = Receiver()
    async with listening(made) as url:
        made.url = f"{url}/runs?team=a"
        yield made


@pytest.fixture
def deliver(gateway):
    """Tell all that is due now."""

    async def run() -> None:
        runs = Runs.of(gateway.runtime)
        await Webhooks(runs.writer, gateway.runtime.http.side).deliver_due()

    return run


async def ended(gateway, run_id: str) -> WorkflowRun:
    async with asyncio.timeout(20):
        while True:
            await look_once(Runs.of(gateway.runtime))
            row = await in_database(WorkflowRun.objects.get, run_id=run_id)
            if row.status in ("succeeded", "failed", "cancelled"):
                return row
            await asyncio.sleep(0.02)


async def row_of(run_id: str) -> WorkflowRun:
    return await in_database(WorkflowRun.objects.get, run_id=run_id)


async def now_due(run_id: str) -> None:
    """As if the pause were over."""
    rows = WorkflowRun.objects.filter(run_id=run_id)
    await in_database(rows.update, webhook_due=None)


async def started(run, receiver: Receiver) -> str:
    answer = await run(one_op(), mode="background", webhook=receiver.url)
    assert answer.status == 202
    return answer.json["run_id"]


async def test_the_end_is_told_once_with_the_report_and_a_signature(
    run, gateway, receiver, deliver
):
    run_id = await started(run, receiver)
    await deliver()
    early = list(receiver.heard)
    row = await ended(gateway, run_id)
    await deliver()
    await deliver()

    assert early == [] and row.status == "succeeded"
    [(headers, body)] = receiver.heard
    told = orjson.loads(body)
    assert (told["type"], told["run_id"]) == ("run_done", run_id)
    assert told["status"] == "succeeded" and told["final_output"]
    message = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = hmac.new(SECRET, message, hashlib.sha256).digest()
    version, _, signature = headers["webhook-signature"].partition(",")
    assert (version, base64.b64decode(signature)) == ("v1", expected)
    assert (await row_of(run_id)).webhook_state == "delivered"


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("503 Busy", "It answered 503."),
        ("302 Found\r\nlocation: http://169.254.169.254/", "It answered 302."),
        ("hang up", "It can't be reached"),
    ],
)
async def test_what_was_not_taken_is_told_again_later_and_no_redirect_is_followed(
    run, gateway, receiver, deliver, answer, problem
):
    receiver.script = [answer]
    run_id = await started(run, receiver)
    await ended(gateway, run_id)
    await deliver()
    failed = await row_of(run_id)
    await deliver()
    soon = len(receiver.heard)
    await now_due(run_id)
    await deliver()

    assert failed.webhook_problem.startswith(problem)
    assert failed.webhook_state == "waiting" and failed.webhook_due
    assert (soon, len(receiver.heard)) == (1, 2)
    assert len({headers["webhook-id"] for headers, _ in receiver.heard}) == 1
    assert (await row_of(run_id)).webhook_state == "delivered"


async def test_it_is_given_up_after_the_last_pause(run, gateway, receiver, deliver):
    receiver.script = ["500 No"] * 20
    run_id = await started(run, receiver)
    await ended(gateway, run_id)
    for _ in range(len(PAUSES) + 3):
        await now_due(run_id)
        await deliver()

    row = await row_of(run_id)
    assert (row.webhook_state, row.webhook_tries) == ("failed", len(PAUSES) + 1)
    assert len(receiver.heard) == len(PAUSES) + 1


async def test_a_run_that_is_done_again_tells_of_its_new_end(
    run, gateway, receiver, deliver
):
    run_id = await started(run, receiver)
    row = await ended(gateway, run_id)
    await deliver()
    assert await in_database(lease.queue_again, row, None)
    await ended(gateway, run_id)
    await deliver()

    first, second = (headers["webhook-id"] for headers, _ in receiver.heard)
    assert first != second
    assert first.startswith(run_id) and second.startswith(run_id)


async def test_a_run_that_was_cancelled_in_the_queue_is_told_as_well(
    gateway, receiver, deliver
):
    await in_database(
        WorkflowRun.objects.create,
        run_id="run_queued",
        scope="local",
        mode="background",
        text="",
        webhook=receiver.url,
        webhook_state="waiting",
    )
    await deliver()
    waiting = len(receiver.heard)
    await in_database(lease.ask_to_cancel, "run_queued", None)
    await deliver()

    assert waiting == 0
    assert orjson.loads(receiver.heard[0][1])["status"] == "cancelled"


async def test_of_two_processes_one_tells(run, gateway, receiver, deliver):
    run_id = await started(run, receiver)
    await ended(gateway, run_id)
    await asyncio.gather(deliver(), deliver(), deliver())
    assert len(receiver.heard) == 1


@pytest.mark.parametrize(
    ("webhook", "mode", "told"),
    [
        ("http://elsewhere.org/x", "background", "may not go to elsewhere.org"),
        ("http://example.com/x", "background", "may not go to example.com"),
        ("http://u:p@127.0.0.1/x", "background", "without a user name"),
        ("ftp://127.0.0.1/x", "background", "http or https address"),
        ("file:///etc/passwd", "background", "http or https address"),
        ("http://[::1", "background", "webhook"),
        (7, "background", "must be an address"),
        ("http://a.example.com/" + "x" * 2000, "background", "at most 2000"),
        ("http://a.example.com/x", "wait", "goes with mode: background only"),
    ],
)
async def test_an_address_that_is_not_allowed_is_refused_before_anything_is_paid(
    run, receiver, upstream, webhook, mode, told
):
    answer = await run(one_op(), mode=mode, webhook=webhook)
    assert answer.status == 400
    assert told in answer.json["error"]["message"]
    assert upstream.attempts == []


async def test_without_allowed_hosts_there_are_none(run, settings):
    settings.WEBHOOK_HOSTS = []
    answer = await run(one_op(), mode="background", webhook="http://127.0.0.1/")
    assert answer.status == 400
    assert "LLM_ROUTER_WEBHOOK_HOSTS" in answer.json["error"]["message"]
