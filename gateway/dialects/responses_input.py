"""The items of a Responses body as messages of a chat."""

import base64
from typing import Any, Protocol

import orjson

from gateway.dialects.openai_request import MAX_TOOLS, an_object
from gateway.errors import BadRequest
from routing.chat import Json

# Marks thoughts that an answer of ours carried, sealed for the way back.
SEAL = "llm-router:"
TEXTS = ("input_text", "output_text", "text", "summary_text")
ROLES = ("user", "assistant", "system", "developer")


class Notes(Protocol):
    def add(self, param: str, reason: str) -> None: ...


class Input:
    """Reads items in their order. An assistant's text, thoughts and calls that follow
    one another are one message, as chats have them.

    `places` says what of the body became which message of the chat.
    """

    def __init__(self, beyond: Notes) -> None:
        self._beyond = beyond
        self._messages: list[Json] = []
        self._thoughts: list[Json] = []
        self._open = False  # may the last message take a call?
        self.places: dict[str, str] = {}

    def messages(self, instructions: Any, given: Any) -> list[Json]:
        if instructions:
            self._add({"role": "system", "content": instructions}, "instructions")
        if isinstance(given, str):
            self._add({"role": "user", "content": given}, "input")
            return self._messages
        if not isinstance(given, list):
            raise BadRequest("input must be a text or a list of items.", param="input")
        for position, item in enumerate(given):
            an_object(f"input[{position}]", item)
            self._read(f"input[{position}]", item)
        return self._messages

    def _read(self, param: str, item: Json) -> None:
        match item.get("type", "message"):
            case "message":
                self._message(param, item)
            case "function_call":
                self._call(param, item)
            case "function_call_output":
                self._output(param, item)
            case "reasoning":
                self._thoughts += unsealed(item.get("encrypted_content"))
            case kind:
                shown = str(kind)[:64]
                self._beyond.add(f"{param}.type", f"Chats have no item {shown!r}.")

    def _message(self, param: str, item: Json) -> None:
        role = item.get("role")
        if role not in ROLES:
            known = ", ".join(ROLES)
            raise BadRequest(
                f"{param}.role must be one of {known}.", param=f"{param}.role"
            )
        content = self._content(f"{param}.content", item.get("content"))
        if role != "assistant":
            self._add({"role": role, "content": content}, param, f"{param}.content")
            self._open = False
            return
        message = self._assistant(param)
        if isinstance(content, list):
            refusals = [p["refusal"] for p in content if p["type"] == "refusal"]
            content = "".join(p["text"] for p in content if p["type"] == "text")
            if refusals:
                message["refusal"] = "".join(refusals)
        if content:
            message["content"] = (message["content"] or "") + content

    def _content(self, param: str, content: Any) -> str | list[Json]:
        if isinstance(content, str):
            return content
        if not isinstance(content, list):
            raise BadRequest(f"{param} must be a text or a list.", param=param)
        parts = []
        for position, part in enumerate(content):
            an_object(f"{param}[{position}]", part)
            if translated := self._part(f"{param}[{position}]", part):
                parts.append(translated)
        if len(parts) == 1 and parts[0]["type"] == "text":
            text: str = parts[0]["text"]
            return text
        return parts

    def _part(self, param: str, part: Json) -> Json | None:
        match part:
            case {"type": kind, "text": str(text)} if kind in TEXTS:
                return {"type": "text", "text": text}
            case {"type": "refusal", "refusal": str(refusal)}:
                return {"type": "refusal", "refusal": refusal}
            case {"type": "input_image", "image_url": str(url)}:
                image = {"url": url}
                if part.get("detail") not in (None, "auto"):
                    image["detail"] = part["detail"]
                return {"type": "image_url", "image_url": image}
            case {"type": "input_file", "file_data": str(data)}:
                file = {"file_data": data}
                if part.get("filename"):
                    file["filename"] = part["filename"]
                return {"type": "file", "file": file}
            case {"type": "input_audio", "input_audio": dict(audio)}:
                return {"type": "input_audio", "input_audio": audio}
            case {"type": "input_image" | "input_file" as kind}:
                self._beyond.add(param, f"A chat takes no {kind} by this reference.")
                return None
            case {"type": str(kind)} if kind not in TEXTS:
                self._beyond.add(f"{param}.type", f"Chats have no part {kind[:64]!r}.")
                return None
        raise BadRequest(f"{param} must be a part with its text.", param=param)

    def _call(self, param: str, item: Json) -> None:
        strings(param, item, "call_id", "name", "arguments")
        message = self._assistant(param)
        function = {"name": item["name"], "arguments": item["arguments"]}
        call = {"id": item["call_id"], "type": "function", "function": function}
        calls = message.setdefault("tool_calls", [])
        if len(calls) == MAX_TOOLS:
            raise BadRequest(
                f"{param}: at most {MAX_TOOLS} calls may follow one another.",
                param=param,
            )
        place = f"messages[{len(self._messages) - 1}].tool_calls[{len(calls)}]"
        self.places[place] = param
        calls.append(call)

    def _output(self, param: str, item: Json) -> None:
        strings(param, item, "call_id")
        content = self._content(f"{param}.output", item.get("output"))
        if isinstance(content, list) and any(p["type"] != "text" for p in content):
            self._beyond.add(f"{param}.output", "A chat's tools answer in text.")
            content = ""
        message = {"role": "tool", "tool_call_id": item["call_id"], "content": content}
        self._add(message, param, f"{param}.output")
        self._open = False

    def _add(self, message: Json, place: str, content: str = "") -> None:
        name = f"messages[{len(self._messages)}]"
        self.places[name] = place
        self.places[f"{name}.content"] = content or place
        self._messages.append(message)

    def _assistant(self, param: str) -> Json:
        """The assistant's message under way, or a new one, with what it thought."""
        if not self._open:
            message: Json = {"role": "assistant", "content": None}
            self._add(message, param, f"{param}.content")
            self._open = True
        message = self._messages[-1]
        if self._thoughts:
            message.setdefault("thinking_blocks", []).extend(self._thoughts)
            self._thoughts = []
        return message


def strings(param: str, item: Json, *fields: str) -> None:
    for field in fields:
        if not isinstance(item.get(field), str):
            raise BadRequest(
                f"{param}.{field} must be a string.", param=f"{param}.{field}"
            )


def sealed(thoughts: list[Json]) -> str:
    """Signed thoughts as a client keeps and returns them; their signatures protect
    them, so this only wraps."""
    return SEAL + base64.b64encode(orjson.dumps(thoughts)).decode()


def unsealed(content: Any) -> list[Json]:
    """Thoughts that we sealed; others' are another model's, and stay out."""
    if not isinstance(content, str) or not content.startswith(SEAL):
        return []
    try:
        thoughts = orjson.loads(base64.b64decode(content.removeprefix(SEAL)))
    except ValueError:
        return []
    if not isinstance(thoughts, list):
        return []
    return [
        each
        for each in thoughts
        if isinstance(each, dict)
        and each.get("type") in ("thinking", "redacted_thinking")
    ]
