"""OpenAI's embeddings: check a request, read an answer, count its tokens."""

from typing import Any

import orjson

from gateway.dialects.openai_request import a_model_name, a_string, an_object, whole
from gateway.dialects.usage import count
from gateway.errors import BadRequest, BadUpstreamResponse
from routing.chat import Features, Json, Usage
from routing.features import weigh

MAX_INPUTS = 2048
MAX_TOKEN_ID = (1 << 31) - 1
FORMATS = ("float", "base64")
CHECKS = {
    "model": a_model_name,
    "dimensions": whole(1, 1 << 20),
    "user": a_string,
    "stream_options": an_object,
}


def validate_embeddings(body: Json) -> None:
    """Raise BadRequest, naming the parameter, unless the gateway can rely on `body`."""
    for field, check in CHECKS.items():
        if body.get(field) is not None:
            check(field, body[field])
    if body.get("encoding_format") not in (None, *FORMATS):
        raise BadRequest(
            f"encoding_format must be {' or '.join(FORMATS)}.", param="encoding_format"
        )
    check_input(body.get("input"))


def check_input(value: Any) -> None:
    """A text, a list of texts, a list of tokens, or a list of such lists."""
    if is_one(value):
        return
    if not isinstance(value, list) or not all(is_one(item) for item in value):
        raise BadRequest(
            "input must be a text or a list of tokens, or a list of those, none empty.",
            param="input",
        )
    if not 1 <= len(value) <= MAX_INPUTS:
        raise BadRequest(f"input must have 1 to {MAX_INPUTS} texts.", param="input")
    if len({type(item) for item in value}) > 1:
        raise BadRequest("input must be texts or tokens, not both.", param="input")


def is_one(value: Any) -> bool:
    """Is it one thing to embed?"""
    if isinstance(value, list):
        return bool(value) and all(is_token(item) for item in value)
    return isinstance(value, str) and value != ""


def is_token(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_TOKEN_ID


def inputs_of(body: Json) -> list[Any]:
    """What to embed, one by one."""
    value = body["input"]
    return [value] if is_one(value) else value


def features_of(body: Json) -> Features:
    """Tokens are counted as given, texts estimated; each is embedded by itself."""
    tokens = [
        -(-weigh(one) // 8) if isinstance(one, str) else len(one)
        for one in inputs_of(body)
    ]
    return Features(
        prompt_tokens=sum(tokens), longest=max(tokens), ways=("embeddings",)
    )


def read_vectors(body: bytes) -> tuple[Json, bytes]:
    """A whole answer, parsed and as the client gets it: untouched."""
    try:
        answer = orjson.loads(body)
        vectors = [each["embedding"] for each in answer["data"]]
    except (ValueError, KeyError, TypeError):
        vectors = []
    if vectors and all(each and isinstance(each, list | str) for each in vectors):
        return answer, body
    raise BadUpstreamResponse("The provider's answer holds no embeddings.")


def usage_of(answer: Json) -> Usage | None:
    """Only prompts are counted and paid; some providers tell the total alone."""
    usage = answer.get("usage")
    prompt = count(usage, "prompt_tokens")
    if prompt is None:
        prompt = count(usage, "total_tokens")
    return None if prompt is None else Usage(prompt=prompt)


def estimate_usage(prompt_tokens: int, answer: Json) -> Usage:
    return Usage(prompt=prompt_tokens, estimated=True)


class Builder:
    """Stands for what came of an answer that is never streamed: nothing."""

    usage: Usage | None = None
    overflowed = False
    complete = False

    def __init__(self, max_bytes: int) -> None:
        """Whole answers are bounded where they are read."""

    def completion(self) -> Json:
        return {"choices": []}
