"""OpenAI's legacy completions, as api.openai.com words them."""

from collections.abc import Iterator

from tests.faultllm.answer import Answer
from tests.faultllm.dialect import Event
from tests.faultllm.openai_dialect import (
    CREATED,
    context_length_error,
    error,
    error_event,
    headers,
    models,
    usage,
)
from tests.faultllm.wire import Json, Request

__all__ = ["context_length_error", "error", "error_event", "headers", "models"]


def envelope(answer: Answer, text: str, finish: str | None) -> Json:
    logprobs = None
    if answer.body.get("logprobs") is not None and text:
        tokens = text.split(" ")
        logprobs = {"tokens": tokens, "token_logprobs": [-0.5] * len(tokens)}
    return {
        "id": f"cmpl-fault{answer.serial}",
        "object": "text_completion",
        "created": CREATED,
        "model": answer.model,
        "choices": [
            {"text": text, "index": 0, "logprobs": logprobs, "finish_reason": finish}
        ],
    }


def whole(answer: Answer) -> Event:
    body = envelope(answer, answer.text, answer.finish)
    return Event(body | {"usage": usage(answer)}, tokens=answer.completion_tokens)


def stream(answer: Answer) -> Iterator[Event]:
    for text, tokens in answer.text_pieces():
        yield Event(envelope(answer, text, None), tokens=tokens)
    yield Event(envelope(answer, "", answer.finish))
    if answer.include_usage:
        end = envelope(answer, "", None) | {"choices": [], "usage": usage(answer)}
        yield Event(end)
    yield Event("[DONE]")


def complaint(request: Request) -> str:
    if not request.body.get("model"):
        return "you must provide a model parameter"
    return "" if request.body.get("prompt") else "you must provide a prompt"
