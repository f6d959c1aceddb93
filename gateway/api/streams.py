"""Streams of server-sent events, in the client's dialect and its words."""

from collections.abc import AsyncIterator

from gateway.api import render
from gateway.api.reply import KeptAlive, Reply
from gateway.dialects.openai import strip_usage
from gateway.dialects.own_names import in_own_words
from gateway.errors import GatewayError
from routing.chat import ChatRequest, Json


def streamed(
    events: AsyncIterator[bytes],
    seconds: float,
    sign_of_life: bytes = render.KEEP_ALIVE,
) -> Reply:
    """The events, with a sign of life whenever none came for `seconds`."""
    return Reply(
        headers=[
            render.EVENT_STREAM,
            ("cache-control", "no-cache"),
            ("x-accel-buffering", "no"),  # nginx would collect the chunks
        ],
        pieces=KeptAlive(events, seconds, sign_of_life),
    )


async def stream_events(
    chunks: AsyncIterator[Json], chat: ChatRequest
) -> AsyncIterator[bytes]:
    """Server-sent events; a failure is an error event, and then no `[DONE]`."""
    try:
        async for chunk in chunks:
            shown = chunk if chat.include_usage else strip_usage(chunk)
            if shown is not None:
                yield render.event(shown)
    except GatewayError as error:
        yield render.error_event(in_own_words(error, chat))
        return
    yield render.DONE


async def response_events(
    events: AsyncIterator[Json], chat: ChatRequest
) -> AsyncIterator[bytes]:
    """Events of the Responses API, each with its name and number; a failure is an
    error, and then the response's own end if it had begun."""
    number, response = -1, Json()
    try:
        async for event in events:
            number = event.get("sequence_number", number + 1)
            response = event.get("response") or response
            yield render.named_event(event)
    except GatewayError as error:
        own = in_own_words(error, chat)
        for event in render.failed_response(own, response, number + 1):
            yield render.named_event(event)


async def message_events(
    events: AsyncIterator[Json], chat: ChatRequest
) -> AsyncIterator[bytes]:
    """Anthropic's events, each with its name; nothing follows the last."""
    try:
        async for event in events:
            yield render.named_event(event)
    except GatewayError as error:
        yield render.named_event(render.anthropic_error(in_own_words(error, chat)))
