"""What the upstream says: the same words for the same prompt, and what they cost.

A token is a word. The serial number tells two paid answers apart, so a test sees
whether an answer was bought again or reused. Markers in the prompt make it look
cached at the provider: `cached=100` and `cache_write=50` add that many prompt tokens,
of which `cache_write_1h=20` are written for an hour.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.faultllm.wire import Json

ECHOED_WORDS = 200


@dataclass(slots=True)
class ToolCall:
    name: str
    arguments: str

    def fragments(self) -> list[str]:
        """The arguments in three pieces, one token each."""
        third = len(self.arguments) // 3 + 1
        return [self.arguments[at : at + third] for at in (0, third, 2 * third)]


@dataclass(slots=True)
class Answer:
    """An answer before any dialect; `finish` is in OpenAI's words.

    `prompt_tokens` counts everything, `cached` and `cache_write` are parts of it, and
    `cache_write_1h` is one of what was written.
    `pieces` is how many chunks the text has when it is streamed. The text of a
    `refused` answer says that it will not answer.
    """

    serial: int
    model: str
    words: list[str]
    prompt_tokens: int
    cached: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    include_usage: bool = False
    finish: str = "stop"
    pieces: int = 6
    refused: bool = False
    reasoning: list[str] = field(default_factory=list)
    tool_calls: list[ToolCall] = field(default_factory=list)
    body: Json = field(default_factory=dict)  # what was asked

    @property
    def text(self) -> str:
        return " ".join(self.words)

    @property
    def completion_tokens(self) -> int:
        calls = sum(len(call.fragments()) for call in self.tool_calls)
        return len(self.words) + len(self.reasoning) + calls

    def text_pieces(self) -> Iterator[tuple[str, int]]:
        """The text as it is streamed, each piece with its tokens."""
        size = -(-len(self.words) // self.pieces)
        for at in range(0, len(self.words), max(size, 1)):
            words = self.words[at : at + size]
            last = at + size >= len(self.words)
            yield " ".join(words) + ("" if last else " "), len(words)

    def limit(self, max_tokens: int) -> None:
        """No provider generates, or bills, more than it was asked for."""
        excess = self.completion_tokens - max_tokens
        if excess > 0 and self.words:
            self.words = self.words[: max(len(self.words) - excess, 0)]
            self.finish = "length"


def answer_to(body: Json, serial: int) -> Answer:
    texts = list(prompt_texts(body))
    prompt = "\n".join(texts)
    cached, cache_write = marked("cached", prompt), marked("cache_write", prompt)
    echoed = last_user_text(body).split(" ")[:ECHOED_WORDS]
    options = body.get("stream_options") or {}
    return Answer(
        serial=serial,
        model=str(body.get("model", "")),
        words=["Answer", "to:", *echoed, "(call", f"{serial})"],
        prompt_tokens=len(prompt.split()) + cached + cache_write,
        cached=cached,
        cache_write=cache_write,
        cache_write_1h=min(marked("cache_write_1h", prompt), cache_write),
        include_usage=options.get("include_usage") is True,
        body=body,
    )


def prompt_texts(body: Json) -> Iterator[str]:
    yield from content_texts(body.get("system"))
    for given in ("input", "prompt"):
        yield from plain_texts(body.get(given))
    for message in messages_of(body):
        yield from content_texts(message.get("content"))


def plain_texts(value: object) -> Iterator[str]:
    """Texts as they are, and a word for each token."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, int):
        yield str(value)
    elif isinstance(value, list):
        for item in value:
            yield from plain_texts(item)
    elif isinstance(value, dict):  # an item of the Responses API
        yield from content_texts(value.get("content"))


def last_user_text(body: Json) -> str:
    for message in reversed(messages_of(body)):
        if message.get("role") == "user":
            return " ".join(content_texts(message.get("content")))
    return " ".join(plain_texts(body.get("prompt") or body.get("input")))


def messages_of(body: Json) -> list[Json]:
    messages = body.get("messages")
    rows = messages if isinstance(messages, list) else []
    return [row for row in rows if isinstance(row, dict)]


def content_texts(content: object) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for part in content:
            if isinstance(part, dict) and isinstance(part.get("text"), str):
                yield part["text"]


def marked(name: str, prompt: str) -> int:
    found = re.search(rf"\b{name}=(\d+)", prompt)
    return int(found[1]) if found else 0


def tool_name(body: Json) -> str:
    """The first tool the request offers, in either dialect."""
    for tool in body.get("tools") or []:
        return str(tool.get("name") or tool.get("function", {}).get("name", ""))
    return "get_weather"


def weather_in(city: str, body: Json) -> ToolCall:
    return ToolCall(tool_name(body), json.dumps({"city": city}))
