"""A call that several workers need is made once, and no worker that dies takes it
with it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from gateway.errors import BadUpstreamResponse
from gateway.runtime.database import in_database
from routing.chat import Usage
from workflows_app import claim_rows, lease
from workflows_app.call import Said
from workflows_app.claim_rows import Claim
from workflows_app.claims import Claims
from workflows_app.memo import shared
from workflows_app.models import SharedCall
from workflows_app.writer import Writer

BOUGHT = Said("Be fair.", "req_1", "small", 1, "MISS", 70, Usage(7, 3), "It is easy.")
ASKED = Claim.of("batch_1", b"rules", "run_1/rules#0")
OF_ANOTHER_RUN = replace(ASKED, payer="run_2/rules#0")


@pytest.fixture
async def worker(database):
    """Starts another worker; they share nothing but the database."""
    started = []

    def start(owner: str) -> Claims:
        started.append((claims := Claims(owner, writer := Writer()), writer))
        return claims

    yield start
    for claims, writer in started:
        await claims.close()
        await writer.close()


class Call:
    """A call that goes on until it is told how it ends."""

    def __init__(self) -> None:
        self.begun, self.may_end = asyncio.Event(), asyncio.Event()
        self.times = 0
        self.failure: Exception | None = None

    async def __call__(self) -> Said:
        self.times += 1
        self.begun.set()
        await self.may_end.wait()
        if self.failure:
            raise self.failure
        return BOUGHT


async def waits(claims: Claims) -> None:
    async with asyncio.timeout(20):
        while not claims._awaited:
            await asyncio.sleep(0.005)


async def test_one_worker_makes_the_call_and_the_other_has_its_answer_for_nothing(
    worker,
):
    first, second = worker("elsewhere/1/a"), worker("elsewhere/2/b")
    call, never = Call(), Call()
    buying = asyncio.create_task(first.once(ASKED, call))
    await call.begun.wait()
    waiting = asyncio.create_task(second.once(OF_ANOTHER_RUN, never))
    await waits(second)

    call.may_end.set()

    assert await buying == (BOUGHT, True)
    assert await waiting == (shared(BOUGHT), False)
    assert await second.once(OF_ANOTHER_RUN, never) == (shared(BOUGHT), False)
    assert (call.times, never.times) == (1, 0)


async def test_who_paid_finds_its_answer_and_its_cost_again_after_a_kill(worker):
    call = Call()
    call.may_end.set()
    await worker("elsewhere/1/a").once(ASKED, call)

    assert await worker("elsewhere/2/b").once(ASKED, Call()) == (BOUGHT, False)


async def test_the_call_of_one_that_fails_is_made_by_one_that_waits(worker):
    first, second = worker("elsewhere/1/a"), worker("elsewhere/2/b")
    failing, call = Call(), Call()
    buying = asyncio.create_task(first.once(ASKED, failing))
    await failing.begun.wait()
    waiting = asyncio.create_task(second.once(OF_ANOTHER_RUN, call))
    await waits(second)
    call.may_end.set()

    failing.failure = BadUpstreamResponse("No answer.")
    failing.may_end.set()

    with pytest.raises(BadUpstreamResponse):
        await buying
    assert await waiting == (BOUGHT, True)


async def test_the_call_of_one_that_is_cancelled_is_made_by_one_that_waits(worker):
    first, second = worker("elsewhere/1/a"), worker("elsewhere/2/b")
    left, call = Call(), Call()
    buying = asyncio.create_task(first.once(ASKED, left))
    await left.begun.wait()
    waiting = asyncio.create_task(second.once(OF_ANOTHER_RUN, call))
    await waits(second)
    call.may_end.set()

    buying.cancel()

    assert await waiting == (BOUGHT, True)


@pytest.mark.parametrize("death", ["known", "its lease is over"])
async def test_the_call_of_a_worker_that_died_is_made_by_one_that_waits(worker, death):
    host, _, _ = lease.owner_name().split("/")
    gone = f"{host}/4194999/x" if death == "known" else "elsewhere/1/a"
    second, call = worker(f"{host}/1/b"), Call()
    call.may_end.set()
    assert await in_database(claim_rows.take, gone, ASKED) is True
    long_ago = timezone.now() - timedelta(minutes=1)
    if death != "known":
        assert await in_database(claim_rows.take, "elsewhere/2/b", ASKED) is False
        await in_database(lambda: SharedCall.objects.update(lease_until=long_ago))

    assert await second.once(OF_ANOTHER_RUN, call) == (BOUGHT, True)


async def test_a_call_that_goes_on_is_kept_by_renewing_its_lease(worker):
    first, call = worker("elsewhere/1/a"), Call()
    buying = asyncio.create_task(first.once(ASKED, call))
    await call.begun.wait()
    long_ago = timezone.now() - timedelta(minutes=1)
    await in_database(lambda: SharedCall.objects.update(lease_until=long_ago))

    await in_database(claim_rows.renew, "elsewhere/1/a", frozenset(first.held))

    assert await in_database(claim_rows.take, "elsewhere/2/b", OF_ANOTHER_RUN) is False
    call.may_end.set()
    await buying
    assert first.held == set()


async def test_who_was_taken_over_changes_nothing_any_more(worker):
    """A process that stood still for longer than its lease."""
    await in_database(claim_rows.take, "elsewhere/1/a", ASKED)
    long_ago = timezone.now() - timedelta(minutes=1)
    await in_database(lambda: SharedCall.objects.update(lease_until=long_ago))
    await in_database(claim_rows.take, "elsewhere/2/b", OF_ANOTHER_RUN)

    late = replace(BOUGHT, text="Too late.")
    await in_database(claim_rows.finish, "elsewhere/1/a", ASKED, late)
    await in_database(claim_rows.let_go, "elsewhere/1/a", ASKED)
    await in_database(claim_rows.renew, "elsewhere/1/a", {ASKED.key})
    await in_database(claim_rows.finish, "elsewhere/2/b", OF_ANOTHER_RUN, BOUGHT)

    assert await in_database(claim_rows.take, "elsewhere/3/c", ASKED) == shared(BOUGHT)


async def test_batches_share_nothing_with_each_other(worker):
    elsewhere = Claim.of("batch_2", b"rules", "run_3/rules#0")
    await in_database(claim_rows.take, "elsewhere/1/a", ASKED)

    assert await in_database(claim_rows.take, "elsewhere/2/b", elsewhere) is True


async def test_rows_go_when_the_runs_of_their_batch_are_gone(worker):
    await in_database(claim_rows.take, "elsewhere/1/a", ASKED)
    later = timezone.now() + timedelta(minutes=1)
    await in_database(lease.forget_before, later)

    assert await in_database(SharedCall.objects.count) == 0
