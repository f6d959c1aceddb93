"""OpenAI's messages as Anthropic's system blocks and alternating turns."""

import re
from typing import Any

from gateway.dialects import strict_json
from gateway.errors import InvalidJson, NotExpressible
from routing.chat import Json

DATA_URL = re.compile(r"data:([\w.+/-]+);base64,", re.ASCII)
IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")


def system_and_messages(messages: list[Json]) -> tuple[list[Json], list[Json]]:
    """System blocks, wherever they stood, and turns: equal neighbours made one."""
    system: list[Json] = []
    turns: list[Json] = []
    names = [m.get("name") for m in messages if m["role"] == "assistant"]
    for index, message in enumerate(messages):
        param = f"messages[{index}]"
        refuse_unknown(param, message)
        refuse_name(param, message, names)
        role, blocks = to_turn(param, message)
        if role == "system":
            system += blocks
        elif blocks and turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        elif blocks:
            turns.append({"role": role, "content": blocks})
    if not turns:
        raise NotExpressible(
            "Anthropic needs a message of a user that isn't empty.", param="messages"
        )
    return system, turns


def refuse_unknown(param: str, message: Json) -> None:
    for field in ("function_call", "audio"):
        if message.get(field):
            raise NotExpressible(
                f"Anthropic's messages have no {field}.", param=f"{param}.{field}"
            )


def refuse_name(param: str, message: Json, assistants: list[Any]) -> None:
    """Unless it tells nobody apart. Frameworks of agents always name the assistant, and
    some the user `user`; any other name of a user is something the model may tell."""
    name, role = message.get("name"), message["role"]
    if not name or role == "tool" or name == role == "user":
        return
    if role == "assistant" and all(not o or o == name for o in assistants):
        return
    raise NotExpressible(
        "Anthropic's messages have no names. Put it into the text.",
        param=f"{param}.name",
    )


def to_turn(param: str, message: Json) -> tuple[str, list[Json]]:
    """Whose turn it is at Anthropic's, and the message's blocks."""
    match message["role"]:
        case "system" | "developer":
            return "system", to_texts(param, message.get("content"))
        case "user":
            return "user", to_blocks(param, message.get("content"))
        case "assistant":
            return "assistant", to_assistant(param, message)
        case "tool":
            return "user", [to_tool_result(param, message)]
        case role:
            raise NotExpressible(
                f"Anthropic has no role {role!r}.", param=f"{param}.role"
            )


def to_texts(param: str, content: Any) -> list[Json]:
    blocks = to_blocks(param, content)
    if any(block["type"] != "text" for block in blocks):
        raise NotExpressible(
            "At Anthropic only users and tools show images and files.",
            param=f"{param}.content",
        )
    return blocks


def to_assistant(param: str, message: Json) -> list[Json]:
    blocks = [*signed_thoughts(message), *to_texts(param, message.get("content"))]
    if refusal := message.get("refusal"):
        blocks.append(text_block(refusal))
    for index, call in enumerate(message.get("tool_calls") or ()):
        blocks.append(to_tool_use(f"{param}.tool_calls[{index}]", call))
    return blocks


def signed_thoughts(message: Json) -> list[Json]:
    """An assistant's thoughts as we gave them out, come back; nothing else a vendor
    may call so."""
    thoughts: list[Json] = []
    for block in message.get("thinking_blocks") or ():
        match block:
            case {"type": "thinking", "thinking": str(text), "signature": str(seal)}:
                thought = {"type": "thinking", "thinking": text, "signature": seal}
                thoughts.append(thought)
            case {"type": "redacted_thinking", "data": str(data)}:
                thoughts.append({"type": "redacted_thinking", "data": data})
    return thoughts


def to_tool_use(param: str, call: Json) -> Json:
    function = call.get("function")
    if call.get("type", "function") != "function" or not function:
        raise NotExpressible(
            "Only calls of functions exist at Anthropic.", param=f"{param}.type"
        )
    if not isinstance(call.get("id"), str) or not function.get("name"):
        raise NotExpressible("A tool call needs an id and a name.", param=param)
    arguments = (function.get("arguments") or "").strip() or "{}"
    try:
        parsed = strict_json.loads(arguments.encode())
    except InvalidJson:
        raise NotExpressible(
            f"The arguments of {function['name'][:64]!r} must be a JSON object.",
            param=f"{param}.function.arguments",
        ) from None
    return {
        "type": "tool_use",
        "id": call["id"],
        "name": function["name"],
        "input": parsed,
    }


def to_tool_result(param: str, message: Json) -> Json:
    call_id = message.get("tool_call_id")
    if not isinstance(call_id, str):
        raise NotExpressible(
            "A tool's message needs the id of its call.", param=f"{param}.tool_call_id"
        )
    result: Json = {"type": "tool_result", "tool_use_id": call_id}
    if blocks := to_blocks(param, message.get("content")):
        result["content"] = blocks
    return result


def to_blocks(param: str, content: str | list[Json] | None) -> list[Json]:
    """Content as blocks; empty texts, which Anthropic refuses, are left out."""
    if isinstance(content, str):
        return [text_block(content)] if content else []
    blocks = []
    for index, part in enumerate(content or ()):
        if block := to_block(f"{param}.content[{index}]", part):
            if part.get("cache_control"):
                block["cache_control"] = part["cache_control"]
            blocks.append(block)
    return blocks


def to_block(param: str, part: Json) -> Json | None:
    match part:
        case {"type": "text", "text": str(text)} | {
            "type": "refusal",
            "refusal": str(text),
        }:
            return text_block(text) if text else None
        case {"type": "image_url", "image_url": {"url": str(url)}}:
            return {"type": "image", "source": image_source(param, url)}
        case {"type": "file", "file": {"file_data": str(data)} as file}:
            return document_block(param, data, file.get("filename"))
        case _:
            raise NotExpressible(
                f"Anthropic can't take this {part['type'][:64]!r} part.", param=param
            )


def text_block(text: str) -> Json:
    return {"type": "text", "text": text}


def image_source(param: str, url: str) -> Json:
    if url.startswith(("https://", "http://")):
        return {"type": "url", "url": url}
    media_type, data = split_data_url(url)
    if media_type == "image/jpg":  # a common slip
        media_type = "image/jpeg"
    if media_type not in IMAGE_TYPES:
        raise NotExpressible(
            "An image must be a web address, or a base64 data URL of a JPEG, PNG, GIF "
            "or WebP.",
            param=f"{param}.image_url.url",
        )
    return {"type": "base64", "media_type": media_type, "data": data}


def document_block(param: str, url: str, filename: Any) -> Json:
    media_type, data = split_data_url(url)
    if media_type != "application/pdf":
        raise NotExpressible(
            "A file must be a base64 data URL of a PDF.",
            param=f"{param}.file.file_data",
        )
    source = {"type": "base64", "media_type": media_type, "data": data}
    title = {"title": filename} if isinstance(filename, str) and filename else {}
    return {"type": "document", "source": source} | title


def split_data_url(url: str) -> tuple[str, str]:
    """Media type and base64 data; both empty when it is something else."""
    found = DATA_URL.match(url)
    return (found[1].lower(), url[found.end() :]) if found else ("", "")
