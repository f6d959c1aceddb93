"""OpenAI's embeddings, which every provider that has any speaks."""

import orjson

from gateway.dialects.embeddings import (
    Builder,
    estimate_usage,
    read_vectors,
    usage_of,
)
from gateway.dialects.messages_native import Keep
from gateway.providers.http import Call
from gateway.providers.openai import api_url, fitted, key_header
from routing.catalog import Backend, Policy
from routing.chat import ChatRequest
from routing.providers import Dialect

DIALECT: Dialect = "vectors"
__all__ = [
    "DIALECT",
    "Builder",
    "estimate_usage",
    "prepare",
    "read_completion",
    "usage_of",
]
read_completion = read_vectors


def prepare(backend: Backend, chat: ChatRequest, policy: Policy, keep: Keep) -> Call:
    """The client's body with the backend's model; there is nothing to translate."""
    body = fitted({**chat.body, "model": backend.model}, backend.preset)
    headers = {"content-type": "application/json", **key_header(backend)}
    return Call(api_url(backend, "/embeddings"), headers, orjson.dumps(body))
