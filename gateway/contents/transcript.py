"""What one request says and hears, as far as it is kept."""

from collections.abc import AsyncIterator, Iterable
from typing import Any

import orjson

from gateway.contents.redact import redact
from gateway.ledger.books import Caller, RequestRecord
from routing.catalog import Policy
from routing.chat import Json

MOST_MESSAGES = 200
MOST_CHARS = 50_000  # of one request's messages together, and of its answer
# What begins before a cut must be recognised though it ends behind it.
LOOK_BEYOND = 100


def listen(record: RequestRecord, policy: Policy) -> None:
    """Let the record keep of its request what it should."""
    level = level_for(record.caller, policy)
    record.quiet = level == "off"
    if level in ("truncated", "full"):
        chars = policy.contents_chars if level == "truncated" else None
        record.transcript = Transcript(chars)


def level_for(caller: Caller, policy: Policy) -> str:
    """The key's own word counts; without one the policy's."""
    return caller.contents or policy.contents


class Transcript:
    """Collects an answer; `to_json` is made when the request ends.

    `chars` is how much of each text is kept, None for all of it.
    """

    def __init__(self, chars: int | None) -> None:
        self._chars = min(chars or MOST_CHARS, MOST_CHARS)
        self._pieces: list[str] = []
        self._kept = 0
        self._heard = 0

    def hear_whole(self, body: bytes) -> None:
        for text in texts_of_answer(orjson.loads(body)):
            self._hear(text)

    async def hear(self, chunks: AsyncIterator[Json]) -> AsyncIterator[Json]:
        """The same chunks; what they say is noted before they are passed on."""
        try:
            async for chunk in chunks:
                for text in texts_of_chunk(chunk):
                    self._hear(text)
                yield chunk
        finally:
            await chunks.aclose()  # type: ignore[attr-defined]

    def _hear(self, text: str) -> None:
        self._heard += len(text)
        # A key that is cut in two would not be recognised: a little more is looked at.
        if self._kept <= self._chars:
            self._pieces.append(text)
            self._kept += len(text)

    def to_json(self, request: Json) -> Json:
        """What is kept of a request, whose body in the common language this is."""
        said, room = [], MOST_CHARS
        every = messages_of(request)
        for message in every[:MOST_MESSAGES]:
            text = text_of(message)
            kept = shortened(text, min(self._chars, room))
            room -= len(kept)
            role = str(message.get("role", ""))[:20]
            said.append({"role": role, "text": kept, "chars": len(text)})
        return {
            "messages": said,
            "answer": shortened("".join(self._pieces), self._chars),
            "answer_chars": self._heard,
            "left_out": max(0, len(every) - MOST_MESSAGES),
        }


def shortened(text: str, chars: int) -> str:
    """Redacted first, over a little more than is kept."""
    if chars <= 0:
        return ""
    return redact(text[: chars + LOOK_BEYOND])[:chars]


def messages_of(request: Json) -> list[Json]:
    if "messages" in request:
        return list(request["messages"])
    texts = request.get("input")  # of embeddings
    every = [texts] if isinstance(texts, str) else texts or ()
    return [{"role": "input", "content": t} for t in every if isinstance(t, str)]


def text_of(message: Json) -> str:
    """A message's texts; other parts are named, calls of tools written out."""
    content = message.get("content")
    parts = [content] if isinstance(content, str) else []
    for part in content if isinstance(content, list) else ():
        kind = str(part.get("type", "")) if isinstance(part, dict) else ""
        text = part.get("text") if kind else None
        parts.append(text if isinstance(text, str) else f"[{kind or 'part'}]")
    for call in message.get("tool_calls") or ():
        function = call.get("function") or {}
        parts.append(f"[{function.get('name')}({function.get('arguments')})]")
    return "\n".join(parts)


def texts_of_answer(answer: Any) -> Iterable[str]:
    """Of a completion, legacy or of a chat, a message, or a response."""
    if not isinstance(answer, dict):
        return
    for choice in answer.get("choices") or ():
        if isinstance(choice.get("text"), str):
            yield choice["text"]
        elif message := choice.get("message"):
            yield text_of(message)
    for item in (*(answer.get("output") or ()), answer):
        content = item.get("content")
        for part in content if isinstance(content, list) else ():
            if isinstance(part.get("text"), str):
                yield part["text"]


def texts_of_chunk(chunk: Json) -> Iterable[str]:
    """Of a chunk or event of any of their streams."""
    for choice in chunk.get("choices") or ():
        text = (choice.get("delta") or choice).get("content") or choice.get("text")
        if isinstance(text, str):
            yield text
    delta = chunk.get("delta")
    if isinstance(delta, str) and chunk.get("type") == "response.output_text.delta":
        yield delta
    elif isinstance(delta, dict) and isinstance(delta.get("text"), str):
        yield delta["text"]
