"""Anthropic's messages in the common language.

What it has no word for is noted in `Losses`, with its name, its value and the reason.
"""

from collections.abc import Iterator
from typing import Any

import orjson

from gateway.dialects.anthropic_response import THOUGHTS
from routing.chat import Json

FILE_NAME = "document.pdf"
# What a block may carry besides its content without asking for anything.
MARKS = frozenset({"type", "cache_control"})


class Losses:
    """What can't be said in the common language: why, and the values themselves."""

    def __init__(self) -> None:
        self.reasons: list[tuple[str, str]] = []
        self.values: Json = {}

    def add(self, param: str, why: str, value: Any) -> None:
        self.reasons.append((param, f"{param}: {why}"))
        self.values[param] = value

    def extras(self, param: str, block: Json, *known: str) -> None:
        """Note the fields of a block that nobody here can translate."""
        for field, value in block.items():
            if field not in known and field not in MARKS and value:
                why = f"only Anthropic's models know {field[:64]!r}"
                self.add(f"{param}.{field}", why, value)


def to_messages(messages: list[Json], losses: Losses) -> list[Json]:
    translated: list[Json] = []
    for position, message in enumerate(messages):
        param = f"messages.{position}"
        content = message["content"]
        match message["role"]:
            case "assistant":
                translated.append(to_assistant(param, content, losses))
            case "system":
                text = joined_text(f"{param}.content", content, losses)
                translated.append({"role": "system", "content": text})
            case _ if isinstance(content, str):
                translated.append({"role": "user", "content": content})
            case _:
                translated += to_user(f"{param}.content", content, losses)
    if messages[-1]["role"] == "assistant":
        losses.add(
            f"messages.{len(messages) - 1}",
            "only Anthropic's models go on from an assistant's last words",
            True,
        )
    return translated


def joined_text(param: str, content: str | list[Json], losses: Losses) -> str:
    """Instructions as one text."""
    if isinstance(content, str):
        return content
    for position, block in enumerate(content):
        losses.extras(f"{param}.{position}", block, "text")
    return "\n\n".join(block.get("text") or "" for block in content)


def to_user(param: str, content: list[Json], losses: Losses) -> Iterator[Json]:
    """Results of tools as messages of their own, and then whatever else was said.

    OpenAI's tools answer in text only: images of theirs follow as the user's.
    """
    parts: list[Json] = []
    results = False
    for position, block in enumerate(content):
        where = f"{param}.{position}"
        if block["type"] != "tool_result":
            parts += to_parts(where, block, losses)
            continue
        results = True
        losses.extras(where, block, "tool_use_id", "content", "is_error")
        texts, others = to_result(f"{where}.content", block, losses)
        yield {
            "role": "tool",
            "tool_call_id": block["tool_use_id"],
            "content": "\n\n".join(texts),
        }
        if others:
            about = f"From the result of the tool call {block['tool_use_id']}:"
            parts += [{"type": "text", "text": about}, *others]
    if parts or not results:
        yield {"role": "user", "content": simplest(parts)}


def to_result(param: str, result: Json, losses: Losses) -> tuple[list[str], list[Json]]:
    """The texts of a tool's result, and its other parts."""
    content = result.get("content") or ""
    texts, others = [], []
    if isinstance(content, str):
        texts.append(content)
    else:
        for position, block in enumerate(content):
            for part in to_parts(f"{param}.{position}", block, losses):
                if part["type"] == "text":
                    texts.append(part["text"])
                else:
                    others.append(part)
    if result.get("is_error"):
        texts = ["\n\n".join(["Error:", *filter(None, texts)])]
    return texts, others


def simplest(parts: list[Json]) -> str | list[Json]:
    """A text by itself is said without parts, as most clients say it."""
    match parts:
        case [{"type": "text", "text": str(text)}]:
            return text
    return parts


def to_parts(param: str, block: Json, losses: Losses) -> list[Json]:
    """What a user, or a tool, shows."""
    match block:
        case {"type": "text", "text": str(text)}:
            losses.extras(param, block, "text")
            return [{"type": "text", "text": text}]
        case {"type": "image", "source": source}:
            losses.extras(param, block, "source")
            if url := image_url(source):
                return [{"type": "image_url", "image_url": {"url": url}}]
        case {"type": "document"}:
            if parts := document_parts(param, block, losses):
                return parts
        case _:
            return unknown(param, block, losses)
    why = "only Anthropic's models can open this source"
    losses.add(f"{param}.source", why, block["source"])
    return []


def unknown(param: str, block: Json, losses: Losses) -> list[Json]:
    why = f"only Anthropic's models take a {block['type'][:64]!r} block"
    losses.add(param, why, block)
    return []


def image_url(source: Json) -> str:
    match source:
        case {"type": "base64", "media_type": str(media_type), "data": str(data)}:
            return f"data:{media_type};base64,{data}"
        case {"type": "url", "url": str(url)}:
            return url
    return ""


def document_parts(param: str, block: Json, losses: Losses) -> list[Json]:
    """A PDF as a file, a text as text; nothing for what can't be opened."""
    title, context = block.get("title"), block.get("context")
    losses.extras(param, block, "source", "title", "context", "citations")
    if (block.get("citations") or {}).get("enabled"):
        why = "only Anthropic's models cite documents"
        losses.add(f"{param}.citations", why, True)
    match block["source"]:
        case {"type": "base64", "media_type": "application/pdf", "data": str(data)}:
            file = {
                "filename": title or FILE_NAME,
                "file_data": f"data:application/pdf;base64,{data}",
            }
            parts = [{"type": "file", "file": file}]
            return [*text_part(context), *parts]
        case {"type": "text", "data": str(text)}:
            return text_part("\n\n".join(filter(None, (title, context, text))))
        case {"type": "content", "content": str(text)}:
            return text_part("\n\n".join(filter(None, (title, context, text))))
        case {"type": "content", "content": list(blocks)}:
            parts = text_part("\n\n".join(filter(None, (title, context))))
            for position, inner in enumerate(blocks):
                where = f"{param}.source.content.{position}"
                parts += to_parts(where, inner, losses)
            return parts
    return []


def text_part(text: Any) -> list[Json]:
    return [{"type": "text", "text": text}] if text else []


def to_assistant(param: str, content: str | list[Json], losses: Losses) -> Json:
    """Texts in one, uses of tools as calls; thoughts are kept beside them."""
    if isinstance(content, str):
        return {"role": "assistant", "content": content}
    texts: list[str] = []
    message: Json = {"role": "assistant", "content": None}
    for position, block in enumerate(content):
        where = f"{param}.content.{position}"
        match block:
            case {"type": "text", "text": str(text)}:
                losses.extras(where, block, "text")
                texts.append(text)
            case {"type": "tool_use"}:
                message.setdefault("tool_calls", []).append(
                    to_call(where, block, losses)
                )
            case {"type": kind} if kind in THOUGHTS:
                message.setdefault("thinking_blocks", []).append(block)
            case _:
                unknown(where, block, losses)
    if texts or "tool_calls" not in message:
        message["content"] = "".join(texts)
    return message


def to_call(param: str, block: Json, losses: Losses) -> Json:
    losses.extras(param, block, "id", "name", "input", "caller")
    caller = block.get("caller") or {"type": "direct"}
    if caller != {"type": "direct"}:
        losses.add(f"{param}.caller", "only Anthropic's tools call others", caller)
    arguments = orjson.dumps(block["input"]).decode()
    function = {"name": block["name"], "arguments": arguments}
    return {"id": block["id"], "type": "function", "function": function}
