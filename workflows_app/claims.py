"""Calls that all workers make once, for runs of a batch: one makes it, the others wait
for its row. Works without Redis; see claim_rows."""

import asyncio

import structlog
from django.db import Error as DatabaseError

from workflows_app import claim_rows
from workflows_app.call import Said
from workflows_app.claim_rows import Claim
from workflows_app.memo import Made, Make
from workflows_app.writer import Writer

log = structlog.get_logger("workflows")
# Between looks at the rows, one for all that this process waits for.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 0.5


class Claims:
    """Of one process, whose name is `owner`."""

    def __init__(self, owner: str, writer: Writer) -> None:
        self.held: set[str] = set()  # calls that are made here now
        self._owner = owner
        self._writer = writer
        self._awaited: dict[str, asyncio.Future[None]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    async def once(self, claim: Claim, make: Make) -> Made:
        """Make the call if nobody does; else wait for who does. When they fail, or
        die, it is made here or by another that waits."""
        while True:
            found = await self._take(claim)
            if isinstance(found, Said):
                return found, False
            if found:
                return await self._make(claim, make), True
            await self._settled(claim.key)

    async def _take(self, claim: Claim) -> Said | bool:
        try:
            return await self._writer.call(claim_rows.take, self._owner, claim)
        except DatabaseError as error:  # the run matters more than what it may save
            log.warning("shared_call_not_claimed", error=str(error))
            return True
        except asyncio.CancelledError:
            self._let_go(claim)  # it may be ours by now
            raise

    async def _make(self, claim: Claim, make: Make) -> Said:
        self.held.add(claim.key)
        try:
            said = await make()
        except BaseException:
            self._let_go(claim)
            raise
        else:
            # Before anything is told of it: what was paid is not paid again.
            await self._writer.persist(claim_rows.finish, self._owner, claim, said)
            return said
        finally:
            self.held.discard(claim.key)

    def _let_go(self, claim: Claim) -> None:
        leaving = asyncio.create_task(
            self._writer.persist(claim_rows.let_go, self._owner, claim)
        )
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    async def _settled(self, key: str) -> None:
        """Returns when another's call has ended, or nobody makes it any more."""
        if key not in self._awaited:
            self._awaited[key] = asyncio.get_running_loop().create_future()
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        await asyncio.shield(self._awaited[key])

    async def _look(self) -> None:
        pause = FIRST_PAUSE
        while self._awaited:
            await asyncio.sleep(pause)
            try:
                settled = await self._writer.call(
                    claim_rows.settled, self._owner, set(self._awaited)
                )
            except DatabaseError as error:
                log.warning("shared_calls_not_read", error=str(error))
                settled = set()
            for key in settled:
                self._awaited.pop(key).set_result(None)
            pause = FIRST_PAUSE if settled else min(2 * pause, LONGEST_PAUSE)

    async def close(self) -> None:
        """After the runs of this process: nobody waits any more."""
        if self._looking:
            self._looking.cancel()
            await asyncio.wait((self._looking,))
        await asyncio.gather(*self._leaving, return_exceptions=True)
