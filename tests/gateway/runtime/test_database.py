from threading import get_ident

import pytest
from django.db import connection

from gateway.runtime.database import DatabaseThread


def connected_in() -> tuple[int, object]:
    connection.ensure_connection()
    return get_ident(), connection.connection


async def test_calls_share_a_thread_and_its_connection(transactional_db):
    thread = DatabaseThread("test")
    first = await thread.call(connected_in)
    assert await thread.call(connected_in) == first
    assert first[0] != get_ident()
    await thread.close()


async def test_closed_it_takes_no_more_calls(transactional_db):
    thread = DatabaseThread("test")
    await thread.call(connected_in)
    await thread.close()
    with pytest.raises(RuntimeError):
        await thread.call(connected_in)
