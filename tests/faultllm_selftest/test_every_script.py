"""No script fails in itself, in either dialect, streamed or whole."""

import pytest

from tests.faultllm import SCRIPTS, FaultLLM
from tests.faultllm.scripts import UnknownScript, parse
from tests.faultllm_selftest.raw import CHAT, MESSAGES, ask, connect, request_bytes

ARGUMENTS = {
    "words": "40",
    "finish": "tired",
    "wrong-model": "other",
    "status": "503",
    "flaky": "50",
    "retry-after": "soon",
    "retry-after-ms": "5",
    "header": "x-a:b",
    "redirect": "302=http://127.0.0.1:1/",
    "error-event-at": "2",
    "wrong-content-type": "text/plain",
    "huge": "1",
    "long-line": "1",
    "delay": "1ms",
    "trickle": "1ms",
    "hold-after": "2",
    "stall-after": "2",
    "rst-after": "2",
    "cut-at-byte": "90",
    "end-after": "2",
}
NEVER_END = {"endless", "stall-before-headers", "stall-after", "hold", "hold-after"}


def example(name: str) -> str:
    return f"{name}={ARGUMENTS[name]}" if name in ARGUMENTS else name


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("name", sorted(SCRIPTS.keys() - NEVER_END))
async def test_it_comes_to_an_end(
    upstream: FaultLLM, name: str, path: str, stream: bool
) -> None:
    await ask(upstream, f"fault/{example(name)}", path, stream=stream)

    await upstream.until(lambda: upstream.in_flight == 0)
    [attempt] = upstream.attempts
    assert attempt.script == example(name)
    assert attempt.outcome in ("completed", "closed", "reset")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("name", sorted(NEVER_END))
async def test_it_waits_until_its_peer_hangs_up(
    upstream: FaultLLM, name: str, path: str, stream: bool
) -> None:
    async with connect(upstream) as (_, writer):
        writer.write(request_bytes(f"fault/{example(name)}", path, stream=stream))
        await upstream.until(lambda: upstream.in_flight == 1)

    await upstream.until(lambda: upstream.in_flight == 0)
    [attempt] = upstream.attempts
    assert attempt.outcome == "peer-closed"
    assert attempt.peer_closed_at is not None


@pytest.mark.parametrize(
    "text", ["", "no-such", "stall-after", "stall-after-x", "ok-1", "delay-5", "ok+bad"]
)
def test_what_is_no_script_is_said_to_be_none(text: str) -> None:
    with pytest.raises(UnknownScript, match="faultllm"):
        parse(text)


async def test_an_unknown_script_is_a_400_that_names_it(upstream: FaultLLM) -> None:
    reply = await ask(upstream, "fault/no-such")

    assert reply.status == 400
    assert "'no-such'" in reply.json()["error"]["message"]


def test_arguments_may_look_like_anything() -> None:
    date = "Wed, 21 Oct 2015 07:28:00 GMT"

    assert [argument for _, argument in parse(f"retry-after={date}")] == [date]
    assert [argument for _, argument in parse("retry-after=-5+status-503")] == [
        "-5",
        503,
    ]
    assert [argument for _, argument in parse("delay-1.5s+trickle-200ms")] == [1.5, 0.2]
