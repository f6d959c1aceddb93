"""Scripts that spoil status, headers and body."""

import json

import pytest

from tests.faultllm import Canary, FaultLLM
from tests.faultllm_selftest.raw import CHAT, MESSAGES, ask


@pytest.mark.parametrize(
    ("status", "openai_code", "anthropic_type"),
    [
        (401, "invalid_api_key", "authentication_error"),
        (404, "model_not_found", "not_found_error"),
        (429, "rate_limit_exceeded", "rate_limit_error"),
        (500, None, "api_error"),
        (529, None, "overloaded_error"),
    ],
)
async def test_errors_have_the_shape_of_their_dialect(
    upstream: FaultLLM, status: int, openai_code: str | None, anthropic_type: str
) -> None:
    chat = await ask(upstream, f"fault/status-{status}", stream=True)
    message = await ask(upstream, f"fault/status-{status}", MESSAGES)

    assert (chat.status, message.status) == (status, status)
    assert chat.json()["error"]["code"] == openai_code
    assert message.json()["type"] == "error"
    assert message.json()["error"]["type"] == anthropic_type
    assert not any(attempt.billed for attempt in upstream.attempts)


async def test_a_too_long_prompt_is_refused_in_both_dialects(
    upstream: FaultLLM,
) -> None:
    chat = await ask(upstream, "fault/context-length-400")
    message = await ask(upstream, "fault/context-length-400", MESSAGES)

    assert chat.json()["error"]["code"] == "context_length_exceeded"
    assert message.json()["error"]["message"].startswith("prompt is too long")


@pytest.mark.parametrize(
    "value", ["1", "-5", "1000000000", "soon", "Wed, 21 Oct 2015 07:28:00 GMT", ""]
)
async def test_retry_after_says_anything(upstream: FaultLLM, value: str) -> None:
    reply = await ask(upstream, f"fault/retry-after={value}")

    assert (reply.status, reply.headers["retry-after"]) == (429, value)


async def test_headers_join_a_status_in_either_order(upstream: FaultLLM) -> None:
    for script in (
        "status-503+retry-after=7+header=x-should-retry:false",
        "header=x-should-retry:false+retry-after=7+status-503",
    ):
        reply = await ask(upstream, f"fault/{script}")

        assert reply.status == 503
        assert reply.headers["retry-after"] == "7"
        assert reply.headers["x-should-retry"] == "false"


async def test_a_redirect_points_to_the_trap(upstream: FaultLLM) -> None:
    with Canary() as canary:
        reply = await ask(upstream, f"fault/redirect-302={canary.url}/v1")

        assert (reply.status, reply.headers["location"]) == (302, f"{canary.url}/v1")
        assert canary.hits == []


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("script", "content_type", "begins"),
    [
        ("html-200", "text/html; charset=utf-8", b"<!doctype html>"),
        ("bad-gzip", None, b"this was never gzip"),
        ("empty-200", None, b""),
    ],
)
async def test_a_200_can_hold_no_answer(
    upstream: FaultLLM,
    script: str,
    content_type: str | None,
    begins: bytes,
    stream: bool,
) -> None:
    reply = await ask(upstream, f"fault/{script}", stream=stream)

    assert reply.status == 200
    assert reply.is_complete_http
    assert reply.body[:15] == begins[:15]
    if content_type:
        assert reply.headers["content-type"] == content_type
    assert upstream.attempts[0].completion_billed == 7


async def test_gzip_that_is_none_is_announced(upstream: FaultLLM) -> None:
    reply = await ask(upstream, "fault/bad-gzip")

    assert reply.headers["content-encoding"] == "gzip"


async def test_a_right_body_can_have_a_wrong_type(upstream: FaultLLM) -> None:
    reply = await ask(upstream, "fault/wrong-content-type=text/plain")

    assert reply.headers["content-type"] == "text/plain"
    assert reply.json()["choices"]


async def test_half_of_the_json_comes_in_good_http(upstream: FaultLLM) -> None:
    whole = await ask(upstream, "fault/half-json")
    stream = await ask(upstream, "fault/half-json", stream=True)

    assert whole.is_complete_http
    assert stream.is_complete_http
    events = [event.data for event in stream.events()]
    for broken in (whole.body.decode(), events[2]):
        with pytest.raises(json.JSONDecodeError):
            json.loads(broken)
    assert json.loads(events[1])
    assert json.loads(events[3])


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
async def test_a_whole_answer_can_be_huge(upstream: FaultLLM, path: str) -> None:
    reply = await ask(upstream, "fault/huge-3", path)

    assert len(reply.body) > 3 * 1024 * 1024
    assert reply.json()["model"] == "fault/huge-3"


async def test_a_stream_can_be_huge_and_bills_each_event(upstream: FaultLLM) -> None:
    reply = await ask(upstream, "fault/huge-1", stream=True)

    assert len(reply.body) > 1024 * 1024
    assert reply.events()[-1].data == "[DONE]"
    assert upstream.attempts[0].completion_billed == 16


async def test_one_line_can_be_very_long(upstream: FaultLLM) -> None:
    reply = await ask(upstream, "fault/long-line-2", stream=True)

    assert max(len(event.data) for event in reply.events()) > 2 * 1024 * 1024


async def test_an_error_event_ends_a_stream_without_its_end(
    upstream: FaultLLM,
) -> None:
    chat = await ask(upstream, "fault/error-event-at-2", stream=True)
    message = await ask(upstream, "fault/error-event-at-0", MESSAGES, stream=True)

    assert len(chat.events()) == 3
    assert "error" in chat.chunks()[-1]
    [event] = message.events()
    assert event.name == "error"
    assert json.loads(event.data)["error"]["type"] == "overloaded_error"
    assert [attempt.billed for attempt in upstream.attempts] == [True, False]
