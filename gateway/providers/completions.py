"""OpenAI's legacy completions, for backends that offer them."""

import orjson

from gateway.dialects.fitting import fit
from gateway.dialects.messages_native import Keep
from gateway.dialects.text_response import TextBuilder as Builder
from gateway.dialects.text_response import says_nothing, to_completion
from gateway.dialects.usage import estimate_usage, usage_of
from gateway.errors import BadUpstreamResponse
from gateway.providers.http import Call
from gateway.providers.openai import StreamReader, api_url, fitted, key_header
from routing.catalog import Backend, Policy
from routing.chat import ChatRequest, Json
from routing.providers import Dialect

DIALECT: Dialect = "text"
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
    """The client's own body with the backend's model."""
    body: Json = {**(chat.original or {}), "model": backend.model}
    options = body.pop("stream_options", None) or {}
    body.pop("stream", None)
    if chat.stream:
        body |= {"stream": True, "stream_options": {**options, "include_usage": True}}
    notes = fit(body, backend)
    body = fitted(body, backend.preset)
    headers = {"content-type": "application/json", **key_header(backend)}
    return Call(api_url(backend, "/completions"), headers, orjson.dumps(body), notes)


def read_completion(body: bytes) -> tuple[Json, bytes]:
    """A whole answer in the common language, and untouched."""
    try:
        answer = orjson.loads(body)
        texts = [choice["text"] for choice in answer["choices"]]
    except (ValueError, KeyError, TypeError):
        texts = []
    if texts and all(isinstance(text, str) for text in texts):
        return to_completion(answer), body
    raise BadUpstreamResponse("The provider's answer is not a completion.")
