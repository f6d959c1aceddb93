"""What processes that are gone have left set aside in a Redis that was away."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import structlog

from gateway.limits.counters import CountersDown

log = structlog.get_logger("limits")
SUFFIX = ".estate"
PAUSE_SECONDS = 1.0


class Estates:
    """Their names, which are those of their journals: an empty file for each beside
    these, so that whoever serves this folder next takes over what nobody gave back.

    Of such a process the books have all that it spent, and nothing is settled any more:
    what is set aside is given back, and counters are raised to the books.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, owner: str) -> None:
        # On a full disk it isn't known later: it stands until its window ends then,
        # which is too much counted, never too little.
        with suppress(OSError):
            self._path(owner).touch(mode=0o600)
        log.warning("holds_wait_for_redis", journal=owner)

    def remove(self, owner: str) -> None:
        self._path(owner).unlink(missing_ok=True)

    def __contains__(self, owner: str) -> bool:
        return self._path(owner).exists()

    def names(self) -> list[str]:
        return sorted(path.stem for path in self._folder.glob(f"*{SUFFIX}"))

    def _path(self, owner: str) -> Path:
        return self._folder / f"{owner}{SUFFIX}"


class Executor:
    """Gives back what is left, again and again until it is taken. Several processes may
    do so at once: each hold is given back by one of them."""

    def __init__(
        self, estates: Estates, give_back: Callable[[str], Awaitable[None]]
    ) -> None:
        self._estates = estates
        self._give_back = give_back
        self._task = asyncio.get_running_loop().create_task(self._work())

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        while owners := self._estates.names():
            try:
                for owner in owners:
                    await self._give_back(owner)
                    self._estates.remove(owner)
                    log.info("holds_given_back", journal=owner)
            except CountersDown:
                await asyncio.sleep(PAUSE_SECONDS)
