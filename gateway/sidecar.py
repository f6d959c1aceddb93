"""Asks RouteLLM's classifier, when an operator runs one, how hard a prompt is."""

import asyncio
from collections.abc import Callable

import httpx
import structlog

from routing.chat import Json

log = structlog.get_logger("sidecar")
BUDGET_SECONDS = 0.05  # what deciding may cost before the heuristic decides alone
FAILURES_TO_PAUSE = 5
PAUSE_SECONDS = 10.0
# An address that can't be used, silence, and every kind of nonsense.
NO_ANSWER = (
    httpx.HTTPError,
    httpx.InvalidURL,
    TimeoutError,
    ValueError,
    KeyError,
    TypeError,
    RecursionError,
)


class Sidecar:
    """POST `{"prompt": ...}` -> `{"strong_win_rate": 0..1}`, never a reason to fail."""

    def __init__(self, client: httpx.AsyncClient, clock: Callable[[], float]) -> None:
        self.budget_seconds = BUDGET_SECONDS
        self._client = client
        self._clock = clock
        self._failures = 0
        self._paused_until = 0.0

    async def win_rate(self, url: str, body: Json) -> float | None:
        """How likely only a strong model will do; None when it can't be had in time."""
        if self._clock() < self._paused_until:
            return None
        try:
            # For the whole call: httpx's own time-outs begin anew with every byte.
            async with asyncio.timeout(self.budget_seconds):
                rate = await self._ask(url, first_user_text(body))
        except NO_ANSWER as error:
            self._note_failure(error)
            return None
        self._failures = 0
        return rate

    async def _ask(self, url: str, prompt: str) -> float:
        response = await self._client.post(url, json={"prompt": prompt})
        rate = response.raise_for_status().json()["strong_win_rate"]
        if isinstance(rate, bool) or not 0.0 <= rate <= 1.0:
            raise ValueError("strong_win_rate is not a number from 0 to 1")
        return float(rate)

    def _note_failure(self, error: Exception) -> None:
        self._failures += 1
        if self._failures >= FAILURES_TO_PAUSE:
            self._paused_until = self._clock() + PAUSE_SECONDS
            self._failures = 0
            log.warning("sidecar_paused", seconds=PAUSE_SECONDS, error=repr(error))


def first_user_text(body: Json) -> str:
    """The text of the first user message; parts are joined, images left out."""
    for message in body["messages"]:
        if message["role"] != "user":
            continue
        content = message.get("content") or ""
        if isinstance(content, str):
            return content
        return "\n".join(p["text"] for p in content if p.get("type") == "text")
    return ""
