"""OpenAI's embeddings, as api.openai.com words them."""

from array import array
from base64 import b64encode
from collections.abc import Iterator

from tests.faultllm.answer import Answer
from tests.faultllm.dialect import Event
from tests.faultllm.openai_dialect import (
    context_length_error,
    error,
    error_event,
    headers,
    models,
)
from tests.faultllm.wire import Json, Request

__all__ = ["context_length_error", "error", "error_event", "headers", "models"]
DIMENSIONS = 3


def inputs_of(body: Json) -> list[object]:
    value = body["input"]
    one = isinstance(value, str) or all(isinstance(item, int) for item in value)
    return [value] if one else value


def vector(text: object, body: Json) -> list[float] | str:
    """The same for the same text: its letters or tokens, added up."""
    numbers = [ord(each) for each in text] if isinstance(text, str) else text
    size = body.get("dimensions", DIMENSIONS)
    values = [sum(numbers[at::size]) / 1024 for at in range(size)]
    if body.get("encoding_format") == "base64":
        return b64encode(array("f", values).tobytes()).decode()
    return values


def whole(answer: Answer) -> Event:
    body = answer.body
    data = [
        {"object": "embedding", "index": at, "embedding": vector(text, body)}
        for at, text in enumerate(inputs_of(body))
    ]
    told = {"prompt_tokens": answer.prompt_tokens, "total_tokens": answer.prompt_tokens}
    return Event(
        {"object": "list", "data": data, "model": answer.model, "usage": told}, tokens=0
    )


def stream(answer: Answer) -> Iterator[Event]:
    raise NotImplementedError("Embeddings are never streamed.")


def complaint(request: Request) -> str:
    if not request.body.get("model"):
        return "you must provide a model parameter"
    return "" if request.body.get("input") else "'input' is a required property"
