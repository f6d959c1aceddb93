"""Anthropic's Messages API, spoken for clients of the common language."""

from collections.abc import Iterable
from time import time

import orjson

from gateway.dialects.anthropic_request import to_messages_request
from gateway.dialects.anthropic_response import to_completion
from gateway.dialects.anthropic_stream import StreamTranslator
from gateway.dialects.sse import EventParser
from gateway.dialects.upstream_errors import stream_error
from gateway.errors import BadUpstreamResponse, UpstreamError
from gateway.providers.http import Call
from gateway.providers.openai import api_url, parse_chunk
from routing.catalog import Backend, Policy
from routing.chat import ChatRequest, Json

VERSION = "2023-06-01"


def prepare(backend: Backend, chat: ChatRequest, policy: Policy) -> Call:
    """The translated request. Raises NotExpressible for what Anthropic can't do."""
    body = to_messages_request(
        chat.body, backend.model, policy.default_max_output_tokens
    )
    if chat.stream:
        body["stream"] = True
    headers = {"content-type": "application/json", "anthropic-version": VERSION}
    if backend.api_key:
        headers["x-api-key"] = backend.api_key.reveal()
    return Call(api_url(backend, "/messages"), headers, orjson.dumps(body))


def read_completion(body: bytes) -> tuple[Json, bytes]:
    """A whole answer in the common language, parsed and as the client gets it."""
    try:
        message = orjson.loads(body)
    except ValueError:
        message = None
    if not isinstance(message, dict) or message.get("type") != "message":
        raise BadUpstreamResponse("The provider's answer is not a message.")
    completion = to_completion(message, int(time()))
    return completion, orjson.dumps(completion)


class StreamReader:
    """Turns the bytes of a streamed message into chunks of the common language."""

    def __init__(self) -> None:
        self.error: UpstreamError | None = None
        self._parser = EventParser()
        self._translator = StreamTranslator(int(time()))

    @property
    def ended(self) -> bool:
        return self._translator.ended

    def feed(self, piece: bytes) -> Iterable[Json]:
        """The chunks that `piece` completes; sets `error` at an error event."""
        for event in self._parser.feed(piece):
            if self.ended or self.error:
                return
            data = parse_chunk(event.data)
            if data.get("type") == "error":
                self.error = stream_error(data)
                return
            yield from self._translator.feed(data)
