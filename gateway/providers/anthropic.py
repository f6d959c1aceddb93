"""Anthropic's Messages API, spoken for clients of either dialect."""

from collections.abc import Iterable

import orjson

from gateway.dialects.anthropic_prefix import mark_prefix
from gateway.dialects.anthropic_request import to_messages_request
from gateway.dialects.anthropic_response import to_completion
from gateway.dialects.fitting import fit
from gateway.dialects.messages_builder import MessageBuilder as Builder
from gateway.dialects.messages_builder import says_nothing
from gateway.dialects.messages_check import FIRST_VERSION
from gateway.dialects.messages_native import Keep, drop_thoughts, to_native_body
from gateway.dialects.sse import EventParser
from gateway.dialects.upstream_errors import stream_error
from gateway.dialects.usage import estimate_usage, usage_of
from gateway.errors import BadUpstreamResponse, UpstreamError
from gateway.providers.http import Call
from gateway.providers.openai import api_url, key_header, parse_chunk
from routing.catalog import Backend, Policy
from routing.chat import ChatRequest, Json, Native
from routing.providers import Dialect

DIALECT: Dialect = "anthropic"
__all__ = [
    "DIALECT",
    "Builder",
    "StreamReader",
    "estimate_usage",
    "prepare",
    "read_completion",
    "says_nothing",
    "usage_of",
]


def prepare(backend: Backend, chat: ChatRequest, policy: Policy, keep: Keep) -> Call:
    """The request to send, with those earlier thoughts that `keep` lets through.

    Raises NotExpressible for what Anthropic can't do.
    """
    version = FIRST_VERSION
    if native := chat.native:
        body = to_native_body(native, backend.model, keep)
        version = native.version
    else:
        limit = policy.default_max_output_tokens
        body = to_messages_request(chat.body, backend.model, limit)
        drop_thoughts(body, keep)
        mark_prefix(body, chat.shared_prefix)
    notes = fit(body, backend)
    if chat.stream:
        body["stream"] = True
    return call(backend, "/messages", version, native, body, notes)


def call(
    backend: Backend,
    path: str,
    version: str,
    native: Native | None,
    body: Json,
    notes: tuple[str, ...] = (),
) -> Call:
    headers = {"content-type": "application/json", "anthropic-version": version}
    if native and native.betas:
        headers["anthropic-beta"] = ",".join(native.betas)
    headers |= key_header(backend)
    return Call(api_url(backend, path), headers, orjson.dumps(body), notes)


def count_call(backend: Backend, native: Native) -> Call:
    """Asks how many tokens a request has, which costs nothing."""
    body = {**native.body, "model": backend.model}
    return call(backend, "/messages/count_tokens", native.version, native, body)


def read_completion(body: bytes) -> tuple[Json, bytes]:
    """A whole answer in the common language, and untouched."""
    try:
        message = orjson.loads(body)
    except ValueError:
        message = None
    if not isinstance(message, dict) or message.get("type") != "message":
        raise BadUpstreamResponse("The provider's answer is not a message.")
    return to_completion(message), body


class StreamReader:
    """Turns the bytes of a streamed message into its events, untouched."""

    def __init__(self) -> None:
        self.ended = False  # message_stop was seen
        self.error: UpstreamError | None = None
        self._parser = EventParser()

    def feed(self, piece: bytes) -> Iterable[Json]:
        """The events that `piece` completes; sets `error` at an error event."""
        for event in self._parser.feed(piece):
            if self.ended or self.error:
                return
            data = parse_chunk(event.data)
            if data.get("type") == "error":
                self.error = stream_error(data)
                return
            self.ended = data.get("type") == "message_stop"
            yield data
