"""Workers of two versions on one shared state, as while a server is upgraded (R23)."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from random import Random

import orjson
import pytest

from gateway.conversations import Conversations
from gateway.shared.seal import DIGEST, Seal
from gateway.shared.shared import Shared
from routing.affinity import Visit
from routing.chat import Json
from tests.faultllm import FaultLLM
from tests.harness import SHARED_SECRET, Clock, ask, one_backend
from tests.memory_state import MemoryState
from tests.workers import until, workers


class NextVersion(MemoryState):
    """The leader says more than this version knows, in every part of its messages."""

    ends = False  # with a word of its own

    async def append(self, stream, number, value, first, seconds):
        message = orjson.loads(value[DIGEST:])
        names = message.pop("for")
        for part in (message, message.get("receipt"), message.get("error")):
            if part:
                part["a_field_of_tomorrow"] = 1
        if receipt := message.get("receipt"):
            receipt["usage"]["a_field_of_tomorrow"] = 1
        if self.ends and "end" in message:
            message = {"end": "a word of tomorrow"}
        sealed = Seal(SHARED_SECRET).close(names, message)
        await super().append(stream, number, sealed, first, seconds)

    @property
    def watched(self) -> bool:
        return any(name.endswith(":watch") for name in self._values)


async def shared_with_the_next_version(
    upstream: FaultLLM, folder: Path, memory: NextVersion, script: str, stream: bool
) -> tuple:
    """What the leader's client and the follower's get of one call."""
    upstream.script = [script]
    async with workers(one_backend(upstream.url), folder, lambda: memory) as (one, two):
        leading = asyncio.create_task(ask(one, stream=stream))
        await upstream.until(lambda: upstream.holding == 1)
        following = asyncio.create_task(ask(two, stream=stream))
        await until(lambda: memory.watched)
        upstream.release()
        return await leading, await following


@pytest.mark.parametrize("stream", [False, True])
async def test_r23_a_call_that_the_next_version_leads_is_shared(
    upstream: FaultLLM, tmp_path: Path, stream: bool
):
    first, second = await shared_with_the_next_version(
        upstream, tmp_path, NextVersion(), "hold+words-5", stream
    )

    assert (first.status, second.status) == (200, 200)
    assert second.content == first.content
    assert second.headers["x-llm-router-cache"] == "SHARED"
    assert len(upstream.attempts) == 1


async def test_r23_an_error_that_the_next_version_tells_is_the_same(
    upstream: FaultLLM, tmp_path: Path
):
    first, second = await shared_with_the_next_version(
        upstream, tmp_path, NextVersion(), "hold+status-500", stream=False
    )

    assert (second.status, second.error) == (502, first.error)
    assert len(upstream.attempts) == 1


async def test_r23_a_call_that_ends_in_a_word_of_the_next_version_is_made_anew(
    upstream: FaultLLM, tmp_path: Path
):
    memory = NextVersion()
    memory.ends = True
    first, second = await shared_with_the_next_version(
        upstream, tmp_path, memory, "hold+status-500", stream=False
    )

    assert (first.status, second.status) == (502, 200)
    assert len(upstream.attempts) == 2


async def test_r23_a_visit_that_the_next_version_noted_is_known():
    state = MemoryState()
    shared = Shared(state, "secret", Random(1))
    visit = Visit("haiku", 1, 0, 0, 5.0)
    noted: Json = {"visit": {**asdict(visit), "a_field_of_tomorrow": 1}}
    name = shared.seal.name("visit", b"k")
    await state.put([name], shared.seal.close([name], noted), 60)

    assert await Conversations(Clock(5.0), shared).recall(b"k") == visit
