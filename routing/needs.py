"""What a request needs of whoever answers it, and which of its fields needs it."""

from collections.abc import Iterable

from routing.chat import Json

PART_NEEDS = {"image_url": "images", "input_audio": "audio", "file": "files"}
# Who asks for what, the first that is there; in the order in which needs are told.
FIELDS = {
    "images": (),
    "files": (),
    "audio": ("modalities",),
    "tools": ("tools", "functions"),
    "json_schema": ("response_format",),
    "thinking": ("thinking", "reasoning_effort"),
    "n": ("n",),
    "logprobs": ("logprobs", "top_logprobs"),
    "penalties": ("presence_penalty", "frequency_penalty"),
    "logit_bias": ("logit_bias",),
}


def needs_of(body: Json, media: Iterable[str], tools: bool) -> set[str]:
    """What a backend must be able to do, in the words of `Provider.cannot`."""
    needs = {PART_NEEDS[kind] for kind in media}
    if tools:
        needs.add("tools")
    if (body.get("n") or 1) > 1:
        needs.add("n")
    if body.get("logprobs") or body.get("top_logprobs"):
        needs.add("logprobs")
    if body.get("presence_penalty") or body.get("frequency_penalty"):
        needs.add("penalties")
    if body.get("logit_bias"):
        needs.add("logit_bias")
    if "audio" in (body.get("modalities") or ()):
        needs.add("audio")
    if (body.get("response_format") or {}).get("type") == "json_schema":
        needs.add("json_schema")
    if asks_to_think(body):
        needs.add("thinking")
    return needs


def asks_to_think(body: Json) -> bool:
    """By OpenAI's effort, or by Anthropic's parameter, which the common body keeps."""
    thinking = body.get("thinking")
    if isinstance(thinking, dict):
        return thinking.get("type") != "disabled"
    return body.get("reasoning_effort") not in (None, "none")


def place_of(needs: Iterable[str], body: Json) -> str | None:
    """The field of a chat's body that needs one of these, such as `tools` or
    `messages[2].content[1]`."""
    for need in FIELDS:
        if need in needs:
            fields = (name for name in FIELDS[need] if body.get(name))
            return place_of_part(need, body) or next(fields, None)
    return None


def place_of_part(need: str, body: Json) -> str | None:
    """The first part of a message that needs this."""
    for index, message in enumerate(body["messages"]):
        content = message.get("content")
        for position, part in enumerate(content if isinstance(content, list) else ()):
            if PART_NEEDS.get(part["type"]) == need:
                return f"messages[{index}].content[{position}]"
    return None
