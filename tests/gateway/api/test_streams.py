"""A stream that fails after its first byte tells why in its client's words."""

from collections.abc import AsyncIterator

import orjson
import pytest

from gateway.api.streams import message_events, response_events, stream_events
from gateway.errors import UpstreamRefused
from routing.chat import ChatRequest, Json

BEGUN = {"type": "begun", "choices": [{"index": 0}], "response": {"id": "resp_1"}}


async def fails() -> AsyncIterator[Json]:
    yield BEGUN
    message = "max_completion_tokens is too large: 90000."
    raise UpstreamRefused(message, status=400, param="max_completion_tokens")


@pytest.mark.parametrize(
    ("dialect", "events", "name"),
    [
        ("openai", stream_events, "max_completion_tokens"),
        ("text", stream_events, "max_tokens"),
        ("anthropic", message_events, "max_tokens"),
        ("responses", response_events, "max_output_tokens"),
    ],
)
async def test_a_field_has_the_name_that_the_client_knows(dialect, events, name):
    chat = ChatRequest({"messages": []}, "", "", dialect=dialect)

    *_, last = [orjson.loads(e[e.index(b"{") :]) async for e in events(fails(), chat)]

    error = last.get("error") or last["response"]["error"]
    assert error["message"] == f"{name} is too large: 90000."
    assert error.get("param", name) == name
