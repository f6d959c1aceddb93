"""A body of Anthropic's Messages API in the common language.

Nothing that could change the answer is dropped in silence. What OpenAI's protocol has
no word for is listed, and then only a provider that speaks Anthropic's may be asked;
its value stays in the body, in a field of its own, and counts when requests are
compared. Left out are marks for the provider's own prompt cache, and how finely tool
calls are streamed.
"""

from typing import Any

from gateway.dialects.messages_content import Losses, joined_text, to_messages
from gateway.dialects.openai_request import MAX_STOPS
from routing.chat import Json, Native

SAME = ("model", "stream", "max_tokens", "temperature", "top_p")
TRANSLATED = frozenset(
    {
        *SAME,
        "messages",
        "system",
        "stop_sequences",
        "tools",
        "tool_choice",
        "output_config",
        "output_format",
        "metadata",
        "service_tier",
        "cache_control",
        "thinking",  # stays under its own name, and is translated as it is sent
    }
)
# Values that ask for nothing.
DEFAULTS: dict[str, tuple[Any, ...]] = {"speed": ("standard",), "mcp_servers": ([],)}
TOOL_FIELDS = ("name", "description", "input_schema", "strict", "eager_input_streaming")
TOOL_DEFAULTS: dict[str, tuple[Any, ...]] = {
    "allowed_callers": (["direct"], []),
    "defer_loading": (False,),
    "input_examples": ([],),
}
SERVICE_TIERS = {"auto": "auto", "standard_only": "default"}
ONLY_ANTHROPIC = "only_anthropic"
SCHEMA_NAME = "answer"
CACHE_NOTE = (
    "The request marks what Anthropic should cache. Other providers choose that "
    "themselves, so its prompt may cost more there."
)


def to_chat_body(
    body: Json, version: str, betas: tuple[str, ...]
) -> tuple[Json, Native]:
    """The request in the common language, and the original beside what it loses.

    `body` has been checked, and is left as it is.
    """
    losses = Losses()
    chat: Json = {field: body[field] for field in SAME if body.get(field) is not None}
    chat["messages"] = to_messages(body["messages"], losses)
    if system := joined_text("system", body.get("system") or "", losses):
        chat["messages"].insert(0, {"role": "system", "content": system})
    if body.get("thinking") is not None:
        chat["thinking"] = body["thinking"]
    if chat.get("max_tokens") == 0:
        losses.add("max_tokens", "only Anthropic's models take 0, to fill a cache", 0)
    add_stops(chat, body, losses)
    add_tools(chat, body, losses)
    add_output(chat, body, losses)
    add_labels(chat, body, losses)
    keep_unknown(body, losses)
    if losses.values:
        chat[ONLY_ANTHROPIC] = losses.values
    notes = (CACHE_NOTE,) if marks_cache(body) else ()
    return chat, Native(body, version, betas, tuple(losses.reasons), notes)


def add_stops(chat: Json, body: Json, losses: Losses) -> None:
    if stops := body.get("stop_sequences"):
        chat["stop"] = stops
        if len(stops) > MAX_STOPS:
            why = f"OpenAI's models take {MAX_STOPS} of them at most"
            losses.add("stop_sequences", why, len(stops))


def add_tools(chat: Json, body: Json, losses: Losses) -> None:
    tools = body.get("tools")
    if not tools:
        return
    chat["tools"] = [
        to_tool(f"tools.{position}", tool, losses)
        for position, tool in enumerate(tools)
    ]
    choice = body.get("tool_choice")
    if choice is None:
        return
    match choice:
        case {"type": "auto" | "none" as kind}:
            chat["tool_choice"] = kind
        case {"type": "any"}:
            chat["tool_choice"] = "required"
        case {"type": "tool", "name": str(name)}:
            chat["tool_choice"] = {"type": "function", "function": {"name": name}}
        case _:
            losses.add("tool_choice", "this choice exists at Anthropic only", choice)
    if choice.get("disable_parallel_tool_use"):
        chat["parallel_tool_calls"] = False


def to_tool(param: str, tool: Json, losses: Losses) -> Json:
    """A client's tool as a function; Anthropic's own tools stay what they are."""
    if tool.get("type") not in (None, "custom") or not isinstance(
        tool.get("name"), str
    ):
        why = f"{tool.get('type')!r} is a tool of Anthropic's own"
        losses.add(f"{param}.type", why, tool)
        return tool
    losses.extras(
        param,
        {k: v for k, v in tool.items() if v not in TOOL_DEFAULTS.get(k, ())},
        *TOOL_FIELDS,
    )
    function: Json = {"name": tool["name"]}
    if tool.get("description"):
        function["description"] = tool["description"]
    function["parameters"] = tool.get("input_schema") or {"type": "object"}
    if tool.get("strict") is not None:
        function["strict"] = tool["strict"]
    return {"type": "function", "function": function}


def add_output(chat: Json, body: Json, losses: Losses) -> None:
    """Effort and format; `output_format` is an earlier name of the latter."""
    config = body.get("output_config") or {}
    if config.get("effort") is not None:
        chat["reasoning_effort"] = config["effort"]
    for param, wanted in (
        ("output_config.format", config.get("format")),
        ("output_format", body.get("output_format")),
    ):
        match wanted:
            case None:
                continue
            case {"type": "json_schema", "schema": dict(schema)}:
                chat["response_format"] = {
                    "type": "json_schema",
                    "json_schema": {
                        "name": SCHEMA_NAME,
                        "schema": schema,
                        "strict": True,
                    },
                }
            case _:
                why = "only json_schema with a schema is known here"
                losses.add(param, why, wanted)
    losses.extras("output_config", config, "effort", "format")


def add_labels(chat: Json, body: Json, losses: Losses) -> None:
    user = (body.get("metadata") or {}).get("user_id")
    if isinstance(user, str) and user:
        chat["user"] = user
    tier = body.get("service_tier")
    if tier is None:
        return
    if isinstance(tier, str) and tier in SERVICE_TIERS:
        chat["service_tier"] = SERVICE_TIERS[tier]
    else:
        losses.add("service_tier", "this tier exists at Anthropic only", tier)


def keep_unknown(body: Json, losses: Losses) -> None:
    """Whatever else was sent: counted, and only for providers that may know it."""
    for field, value in body.items():
        if field in TRANSLATED or value is None or value in DEFAULTS.get(field, ()):
            continue
        if field == "context_management" and only_clears_thoughts(value):
            continue
        losses.add(field, f"only Anthropic's models know {field[:64]!r}", value)


def only_clears_thoughts(management: Any) -> bool:
    """Other providers are never sent earlier thoughts, so there is nothing to clear."""
    edits = management.get("edits") if isinstance(management, dict) else None
    return isinstance(edits, list) and all(
        isinstance(edit, dict)
        and str(edit.get("type", "")).startswith("clear_thinking_")
        for edit in edits
    )


def marks_cache(body: Json) -> bool:
    """Does it mark what should be cached, in any of the places for it?"""
    if body.get("cache_control"):
        return True
    system = body.get("system")
    contents = [system, *(message["content"] for message in body["messages"])]
    blocks = [block for c in contents if isinstance(c, list) for block in c]
    return any(
        each.get("cache_control") for each in (*blocks, *(body.get("tools") or ()))
    )
