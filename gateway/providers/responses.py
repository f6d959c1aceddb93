"""OpenAI's Responses API itself, for backends that offer it."""

from collections.abc import Iterable

import orjson

from gateway.dialects.fitting import fit
from gateway.dialects.messages_native import Keep
from gateway.dialects.responses_native import ResponseBuilder as Builder
from gateway.dialects.responses_native import says_nothing, to_completion
from gateway.dialects.sse import EventParser
from gateway.dialects.upstream_errors import stream_error
from gateway.dialects.usage import estimate_usage, usage_of
from gateway.errors import BadUpstreamResponse, UpstreamError
from gateway.providers.http import Call
from gateway.providers.openai import api_url, key_header, parse_chunk
from routing.catalog import Backend, Policy
from routing.chat import ChatRequest, Json
from routing.providers import Dialect

DIALECT: Dialect = "responses"
ENDS = frozenset({"response.completed", "response.incomplete"})
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
    """The client's own body with the backend's model; nothing is kept there."""
    body: Json = {**(chat.original or {}), "model": backend.model, "store": False}
    for field in ("stream", "stream_options"):
        if not chat.stream:
            body.pop(field, None)
    notes = fit(body, backend)
    headers = {"content-type": "application/json", **key_header(backend)}
    return Call(api_url(backend, "/responses"), headers, orjson.dumps(body), notes)


def read_completion(body: bytes) -> tuple[Json, bytes]:
    """A whole answer in the common language, and untouched."""
    try:
        response = orjson.loads(body)
    except ValueError:
        response = None
    if not isinstance(response, dict) or response.get("object") != "response":
        raise BadUpstreamResponse("The provider's answer is not a response.")
    if response.get("error"):
        raise stream_error({"error": response["error"]})
    return to_completion(response), body


class StreamReader:
    """Turns the bytes of a streamed response into its events, untouched."""

    def __init__(self) -> None:
        self.ended = False  # the event with the whole response was seen
        self.error: UpstreamError | None = None
        self._parser = EventParser()

    def feed(self, piece: bytes) -> Iterable[Json]:
        """The events that `piece` completes; sets `error` at an error event."""
        for event in self._parser.feed(piece):
            if self.ended or self.error:
                return
            if event.data.startswith(b"[DONE]"):
                return
            data = parse_chunk(event.data)
            if error := error_in(data):
                self.error = stream_error({"error": error})
                return
            self.ended = data.get("type") in ENDS
            yield data


def error_in(event: Json) -> Json | None:
    """What an event says went wrong, in the form of errors elsewhere."""
    error = event.get("error")
    if event.get("type") == "error":
        error = error or {k: event.get(k) for k in ("code", "message", "param")}
    elif event.get("type") == "response.failed":
        error = (event.get("response") or {}).get("error") or {"message": "It failed."}
    return error if isinstance(error, dict) else None
