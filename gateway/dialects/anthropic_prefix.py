"""Tells Anthropic which part of a request others will begin with too.

OpenAI and most that speak like it find a repeated prefix themselves; Anthropic keeps a
prompt up to a mark, and looks up what ends at one (Anthropic's page on prompt caching).
"""

from typing import Any

from gateway.dialects.anthropic_messages import text_block
from routing.chat import Json

MARK = {"type": "ephemeral"}


def mark_prefix(request: Json, chars: int) -> None:
    """Mark the end of the first `chars` characters of system text and first message."""
    system = request.get("system") or ""
    if not chars or not isinstance(system, str):  # blocks have marks of their own
        return
    if chars <= len(system):
        request["system"] = marked(system, chars)
        return
    first = request["messages"][0]
    match first["content"]:
        case str(text) | [{"type": "text", "text": str(text)}]:
            first["content"] = marked(text, chars - len(system))


def marked(text: str, chars: int) -> list[dict[str, Any]]:
    """Two blocks, the first with the mark; one where nothing is left for a second,
    since Anthropic refuses blocks of white space."""
    head, tail = text[:chars], text[chars:]
    if not head.strip() or not tail.strip():
        head, tail = text, ""
    blocks = [{**text_block(head), "cache_control": MARK}]
    return [*blocks, text_block(tail)] if tail else blocks
