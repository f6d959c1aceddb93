"""Work beside the traffic: each thing once at a time, and little of it at once."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

log = structlog.get_logger("background")
AT_ONCE = 4


class Background:
    """What finds no place is not done: it waits for nothing and holds up nobody."""

    def __init__(self) -> None:
        self._tasks: dict[object, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def start(
        self,
        name: object,
        work: Callable[[], Coroutine[Any, Any, None]],
        most: int = AT_ONCE,
    ) -> bool:
        """Begin, unless the same is under way or `most` things are; whether it began.
        What matters less takes a lower `most`, and leaves room for the rest."""
        if name in self._tasks or len(self._tasks) >= most:
            return False
        task = asyncio.get_running_loop().create_task(self._run(work))
        self._tasks[name] = task
        task.add_done_callback(lambda _: self._tasks.pop(name))
        return True

    async def close(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except Exception:  # nobody waits for it, so nobody else would tell
            log.exception("background_failed")
