"""Cheap first: streams are held back until they may be shown."""

import asyncio
from pathlib import Path

from tests.faultllm import FaultLLM
from tests.gateway.cascade.doubting import catalog, check
from tests.harness import Gateway, Reply, ask, serving


async def held_up(
    gateway: Gateway, upstream: FaultLLM, **how: object
) -> asyncio.Task[Reply]:
    """A request that is under way, its provider waiting to be released."""
    asked = asyncio.create_task(ask(gateway, **how))
    await gateway.called()
    await upstream.until(lambda: upstream.holding)
    return asked


async def test_after_the_commit_point_nothing_switches(
    upstream: FaultLLM, tmp_path: Path
):
    """It breaks off behind the window: the client sees the error, no other tier."""
    given = catalog(upstream.url, "fault/words-60+error-event-at-50", cascade_window=20)
    async with serving(given, tmp_path) as gateway:
        reply = await ask(gateway, stream=True)
        [record] = gateway.records("request")

    assert reply.content.startswith("word1 word2")
    assert reply.error
    assert record["attempts"] == len(upstream.attempts) == 1


async def test_before_the_commit_point_the_client_sees_nothing(
    upstream: FaultLLM, tmp_path: Path
):
    """The window is longer than what comes before the provider waits."""
    given = catalog(
        upstream.url,
        "fault/words-60+hold-after-5",
        cascade_window=100,
        cascade_hold_seconds=30.0,
    )
    async with serving(given, tmp_path) as gateway:
        asked = await held_up(gateway, upstream, stream=True)
        [call] = gateway.runtime.inflight.calls
        assert call.outcome is None
        upstream.release()
        reply = await asked
        assert check(gateway)["shown_after_characters"] >= 100

    assert reply.content.endswith("word60")


async def test_a_stream_that_dawdles_is_let_go_when_its_time_is_up(
    upstream: FaultLLM, tmp_path: Path
):
    given = catalog(
        upstream.url,
        "fault/words-60+hold-after-5",
        cascade_window=10_000,
        cascade_hold_seconds=0.01,
    )
    async with serving(given, tmp_path) as gateway:
        asked = await held_up(gateway, upstream, stream=True)
        [call] = gateway.runtime.inflight.calls
        async with asyncio.timeout(20):
            while call.outcome is None:
                await asyncio.sleep(0.005)
        upstream.release()
        reply = await asked

    assert reply.content.endswith("word60")


async def test_a_client_that_leaves_during_the_trial_pays_for_what_came(
    upstream: FaultLLM, tmp_path: Path
):
    given = catalog(upstream.url, "fault/hold")
    async with serving(given, tmp_path) as gateway:
        asked = await held_up(gateway, upstream)
        asked.cancel()
        await gateway.settled()
        [record] = gateway.records("request")
        [attempt] = gateway.records("attempt")
        upstream.release()

    assert (record["status"], attempt["error_code"]) == (499, "client_closed")
