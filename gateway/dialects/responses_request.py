"""A body of OpenAI's Responses API in the common language.

Whatever a chat has no word for is named, and then only a backend that offers Responses
itself is asked, with the body as it came. What would be kept at the provider is
refused: all keys share the gateway's account there, so one could read another's.
"""

from typing import Any

from gateway.dialects.openai_request import (
    MAX_MESSAGES,
    an_object,
    objects,
    validate_chat,
    whole,
)
from gateway.dialects.responses_input import Input
from gateway.errors import BadRequest, NotExpressible
from routing.chat import Json

ONLY_RESPONSES = "only_responses"  # the whole body, where no chat can say it; it counts
SAME = (
    "model",
    "stream",
    "temperature",
    "top_p",
    "parallel_tool_calls",
    "user",
    "service_tier",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
)
TRANSLATED = frozenset(
    {
        *SAME,
        "input",
        "instructions",
        "tools",
        "tool_choice",
        "text",
        "max_output_tokens",
        "max_tool_calls",  # of the provider's own tools, which are named themselves
        "reasoning",
        "metadata",  # comes back in the answer
        "include",
        "stream_options",
    }
)
# Neither part of what is answered nor of what tells requests apart.
DELIVERY = frozenset({"model", "stream", "stream_options", "metadata", "store", "user"})
DEFAULTS: dict[str, tuple[Any, ...]] = {
    "truncation": ("disabled",),
    "top_logprobs": (0,),
    "store": (False,),
    "background": (False,),
    "context_management": ([],),
}
STATEFUL = {
    "previous_response_id": "Send the earlier turns in input instead.",
    "conversation": "Send the earlier turns in input instead.",
    "store": "Leave it out or say false.",
    "background": "Leave it out or say false.",
    "prompt": "Send the prompt itself.",
}
TOOL_FIELDS = frozenset({"type", "name", "description", "parameters", "strict"})
TOOL_DEFAULTS: dict[str, tuple[Any, ...]] = {
    "allowed_callers": (["direct"], []),
    "defer_loading": (False,),
}
ENCRYPTED = "reasoning.encrypted_content"
# Parts of items that only a provider's own tools make, or only a stored conversation
# has: without them there is nothing to include, and they are named themselves.
OF_OTHERS = frozenset(
    {
        "code_interpreter_call.outputs",
        "computer_call_output.output.image_url",
        "file_search_call.results",
        "message.input_image.image_url",
        "web_search_call.action.sources",
        "web_search_call.results",
    }
)


class Beyond:
    """The first thing in a body that no chat has, and why."""

    def __init__(self) -> None:
        self.found: tuple[str, str] | None = None

    def add(self, param: str, reason: str) -> None:
        self.found = self.found or (param, reason)


def to_chat_body(body: Json) -> tuple[Json, tuple[str, str] | None]:
    """The request as a chat's, and the field with the reason that keeps it from being
    one, if there is any. Raises BadRequest and NotExpressible, naming the parameter."""
    check(body)
    refuse_state(body)
    beyond = Beyond()
    chat: Json = {field: body[field] for field in SAME if body.get(field) is not None}
    reader = Input(beyond)
    chat["messages"] = reader.messages(body.get("instructions"), body.get("input"))
    if body.get("max_output_tokens") is not None:
        chat["max_completion_tokens"] = body["max_output_tokens"]
    add_tools(chat, body, beyond)
    add_text(chat, body.get("text") or {}, beyond)
    reasoning = body.get("reasoning") or {}
    if reasoning.get("effort") is not None:
        chat["reasoning_effort"] = reasoning["effort"]
    for wanted in body.get("include") or ():
        if wanted != ENCRYPTED and wanted not in OF_OTHERS:
            beyond.add("include", f"Chats have no {wanted[:64]!r}.")
    for field, value in body.items():
        if field in TRANSLATED or value is None or value in DEFAULTS.get(field, ()):
            continue
        beyond.add(field, f"Chats have no {field[:64]!r}.")
    if beyond.found:
        chat[ONLY_RESPONSES] = {k: v for k, v in body.items() if k not in DELIVERY}
    if not chat["messages"]:
        raise BadRequest("input must hold a message or an item.", param="input")
    validate_chat(chat)
    return chat, beyond.found


def check(body: Json) -> None:
    """What the translation relies on."""
    for field in ("text", "reasoning", "metadata", "stream_options"):
        if body.get(field) is not None:
            an_object(field, body[field])
    if body.get("instructions") is not None and not isinstance(
        body["instructions"], str
    ):
        raise BadRequest("instructions must be a string.", param="instructions")
    for field in ("tools", "include"):
        if body.get(field) is not None and not isinstance(body[field], list):
            raise BadRequest(f"{field} must be a list.", param=field)
    if not all(isinstance(each, str) for each in body.get("include") or ()):
        raise BadRequest("include must be a list of strings.", param="include")
    if body.get("max_output_tokens") is not None:
        whole(1, (1 << 31) - 1)("max_output_tokens", body["max_output_tokens"])
    given = body.get("input")
    most = MAX_MESSAGES - bool(body.get("instructions"))  # they are a message as well
    if isinstance(given, list) and len(given) > most:
        raise BadRequest(f"At most {most} items.", param="input")


def refuse_state(body: Json) -> None:
    for field, advice in STATEFUL.items():
        value = body.get(field)
        if value is not None and value is not False:
            raise kept_nowhere(field, advice)
    given = body.get("input")
    for position, item in enumerate(given if isinstance(given, list) else ()):
        if isinstance(item, dict) and is_reference(item):
            raise kept_nowhere(
                f"input[{position}]",
                "Send the item itself, as clients do that are told store: false.",
            )


def is_reference(item: Json) -> bool:
    """Only an id: OpenAI takes such an item also without its type."""
    kind = item.get("type")
    untyped = kind is None and "id" in item and not item.get("role")
    return kind == "item_reference" or untyped


def kept_nowhere(param: str, advice: str) -> NotExpressible:
    return NotExpressible(
        f"{param}: nothing is kept at a provider, where all keys of this gateway "
        f"have one account. {advice}",
        param=param,
    )


def add_tools(chat: Json, body: Json, beyond: Beyond) -> None:
    tools = body.get("tools") or []
    objects("tools", tools)
    if tools:
        chat["tools"] = [
            to_tool(f"tools[{position}]", tool, beyond)
            for position, tool in enumerate(tools)
        ]
    choice = body.get("tool_choice")
    if choice is not None and (tools or choice not in ("auto", "none")):
        chat["tool_choice"] = to_tool_choice(choice, beyond)


def to_tool(param: str, tool: Json, beyond: Beyond) -> Json:
    if tool.get("type") != "function":
        kind = str(tool.get("type"))[:64]
        beyond.add(f"{param}.type", f"{kind!r} is a tool of the provider's own.")
        return tool
    if not isinstance(tool.get("name"), str) or not tool["name"]:
        raise BadRequest(f"{param}.name must be a string.", param=f"{param}.name")
    for field, value in tool.items():
        nothing = value is None or value in TOOL_DEFAULTS.get(field, ())
        if field not in TOOL_FIELDS and not nothing:
            beyond.add(f"{param}.{field[:64]}", "Tools of chats have nothing like it.")
    fields = ("name", "description", "parameters", "strict")
    function = {name: tool[name] for name in fields if tool.get(name) is not None}
    return {"type": "function", "function": function}


def to_tool_choice(choice: Any, beyond: Beyond) -> Any:
    match choice:
        case "none" | "auto" | "required":
            return choice
        case {"type": "function", "name": str(name)}:
            return {"type": "function", "function": {"name": name}}
        case {"type": "allowed_tools", "mode": mode, "tools": [*tools]} if all(
            isinstance(tool, dict) and tool.get("type") == "function" for tool in tools
        ):
            named = [
                {"type": "function", "function": {"name": tool.get("name")}}
                for tool in tools
            ]
            allowed = {"mode": mode, "tools": named}
            return {"type": "allowed_tools", "allowed_tools": allowed}
        case {"type": str()}:
            beyond.add("tool_choice", "Chats have no such choice.")
            return "auto"
    raise BadRequest(
        "tool_choice must be none, auto, required or a tool.", param="tool_choice"
    )


def add_text(chat: Json, text: Json, beyond: Beyond) -> None:
    if text.get("verbosity") is not None:
        chat["verbosity"] = text["verbosity"]
    wanted = text.get("format")
    match wanted:
        case None | {"type": "text"}:
            return
        case {"type": "json_object"}:
            chat["response_format"] = {"type": "json_object"}
        case {"type": "json_schema", "schema": dict(), "name": str()}:
            schema = {k: v for k, v in wanted.items() if k != "type" and v is not None}
            chat["response_format"] = {"type": "json_schema", "json_schema": schema}
        case {"type": str(kind)} if kind not in ("json_schema", "text"):
            beyond.add("text.format", f"Chats have no format {kind[:64]!r}.")
        case _:
            raise BadRequest(
                "text.format must be text, json_object, or json_schema with a name "
                "and a schema.",
                param="text.format",
            )
