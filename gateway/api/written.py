"""Rows that are about to be written: a request is in the database a flush after its
end, and who asks about it at once waits for that."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from gateway.runtime.database import in_database

PATIENCE = (0.1, 0.2, 0.3, 0.5)  # seconds
P = ParamSpec("P")
T = TypeVar("T")


async def soon_written(
    read: Callable[P, T | None], *args: P.args, **kwargs: P.kwargs
) -> T | None:
    """What `read` finds in the database, now or in a moment."""
    for seconds in (*PATIENCE, None):
        found = await in_database(read, *args, **kwargs)
        if found is not None or seconds is None:
            return found
        await asyncio.sleep(seconds)
    return None
