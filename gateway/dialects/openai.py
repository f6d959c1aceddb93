"""OpenAI's chat completions, the common language: check, count, rebuild, replay."""

from gateway.dialects.openai_builder import CompletionBuilder
from gateway.dialects.openai_replay import completion_to_chunks
from gateway.dialects.openai_request import validate_chat
from gateway.dialects.usage import estimate_usage, strip_usage, usage_of

__all__ = [
    "CompletionBuilder",
    "completion_to_chunks",
    "estimate_usage",
    "strip_usage",
    "usage_of",
    "validate_chat",
]
