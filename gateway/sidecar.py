"""Asks RouteLLM's classifier, when an operator runs one, how hard a prompt is."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import structlog

from routing.chat import Json

log = structlog.get_logger("sidecar")
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


@dataclass(frozen=True, slots=True)
class Opinion:
    """What came of asking: a rate from 0 to 1, or why there is none."""

    win_rate: float | None
    problem: str = ""


class Sidecar:
    """POST `{"prompt": ...}` -> `{"strong_win_rate": 0..1}`, never a reason to fail."""

    def __init__(self, client: httpx.AsyncClient, clock: Callable[[], float]) -> None:
        self._client = client
        self._clock = clock
        self._failures = 0
        self._paused_until = 0.0

    async def ask(self, url: str, body: Json, budget_seconds: float) -> Opinion:
        """How likely only a strong model will do, if that can be had in time."""
        if self._clock() < self._paused_until:
            return Opinion(None, "It failed too often and is left alone for a while.")
        try:
            # For the whole call: httpx's own time-outs begin anew with every byte.
            async with asyncio.timeout(budget_seconds):
                rate = await self._ask(url, first_user_text(body))
        except NO_ANSWER as error:
            self._note_failure(error)
            return Opinion(None, problem(error, budget_seconds))
        self._failures = 0
        return Opinion(rate)

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


def problem(error: Exception, budget_seconds: float) -> str:
    match error:
        case TimeoutError():
            return f"It did not answer within {budget_seconds * 1000:g} ms."
        case httpx.HTTPStatusError():
            return f"It answered {error.response.status_code}."
        case httpx.HTTPError() | httpx.InvalidURL():
            return "It can't be reached."
        case _:
            return "What it said is no strong_win_rate from 0 to 1."


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
