"""What a pretended model says: a sentence, JSON, or a call of one of the tools."""

import re
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.simulator.form import Example, in_form, in_pieces

WORDS = """
the gateway sends each request to the cheapest model that can answer it and keeps what
it learned so that the same question costs nothing a second time
"""
STEP = 7  # words between the beginnings of two choices
NAMED = re.compile(r"[a-z]{4,}")  # words of a tool's name that say what it is for


@dataclass(frozen=True, slots=True)
class Said:
    """A choice in pieces, one to a token; of the arguments when it calls a tool."""

    pieces: list[str]
    finish_reason: str
    tool: str = ""


def say(body: dict[str, Any], count: int, index: int) -> Said:
    """The choice with this index, of about so many tokens."""
    vocabulary, begin = WORDS.split(), index * STEP
    words = [
        f"{vocabulary[at % len(vocabulary)]} " for at in range(begin, begin + count)
    ]
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    if function := tool_for(body):
        schema = function.get("parameters") or {}
        fitting = Example(schema, "".join(words[:5]).strip()).of(schema)
        arguments = fitting if isinstance(fitting, dict) else {}
        pieces, reason = in_pieces(orjson.dumps(arguments).decode()), "tool_calls"
    else:
        pieces = in_form(words, body.get("response_format") or {})
        pieces[-1], reason = pieces[-1].rstrip(), "stop"
    if limit and len(pieces) > limit:
        pieces, reason = pieces[:limit], "length"
    return Said(pieces, reason, function["name"] if function else "")


def tool_for(body: dict[str, Any]) -> dict[str, Any] | None:
    """The function to call: one that must be, or one that the question names. What a
    tool has answered is answered in words, or nobody's loop would end."""
    tools = [tool.get("function") or {} for tool in body.get("tools") or ()]
    functions = {f["name"]: f for f in tools if f.get("name")}
    choice = body.get("tool_choice") or "auto"
    if isinstance(choice, dict):
        if named := (choice.get("function") or {}).get("name"):
            return functions.get(named)
        allowed = choice.get("allowed_tools") or {}
        listed = [each.get("function") or {} for each in allowed.get("tools") or ()]
        names = [function.get("name") for function in listed]
        functions = {name: functions[name] for name in names if name in functions}
        choice = allowed.get("mode", "auto")
    if choice == "required":
        return next(iter(functions.values()), None)
    asked = question_of(body).lower() if choice == "auto" else ""
    for name, function in functions.items():
        if any(word in asked for word in NAMED.findall(name.lower())):
            return function
    return None


def question_of(body: dict[str, Any]) -> str:
    """The text of the last message, when it is a person's."""
    last = body["messages"][-1]
    content = last.get("content") if last.get("role") == "user" else ""
    if isinstance(content, list):
        return " ".join(part.get("text") or "" for part in content)
    return content or ""
