"""OpenAI's chat completions, and everything that speaks the same."""

from collections.abc import Iterable

import orjson

from gateway.dialects.fitting import fit
from gateway.dialects.messages_crossing import to_openai_body, without_thoughts
from gateway.dialects.messages_native import Keep
from gateway.dialects.openai_builder import CompletionBuilder as Builder
from gateway.dialects.openai_builder import says_nothing
from gateway.dialects.sse import EventParser
from gateway.dialects.upstream_errors import stream_error
from gateway.dialects.usage import estimate_usage, usage_of
from gateway.errors import BadUpstreamResponse, UpstreamError
from gateway.providers.http import Call
from routing.catalog import Backend, Policy
from routing.chat import ChatRequest, Json
from routing.providers import Dialect, Provider

# Thoughts with Anthropic's signatures, as an answer of ours may have held them; found
# in the bytes, so that requests without any are not gone through again.
THOUGHTS_FIELD = b'"thinking_blocks":'
DIALECT: Dialect = "openai"
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
    """The request for this backend: the client's body with the backend's model.

    A client of Anthropic's API gets its body translated; NotExpressible tells what
    can't be.
    """
    body = {**chat.body, "model": backend.model}
    if native := chat.native:
        body = to_openai_body(body, native, backend.preset.limit_field)
    elif chat.original is not None and "max_completion_tokens" in body:
        # Translated from another API of OpenAI's, so its name here is ours to choose.
        body[backend.preset.limit_field] = body.pop("max_completion_tokens")
    if chat.stream:
        # Usage is always asked for: streams are billed like whole answers.
        options = {**(chat.body.get("stream_options") or {}), "include_usage": True}
        body |= {"stream": True, "stream_options": options}
    notes = (*(native.notes if native else ()), *fit(body, backend))
    preset = backend.preset
    if preset.renames or preset.drops:
        body = fitted(body, preset)
    payload = orjson.dumps(body)
    if THOUGHTS_FIELD in payload:
        payload = orjson.dumps(without_thoughts(body, keep))
    headers = {"content-type": "application/json", **key_header(backend)}
    return Call(api_url(backend, "/chat/completions"), headers, payload, notes)


def api_url(backend: Backend, path: str) -> str:
    """The address of an endpoint; a base_url works with and without /v1."""
    base = (backend.base_url or backend.preset.base_url).rstrip("/")
    if "/" not in base.split("://", 1)[-1]:  # a bare host
        base += backend.preset.api_path
    return base + path


def key_header(backend: Backend) -> dict[str, str]:
    """The provider's key in the header it reads; empty without a key."""
    if not backend.api_key:
        return {}
    key, auth = backend.api_key.reveal(), backend.preset.auth
    return {"authorization": f"Bearer {key}"} if auth == "bearer" else {auth: key}


def fitted(body: Json, preset: Provider) -> Json:
    """The body with its fields by the provider's names, without what it refuses."""
    fitting = {
        preset.renames.get(field, field): value
        for field, value in body.items()
        if field not in preset.drops
    }
    for field, name in preset.renames.items():
        if body.get(name) is not None and field in body:
            fitting[name] = body[name]  # the client gave both; this is the one it reads
    return fitting


def read_completion(body: bytes) -> tuple[Json, bytes]:
    """A whole answer, parsed and as the client gets it: untouched.

    Raises BadUpstreamResponse when it is anything else.
    """
    try:
        completion = orjson.loads(body)
        messages = [choice["message"] for choice in completion["choices"]]
    except (ValueError, KeyError, TypeError):
        messages = []
    if messages and all(isinstance(message, dict) for message in messages):
        return completion, body
    raise BadUpstreamResponse("The provider's answer is not a chat completion.")


class StreamReader:
    """Turns the bytes of a streamed answer into chunks."""

    def __init__(self) -> None:
        self.ended = False  # [DONE] was seen
        self.error: UpstreamError | None = None
        self._answers = False  # a chunk had a choice
        self._parser = EventParser()

    def feed(self, piece: bytes) -> Iterable[Json]:
        """The chunks that `piece` completes; sets `error` at an error event, and at the
        end when no answer came before it."""
        for event in self._parser.feed(piece):
            if self.ended or self.error:
                return
            if event.data.startswith(b"[DONE]"):
                if not self._answers:
                    self.error = BadUpstreamResponse(
                        "The provider's stream holds no answer."
                    )
                self.ended = True
                return
            chunk = parse_chunk(event.data)
            if chunk.get("error"):
                self.error = stream_error(chunk)
                return
            self._answers = self._answers or bool(chunk.get("choices"))
            yield chunk


def parse_chunk(data: bytes) -> Json:
    try:
        chunk = orjson.loads(data)
    except ValueError:
        raise BadUpstreamResponse("The provider's stream holds invalid JSON.") from None
    if not isinstance(chunk, dict):
        raise BadUpstreamResponse("The provider's stream holds something else.")
    return chunk
