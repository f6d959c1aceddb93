"""Scripts that misreport usage; the oracle still knows what is billed."""

from collections.abc import Iterator

import pytest

from tests.faultllm import FaultLLM
from tests.faultllm_selftest.raw import CHAT, MESSAGES, Json, Reply, ask

ASKED = {"stream_options": {"include_usage": True}}


def usages(reply: Reply) -> Iterator[Json | None]:
    """Every usage in a stream, in order; Anthropic's first is in its message."""
    for chunk in reply.chunks():
        for holder in (chunk, chunk.get("message", {})):
            if "usage" in holder:
                yield holder["usage"]


def outputs(reply: Reply) -> list[int]:
    names = ("completion_tokens", "output_tokens")
    return [u[n] for u in usages(reply) if u for n in names if n in u]


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
async def test_usage_can_be_missing(upstream: FaultLLM, path: str) -> None:
    whole = await ask(upstream, "fault/usage-missing", path)
    stream = await ask(upstream, "fault/usage-missing", path, stream=True, **ASKED)

    assert "usage" not in whole.json()
    assert list(usages(stream)) == []
    assert [attempt.completion_billed for attempt in upstream.attempts] == [7, 7]


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
async def test_usage_can_be_null(upstream: FaultLLM, path: str) -> None:
    whole = await ask(upstream, "fault/usage-null", path)
    stream = await ask(upstream, "fault/usage-null", path, stream=True, **ASKED)

    assert whole.json()["usage"] is None
    assert set(usages(stream)) == {None}


@pytest.mark.parametrize(
    ("script", "number"),
    [("usage-zero", 0), ("usage-negative", -5), ("usage-absurd", 10**15)],
)
async def test_usage_can_be_any_number(
    upstream: FaultLLM, script: str, number: int
) -> None:
    chat = await ask(upstream, f"fault/{script}", stream=True, **ASKED)
    message = await ask(upstream, f"fault/{script}", MESSAGES)

    assert outputs(chat) == [number]
    assert message.json()["usage"]["output_tokens"] == number
    assert message.json()["usage"]["input_tokens"] == number
    assert {attempt.prompt_billed for attempt in upstream.attempts} == {3}


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
async def test_usage_can_come_twice_and_the_last_is_true(
    upstream: FaultLLM, path: str
) -> None:
    reply = await ask(upstream, "fault/usage-twice", path, stream=True, **ASKED)

    assert outputs(reply)[-2:] == [1, 7]


async def test_usage_can_come_with_the_finish_reason_unasked(
    upstream: FaultLLM,
) -> None:
    reply = await ask(upstream, "fault/usage-on-content", stream=True)

    last = reply.chunks()[-1]
    assert last["choices"][0]["finish_reason"] == "stop"
    assert last["usage"]["completion_tokens"] == 7
