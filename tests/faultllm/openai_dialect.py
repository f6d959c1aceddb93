"""OpenAI's chat completions, as api.openai.com words them."""

from collections.abc import Iterator

from tests.faultllm.answer import Answer
from tests.faultllm.dialect import Event
from tests.faultllm.wire import Json, Request

CREATED = 1_760_000_000
ERRORS = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
    503: ("server_error", "service_unavailable"),
}


def usage(answer: Answer) -> Json:
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
        "prompt_tokens_details": {
            "cached_tokens": answer.cached,
            "cache_write_tokens": answer.cache_write,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": len(answer.reasoning),
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
            "audio_tokens": 0,
        },
    }


def envelope(answer: Answer, kind: str, choices: list[Json]) -> Json:
    return {
        "id": f"chatcmpl-fault{answer.serial}",
        "object": kind,
        "created": CREATED,
        "model": answer.model,
        "choices": choices,
        "service_tier": "default",
        "system_fingerprint": "fp_fault",
    }


def whole(answer: Answer) -> Event:
    message: Json = {
        "role": "assistant",
        "content": None,
        "refusal": None,
        text_field(answer): answer.text or None,
    }
    if answer.reasoning:
        message["reasoning_content"] = " ".join(answer.reasoning)
    if answer.tool_calls:
        message["tool_calls"] = [
            tool_call(answer, at)
            | {"function": {"name": c.name, "arguments": c.arguments}}
            for at, c in enumerate(answer.tool_calls)
        ]
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": answer.finish,
    }
    body = envelope(answer, "chat.completion", [choice])
    return Event(body | {"usage": usage(answer)}, tokens=answer.completion_tokens)


def text_field(answer: Answer) -> str:
    return "refusal" if answer.refused else "content"


def tool_call(answer: Answer, at: int) -> Json:
    return {"id": f"call_{answer.serial}_{at}", "type": "function"}


def stream(answer: Answer) -> Iterator[Event]:
    nothing_yet = {"usage": None} if answer.include_usage else {}

    def chunk(choices: list[Json]) -> Json:
        return envelope(answer, "chat.completion.chunk", choices) | nothing_yet

    for delta, tokens in deltas(answer):
        yield Event(chunk([choice_of(delta)]), tokens=tokens)
    yield Event(chunk([choice_of({}, answer.finish)]))
    if answer.include_usage:
        yield Event(chunk([]) | {"usage": usage(answer)})
    yield Event("[DONE]")


def choice_of(delta: Json, finish: str | None = None) -> Json:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}


def deltas(answer: Answer) -> Iterator[tuple[Json, int]]:
    """The role first, then every piece of the answer with its tokens."""
    yield {"role": "assistant", "content": "", "refusal": None}, 0
    for word in answer.reasoning:
        yield {"reasoning_content": f"{word} "}, 1
    for text, tokens in answer.text_pieces():
        yield {text_field(answer): text}, tokens
    for at, call in enumerate(answer.tool_calls):
        opening = tool_call(answer, at) | {
            "function": {"name": call.name, "arguments": ""}
        }
        yield {"tool_calls": [{"index": at, **opening}]}, 0
        for fragment in call.fragments():
            piece = {"index": at, "function": {"arguments": fragment}}
            yield {"tool_calls": [piece]}, 1


def error(status: int, message: str) -> Json:
    kind, code = ERRORS.get(status, ("server_error", None))
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def context_length_error() -> Json:
    return {
        "error": {
            "message": "This model's maximum context length is 8192 tokens. However, "
            "your messages resulted in 9001 tokens.",
            "type": "invalid_request_error",
            "param": "messages",
            "code": "context_length_exceeded",
        }
    }


def error_event() -> Event:
    return Event(error(500, "The server had an error while answering."))


def models() -> Json:
    row = {"id": "fault/ok", "object": "model", "created": CREATED, "owned_by": "fault"}
    return {"object": "list", "data": [row]}


def complaint(request: Request) -> str:
    if not request.body.get("model"):
        return "you must provide a model parameter"
    if not request.body.get("messages"):
        return "Missing required parameter: 'messages'."
    return ""


def headers(serial: int) -> dict[str, str]:
    return {"x-request-id": f"req_fault{serial}", "openai-version": "2020-10-01"}
