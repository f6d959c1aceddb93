"""Runs database work in threads: of the API's few slow endpoints in a small pool, and
what comes often, beside the traffic, in a thread that keeps its connection."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import Error as DatabaseError
from django.db import close_old_connections, connections

P = ParamSpec("P")
T = TypeVar("T")
THREADS = ThreadPoolExecutor(max_workers=4, thread_name_prefix="database")


async def in_database(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function` where the ORM may be used; its connection is not kept."""

    def call() -> T:
        close_old_connections()  # one may have been kept for another database
        try:
            return function(*args, **kwargs)
        finally:
            close_old_connections()

    return await asyncio.get_running_loop().run_in_executor(THREADS, call)


class DatabaseThread:
    """One thread and its connection, kept from call to call: opening one takes ten
    times what most calls do. One call runs at a time."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def call(
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        def work() -> T:
            try:
                return function(*args, **kwargs)
            except DatabaseError:
                connections.close_all()  # it may be the connection that is broken
                raise

        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def close(self) -> None:
        """After what is under way."""
        await self.call(connections.close_all)  # those of the thread that runs this
        self._thread.shutdown()
