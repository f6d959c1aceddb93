"""Asks backends that look dead, by requests that cost nothing, whether they live."""

import asyncio

import httpx
import structlog

from gateway.dialects.messages_check import FIRST_VERSION
from gateway.providers.openai import api_url, key_header
from gateway.runtime.runtime import Runtime
from routing.catalog import Backend
from routing.health import Outcome

log = structlog.get_logger("prober")
LOOK_SECONDS = 1.0
PROBE_SECONDS = 5.0
AT_ONCE = 8


class Prober:
    """A task that looks once a second which backends are due; a GET each."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            pool = self._runtime.pool
            due = pool.due_probes(self._runtime.clock())
            await asyncio.gather(*(self._probe(backend) for backend in due))

    async def _probe(self, backend: Backend) -> None:
        async with self._at_once:
            outcome = await self._ask(backend)
        self._runtime.pool.report_probe(backend, outcome)
        log.debug("probed", backend=backend.name, outcome=outcome.name)

    async def _ask(self, backend: Backend) -> Outcome:
        headers = key_header(backend)
        if backend.preset.dialect == "anthropic":
            headers["anthropic-version"] = FIRST_VERSION
        try:
            # Streamed: the status is enough, whatever the body would be.
            async with self._runtime.http.side.stream(
                "GET",
                api_url(backend, backend.preset.probe),
                headers=headers,
                timeout=PROBE_SECONDS,
            ) as response:
                status = response.status_code
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError):
            return Outcome.CONNECT_ERROR
        if status in (401, 403):
            return Outcome.AUTH
        # Anything below 500 shows that somebody is there and answers.
        return Outcome.OK if status < 500 else Outcome.SERVER_ERROR
