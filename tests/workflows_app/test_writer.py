import asyncio

import pytest
from django.db import OperationalError

from gateway.errors import StorageFull
from workflows_app.writer import Writer


async def test_a_failed_write_is_tried_again_and_given_up_in_the_end(database):
    writer, tries = Writer(), []

    def fails_twice() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise OperationalError("locked")

    await writer.persist(fails_twice)
    assert len(tries) == 3
    await writer.close()


async def test_what_must_be_written_first_is_refused_with_503(database):
    writer = Writer()

    def fails() -> None:
        raise OperationalError("locked")

    with pytest.raises(StorageFull):
        await writer.create(fails)
    await writer.close()


async def test_calls_run_one_after_the_other_in_one_thread(database):
    writer, running, most = Writer(), [], 0

    def work() -> None:
        nonlocal most
        running.append(1)
        most = max(most, len(running))
        running.pop()

    await asyncio.gather(*(writer.call(work) for _ in range(20)))
    assert most == 1
    await writer.close()
