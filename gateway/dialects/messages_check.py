"""What must hold for a body of Anthropic's Messages API before we work with it.

Checked is what the gateway itself reads, and what one version of the API refuses and
another takes. Unknown fields are the provider's business; null is the same as absent.
"""

from typing import Any

from gateway.dialects.openai_request import (
    MAX_MESSAGES,
    Check,
    a_boolean,
    a_model_name,
    a_string,
    an_object,
    list_of_strings,
    number,
    objects,
    whole,
)
from gateway.errors import BadRequest, ThreadNotSupported
from routing.chat import Json

FIRST_VERSION = "2023-06-01"
STRICT_VERSION = "2026-10-21"  # what Anthropic's SDK sends since 2.0
VERSIONS = (FIRST_VERSION, STRICT_VERSION)
SAMPLING = ("temperature", "top_p", "top_k")
ROLES = frozenset({"user", "assistant", "system"})
MAX_INT = (1 << 31) - 1


def check_version(version: str) -> str:
    """The version to work by; without one, the first. Raises BadRequest."""
    if version and version not in VERSIONS:
        raise BadRequest(
            f"anthropic-version: {version[:40]!r} is not supported; use one of "
            f"{', '.join(VERSIONS)}."
        )
    return version or FIRST_VERSION


def check_messages(body: Json, version: str, *, counting: bool = False) -> None:
    """Raise BadRequest, naming the field, unless the gateway can rely on `body`.

    `counting` tells that it is only to be counted, for which nothing is generated.
    """
    if body.get("thread") is not None:
        raise ThreadNotSupported(
            "thread: conversations are not kept here; send all of the messages.",
            param="thread",
        )
    for field, check in CHECKS.items():
        value = body.get(field)
        if value is not None:
            check(field, value)
    if body.get("max_tokens") is None and not counting:
        raise BadRequest("max_tokens: Field required", param="max_tokens")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise BadRequest("messages: a list of messages is required", param="messages")
    if len(messages) > MAX_MESSAGES:
        raise BadRequest(f"At most {MAX_MESSAGES} messages.", param="messages")
    for position, message in enumerate(messages):
        check_message(f"messages.{position}", message, version)
    if version == STRICT_VERSION:
        refuse_sampling(body)


def refuse_sampling(body: Json) -> None:
    for field in SAMPLING:
        if body.get(field) is not None:
            raise BadRequest(
                f"{field}: not supported in anthropic-version {STRICT_VERSION}.",
                param=field,
            )


def check_message(param: str, message: Any, version: str) -> None:
    an_object(param, message)
    role = message.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise BadRequest(
            f"{param}.role must be one of {', '.join(sorted(ROLES))}.",
            param=f"{param}.role",
        )
    content = message.get("content")
    check_content(f"{param}.content", content)
    if content == [] and role != "assistant":
        raise BadRequest(f"{param}.content must not be empty.", param=param)
    if version == STRICT_VERSION and isinstance(content, list):
        refuse_by_version(f"{param}.content", role, content)


def check_content(param: str, content: Any) -> None:
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise BadRequest(f"{param} must be a string or a list of blocks.", param=param)
    for position, block in enumerate(content):
        check_block(f"{param}.{position}", block)


def check_block(param: str, block: Any) -> None:
    an_object(param, block)
    a_string(f"{param}.type", block.get("type"))
    for field, check in BLOCKS.get(block["type"], {}).items():
        check(f"{param}.{field}", block.get(field))
    if block["type"] == "tool_result" and block.get("content") is not None:
        check_content(f"{param}.content", block["content"])


def check_source(param: str, value: Any) -> None:
    an_object(param, value)
    a_string(f"{param}.type", value.get("type"))


def system(param: str, value: Any) -> None:
    check_content(param, value)
    if isinstance(value, list):
        for position, block in enumerate(value):
            if block["type"] != "text":
                raise BadRequest(
                    f"{param}.{position}.type must be text.",
                    param=f"{param}.{position}.type",
                )


def refuse_by_version(param: str, role: str, content: list[Json]) -> None:
    for position, block in enumerate(content):
        where = f"{param}.{position}"
        if role == "assistant" and block["type"] == "document":
            raise BadRequest(
                f"{where}: a document in an assistant's message is not supported in "
                f"anthropic-version {STRICT_VERSION}.",
                param=where,
            )
        if role == "user" and block["type"] == "text" and block.get("citations"):
            raise BadRequest(
                f"{where}.citations: not supported on a user's text in "
                f"anthropic-version {STRICT_VERSION}.",
                param=f"{where}.citations",
            )


CHECKS: dict[str, Check] = {
    "model": a_model_name,
    "max_tokens": whole(0, MAX_INT),
    "stream": a_boolean,
    "temperature": number(0, 1),
    "top_p": number(0, 1),
    "top_k": whole(0, MAX_INT),
    "stop_sequences": list_of_strings,
    "system": system,
    "tools": objects,
    "tool_choice": an_object,
    "thinking": an_object,
    "output_config": an_object,
    "metadata": an_object,
}
BLOCKS: dict[str, dict[str, Check]] = {
    "text": {"text": a_string},
    "image": {"source": check_source},
    "document": {"source": check_source},
    "tool_use": {"id": a_string, "name": a_string, "input": an_object},
    "tool_result": {"tool_use_id": a_string},
    "thinking": {"thinking": a_string},
    "redacted_thinking": {"data": a_string},
}
