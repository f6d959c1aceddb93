"""A body of the legacy completions API in the common language.

A prompt is the only message of a user. What only that API could do is listed, and then
only a backend that offers it is asked.
"""

from typing import Any

from gateway.dialects.openai_request import a_boolean, validate_chat, whole
from gateway.errors import BadRequest
from routing.chat import Json

MAX_PROMPTS = 2048
ONLY_LEGACY = "only_completions"  # what the common body has no word for; it counts
# Values that ask for nothing.
DEFAULTS: dict[str, tuple[Any, ...]] = {
    "suffix": ("",),
    "echo": (False,),
    "best_of": (1,),
    "logprobs": (),
}
LEAST = {"logprobs": 0, "best_of": 1}


def to_chat_body(body: Json) -> tuple[Json, tuple[str, str] | None]:
    """The request as a chat's, and the field with the reason that keeps it from being
    one, if there is any. Raises BadRequest, naming the parameter."""
    chat = {
        field: value
        for field, value in body.items()
        if field != "prompt" and field not in DEFAULTS
    }
    check(body)
    beyond = {
        field: body[field]
        for field, nothing in DEFAULTS.items()
        if body.get(field) is not None and body[field] not in nothing
    }
    text, prompt_beyond = read_prompt(body.get("prompt"))
    if prompt_beyond:
        beyond["prompt"] = body["prompt"]
    if beyond:
        chat[ONLY_LEGACY] = beyond
    chat["messages"] = [{"role": "user", "content": text}]
    validate_chat(chat)
    if not beyond:
        return chat, None
    field = next(iter(beyond))
    reason = prompt_beyond if field == "prompt" else f"Chats have no {field!r}."
    return chat, (field, f"{reason} No backend here takes it as it is.")


def check(body: Json) -> None:
    for field, least in LEAST.items():
        if body.get(field) is not None:
            whole(least, (1 << 31) - 1)(field, body[field])
    if body.get("echo") is not None:
        a_boolean("echo", body["echo"])
    if body.get("suffix") is not None and not isinstance(body["suffix"], str):
        raise BadRequest("suffix must be a string.", param="suffix")


def read_prompt(prompt: Any) -> tuple[str, str]:
    """Its text, and why it can't be a chat's, or ""."""
    match prompt:
        case str(text) if text:
            return text, ""
        case [str(text)] if text:
            return text, ""
        case list() if is_texts(prompt):
            return "\n".join(prompt), "A chat has one prompt."
        case list() if is_tokens(prompt):
            return words(prompt), "A chat's prompt is a text."
        case list() if prompt and all(is_tokens(each) for each in prompt):
            return "\n".join(map(words, prompt)), "A chat's prompt is a text."
    raise BadRequest(
        "prompt must be a text, or a list of texts or of tokens, none empty.",
        param="prompt",
    )


def is_texts(value: list[Any]) -> bool:
    texts = all(isinstance(each, str) and each for each in value)
    return texts and 1 < len(value) <= MAX_PROMPTS


def is_tokens(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(type(each) is int and each >= 0 for each in value)
    )


def words(tokens: list[int]) -> str:
    """A stand-in for a text nobody knows: about as long, for estimates."""
    return " ".join(map(str, tokens))
