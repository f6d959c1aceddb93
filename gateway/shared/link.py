"""The way to Redis: no wait above its bound, and a breaker that heals by itself.

Whoever meets a Redis that is down, frozen or slow loses at most one time-out. From
then on nobody asks it, until a ping in the background is answered quickly again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from gateway.shared.state import SharedStateDown

log = structlog.get_logger("shared")

CONNECTIONS = 64
PING_SECONDS = 0.5
# A ping that takes longer than this part of the time-out shows a Redis that is slow.
SLOW = 0.25


class Link:
    """`up` tells whether Redis is asked at all."""

    def __init__(self, url: str, timeout: float) -> None:
        self.timeout = timeout
        self.up = True
        self.failures = 0  # times the breaker opened
        self.errors = 0  # refusals, such as of a key of another type
        self.redis: Redis = Redis.from_pool(
            BlockingConnectionPool.from_url(
                url,
                max_connections=CONNECTIONS,
                timeout=timeout,
                socket_timeout=timeout,
                socket_connect_timeout=timeout,
                # A second try would cost a second time-out.
                retry=Retry(NoBackoff(), 0),
            )
        )
        self._pinging: asyncio.Task[None] | None = None

    async def run(
        self, command: Callable[..., Awaitable[Any]], *args: object, **kwargs: object
    ) -> Any:
        """The command's answer. Raises SharedStateDown at once while Redis is out."""
        if not self.up:
            raise SharedStateDown("Redis is not asked at the moment.")
        loop = asyncio.get_running_loop()
        started = loop.time()
        asked = asyncio.ensure_future(command(*args, **kwargs))
        try:
            if not await in_time(asked, self.timeout):
                raise TimeoutError(f"no answer in {self.timeout:g} s")
            if loop.time() - started > SLOW * self.timeout:
                self._ping_soon()
            return asked.result()
        except ResponseError as error:
            # It answers, if only to refuse: a foreign value, memory that is full.
            self.errors += 1
            raise SharedStateDown(str(error)) from error
        except (RedisError, OSError, TimeoutError) as error:
            self._open(str(error) or type(error).__name__)
            raise SharedStateDown(str(error)) from error
        finally:
            asked.cancel()

    async def close(self) -> None:
        self.up = False
        if self._pinging:
            self._pinging.cancel()
            await asyncio.gather(self._pinging, return_exceptions=True)
        await self.redis.aclose()

    def _open(self, reason: str) -> None:
        if self.up:
            self.up = False
            self.failures += 1
            log.warning("redis_unusable", reason=reason)
        self._ping_soon()

    def _ping_soon(self) -> None:
        if self._pinging is None or self._pinging.done():
            self._pinging = asyncio.get_running_loop().create_task(self._ping())

    async def _ping(self) -> None:
        """Ask until the answer comes quickly; one quick answer is enough."""
        while not await self._is_quick():
            if self.up:
                self._open("slow")
            await asyncio.sleep(PING_SECONDS)
        if not self.up:
            self.up = True
            log.info("redis_usable")

    async def _is_quick(self) -> bool:
        ping = asyncio.ensure_future(self.redis.execute_command("PING"))
        try:
            return await in_time(ping, SLOW * self.timeout) and bool(ping.result())
        except (RedisError, OSError, TimeoutError):
            return False
        finally:
            ping.cancel()


async def in_time(asked: asyncio.Future[Any], seconds: float) -> bool:
    """Has it ended within `seconds`? A loop that was busy meanwhile is no delay of
    Redis: what its sockets hold by now still counts."""
    done, _ = await asyncio.wait((asked,), timeout=seconds)
    for _ in range(3):
        if asked.done():
            return True
        await asyncio.sleep(0)
    return bool(done)
