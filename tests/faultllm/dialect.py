"""What the two wire formats have in common: events, and who renders them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from tests.faultllm.answer import Answer
from tests.faultllm.wire import Json, Request

LAST = ("message_stop", "response.completed")


@dataclass(frozen=True, slots=True)
class Event:
    """One SSE event, or the one body of a whole answer; `tokens` as in `Send`."""

    data: Json | str
    name: str = ""
    tokens: int | None = None

    @property
    def is_last(self) -> bool:
        """Is this what tells a client that a stream is complete?"""
        return self.data == "[DONE]" or self.name in LAST

    def body(self) -> bytes:
        if isinstance(self.data, str):
            return self.data.encode()
        return json.dumps(self.data, ensure_ascii=False).encode()

    def sse(self) -> bytes:
        name = f"event: {self.name}\n".encode() if self.name else b""
        return b"%bdata: %b\n\n" % (name, self.body())


class Dialect(Protocol):
    def whole(self, answer: Answer) -> Event: ...

    def stream(self, answer: Answer) -> Iterator[Event]: ...

    def error(self, status: int, message: str) -> Json: ...

    def context_length_error(self) -> Json: ...

    def error_event(self) -> Event:
        """The event with which a stream breaks off after its 200."""
        ...

    def models(self) -> Json: ...

    def complaint(self, request: Request) -> str:
        """What this provider would refuse with a 400; empty when it is content."""
        ...

    def headers(self, serial: int) -> dict[str, str]: ...
