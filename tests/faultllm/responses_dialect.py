"""OpenAI's Responses API, as api.openai.com words it; a web search comes first when
it is offered."""

from collections.abc import Iterator

from tests.faultllm.answer import Answer
from tests.faultllm.dialect import Event
from tests.faultllm.openai_dialect import (
    CREATED,
    context_length_error,
    error,
    headers,
    models,
)
from tests.faultllm.wire import Json, Request

__all__ = ["context_length_error", "error", "headers", "models"]


def response(answer: Answer, status: str, output: list[Json]) -> Json:
    return {
        "id": f"resp_fault{answer.serial}",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": answer.model,
        "output": output,
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": answer.body.get("tools", []),
        "top_p": 1.0,
        "store": answer.body.get("store", True),
        "usage": usage(answer) if status == "completed" else None,
    }


def usage(answer: Answer) -> Json:
    return {
        "input_tokens": answer.prompt_tokens,
        "input_tokens_details": {"cached_tokens": answer.cached},
        "output_tokens": answer.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
    }


def searches(answer: Answer) -> list[Json]:
    kinds = [tool.get("type") for tool in answer.body.get("tools", [])]
    if "web_search" not in kinds:
        return []
    id = f"ws_{answer.serial}"
    return [{"id": id, "type": "web_search_call", "status": "completed"}]


def message(answer: Answer, status: str, parts: list[Json]) -> Json:
    return {
        "id": f"msg_fault{answer.serial}",
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": parts,
    }


def part(text: str) -> Json:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def output(answer: Answer) -> list[Json]:
    said = message(answer, "completed", [part(answer.text)])
    return [*searches(answer), said]


def whole(answer: Answer) -> Event:
    body = response(answer, "completed", output(answer))
    return Event(body, tokens=answer.completion_tokens)


def stream(answer: Answer) -> Iterator[Event]:
    number = iter(range(1_000_000))

    def event(kind: str, tokens: int | None = None, **fields: object) -> Event:
        name = f"response.{kind}"
        data = {"type": name, "sequence_number": next(number), **fields}
        return Event(data, name, tokens)

    yield event("created", 0, response=response(answer, "in_progress", []))
    yield event("in_progress", response=response(answer, "in_progress", []))
    at = 0
    for at, item in enumerate(searches(answer), 1):
        yield event("output_item.added", output_index=at - 1, item=item)
        yield event("output_item.done", output_index=at - 1, item=item)
    place = {"item_id": f"msg_fault{answer.serial}", "output_index": at}
    inside = {**place, "content_index": 0}
    started = message(answer, "in_progress", [])
    yield event("output_item.added", output_index=at, item=started)
    yield event("content_part.added", **inside, part=part(""))
    for text, tokens in answer.text_pieces():
        yield event("output_text.delta", tokens, **inside, delta=text, logprobs=[])
    yield event("output_text.done", **inside, text=answer.text, logprobs=[])
    yield event("content_part.done", **inside, part=part(answer.text))
    done = message(answer, "completed", [part(answer.text)])
    yield event("output_item.done", output_index=at, item=done)
    yield event("completed", response=response(answer, "completed", output(answer)))


def error_event() -> Event:
    told = {"code": "server_error", "message": "The server had an error."}
    return Event(
        {"type": "error", "param": None, "sequence_number": 99, **told}, "error"
    )


def complaint(request: Request) -> str:
    if not request.body.get("model"):
        return "Missing required parameter: 'model'."
    return "" if request.body.get("input") else "Missing required parameter: 'input'."
