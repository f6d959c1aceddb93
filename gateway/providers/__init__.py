"""Sending to providers: one module per wire format, one place that opens sockets.

A module has DIALECT, prepare, read_completion, usage_of, estimate_usage and Builder,
and StreamReader and says_nothing where answers can be streamed.
"""

from types import ModuleType

from gateway.providers import anthropic, completions, embeddings, openai, responses
from routing.catalog import Backend

CHAT: dict[str, ModuleType] = {"openai": openai, "anthropic": anthropic}
# Endpoints that are the same wherever they exist.
OTHERS: dict[str, ModuleType] = {
    "completions": completions,
    "embeddings": embeddings,
    "responses": responses,
}


def wire_format(backend: Backend, ways: tuple[str, ...]) -> ModuleType:
    """How this backend is spoken to, over the first of these endpoints it offers."""
    way = backend.way_of(ways) or "chat"
    return OTHERS.get(way) or CHAT[backend.preset.dialect]
