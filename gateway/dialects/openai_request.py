"""What must hold for a chat-completion body before the gateway works with it."""

from collections.abc import Callable
from typing import Any

from gateway.errors import BadRequest
from routing.chat import Json

MAX_MESSAGES = 2048
MAX_TOOLS = 512
MAX_MODEL_CHARS = 200
MAX_STOPS = 4
ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})

Check = Callable[[str, Any], None]


def validate_chat(body: Json) -> None:
    """Raise BadRequest, naming the parameter, unless the gateway can rely on `body`.

    Checked is what the gateway itself reads. Unknown fields are the provider's
    business, and null is the same as absent.
    """
    for field, value in body.items():
        if value is not None and (check := CHECKS.get(field)):
            check(field, value)
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise BadRequest("messages must be a list of messages.", param="messages")
    if len(messages) > MAX_MESSAGES:
        raise BadRequest(f"At most {MAX_MESSAGES} messages.", param="messages")
    for position, message in enumerate(messages):
        validate_message(f"messages[{position}]", message)


def validate_message(param: str, message: Any) -> None:
    an_object(param, message)
    role = message.get("role")
    if not isinstance(role, str) or role not in ROLES:
        known = ", ".join(sorted(ROLES))
        raise BadRequest(f"{param}.role must be one of {known}.", param=f"{param}.role")
    content = message.get("content")
    if isinstance(content, list):
        for position, part in enumerate(content):
            validate_part(f"{param}.content[{position}]", part)
    elif content is not None and not isinstance(content, str):
        raise BadRequest(
            f"{param}.content must be a string or a list of parts.",
            param=f"{param}.content",
        )
    if calls := message.get("tool_calls"):
        objects(f"{param}.tool_calls", calls)
        for position, call in enumerate(calls):
            name = f"{param}.tool_calls[{position}].function"
            validate_function(name, call.get("function"))
    validate_function(f"{param}.function_call", message.get("function_call"))


def validate_part(param: str, part: Any) -> None:
    an_object(param, part)
    if not isinstance(part.get("type"), str):
        raise BadRequest(f"{param}.type must be a string.", param=f"{param}.type")
    if part["type"] == "text" and part.get("text") is None:
        raise BadRequest(f"{param}.text must be a string.", param=f"{param}.text")
    strings(param, part, ("text", "refusal"))


def validate_function(param: str, function: Any) -> None:
    if function is not None:
        an_object(param, function)
        strings(param, function, ("name", "arguments"))


def strings(param: str, value: Json, fields: tuple[str, ...]) -> None:
    for field in fields:
        if value.get(field) is not None:
            a_string(f"{param}.{field}", value[field])


def a_string(param: str, value: Any) -> None:
    if not isinstance(value, str):
        raise BadRequest(f"{param} must be a string.", param=param)


def an_object(param: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise BadRequest(f"{param} must be an object.", param=param)


def objects(param: str, value: Any) -> None:
    if not isinstance(value, list) or len(value) > MAX_TOOLS:
        raise BadRequest(
            f"{param} must be a list of at most {MAX_TOOLS} objects.", param=param
        )
    for position, item in enumerate(value):
        an_object(f"{param}[{position}]", item)


def list_of_strings(param: str, value: Any) -> None:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadRequest(f"{param} must be a list of strings.", param=param)


def a_boolean(param: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise BadRequest(f"{param} must be true or false.", param=param)


def a_model_name(param: str, value: Any) -> None:
    # PostgreSQL, which logs the name, has no text with U+0000.
    if not isinstance(value, str) or len(value) > MAX_MODEL_CHARS or "\0" in value:
        raise BadRequest(
            f"{param} must be a name of at most {MAX_MODEL_CHARS} characters.",
            param=param,
        )


def stream_options(param: str, value: Any) -> None:
    an_object(param, value)
    if value.get("include_usage") is not None:
        a_boolean(f"{param}.include_usage", value["include_usage"])


def response_format(param: str, value: Any) -> None:
    an_object(param, value)
    a_string(f"{param}.type", value.get("type"))


def stop(param: str, value: Any) -> None:
    texts = value if isinstance(value, list) else [value]
    if len(texts) > MAX_STOPS or not all(isinstance(text, str) for text in texts):
        raise BadRequest(
            f"{param} must be a string or a list of at most {MAX_STOPS}.", param=param
        )


def whole(low: int, high: int) -> Check:
    def check(param: str, value: Any) -> None:
        if type(value) is not int or not low <= value <= high:  # a bool is no number
            raise BadRequest(
                f"{param} must be a whole number from {low} to {high}.", param=param
            )

    return check


def number(low: float, high: float) -> Check:
    def check(param: str, value: Any) -> None:
        if type(value) not in (int, float) or not low <= value <= high:
            raise BadRequest(
                f"{param} must be a number from {low} to {high}.", param=param
            )

    return check


CHECKS: dict[str, Check] = {
    "model": a_model_name,
    "stream": a_boolean,
    "stream_options": stream_options,
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "presence_penalty": number(-2, 2),
    "frequency_penalty": number(-2, 2),
    "n": whole(1, 128),
    "max_tokens": whole(1, (1 << 31) - 1),
    "max_completion_tokens": whole(1, (1 << 31) - 1),
    "stop": stop,
    "tools": objects,
    "functions": objects,
    "response_format": response_format,
    "logit_bias": an_object,
    "modalities": list_of_strings,
    "user": a_string,
}
