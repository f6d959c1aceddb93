"""What a provider that speaks OpenAI's is sent for a client of Anthropic's API."""

from hashlib import sha256
from typing import Any

from gateway.dialects.messages_native import Keep
from gateway.dialects.tool_names import MAX_CHARS, original_names, short_name
from gateway.errors import NotExpressible
from routing.chat import Json, Native

MAX_USER_CHARS = 64
# Budgets of thinking, from the largest down, as the efforts they stand for.
EFFORTS = ((16384, "high"), (4096, "medium"), (0, "low"))


def to_openai_body(common: Json, native: Native, limit_field: str) -> Json:
    """The common body, without what only Anthropic's models could use.

    `limit_field` is what the provider calls the limit of an answer's length. Raises
    NotExpressible, naming the client's field, for what can't be said at all.
    """
    if native.inexpressible:
        param, reason = native.inexpressible[0]
        raise NotExpressible(reason, param=param)
    body = without_thoughts(common, lambda thought: False)
    if "max_tokens" in body:
        body[limit_field] = body.pop("max_tokens")
    effort = effort_of(body.pop("thinking", None), body.get("reasoning_effort"))
    if effort is not None:
        body["reasoning_effort"] = effort
    if len(body.get("user") or "") > MAX_USER_CHARS:
        body["user"] = sha256(body["user"].encode()).hexdigest()
    return with_short_names(body) if original_names(body) else body


def without_thoughts(body: Json, keep: Keep) -> Json:
    """The body with those signed thoughts in its history that `keep` lets through."""
    return {**body, "messages": [kept(message, keep) for message in body["messages"]]}


def kept(message: Json, keep: Keep) -> Json:
    thoughts = message.get("thinking_blocks")
    if not isinstance(thoughts, list):
        return message
    left = [each for each in thoughts if isinstance(each, dict) and keep(each)]
    rest = {k: v for k, v in message.items() if k != "thinking_blocks"}
    return {**rest, "thinking_blocks": left} if left else rest


def effort_of(thinking: Any, effort: Any) -> Any:
    """OpenAI's reasoning effort for Anthropic's thinking, beside its own effort."""
    match thinking:
        case {"type": "disabled"}:
            return "none"
        case {"type": "enabled", "budget_tokens": int(budget)} if effort is None:
            return next(name for least, name in EFFORTS if budget >= least)
        case {"type": "adaptive" | "between_tools" | "enabled"}:
            return effort or "medium"
        case None:
            return effort
    raise NotExpressible(
        "thinking: only Anthropic's models know this kind.", param="thinking"
    )


def with_short_names(body: Json) -> Json:
    """Names of tools within OpenAI's limit, wherever they stand."""
    changed = {**body, "tools": [with_short_name(tool) for tool in body["tools"]]}
    changed["messages"] = [
        {
            **message,
            "tool_calls": [with_short_name(call) for call in message["tool_calls"]],
        }
        if message.get("tool_calls")
        else message
        for message in body["messages"]
    ]
    if isinstance(choice := body.get("tool_choice"), dict):
        changed["tool_choice"] = with_short_name(choice)
    return changed


def with_short_name(tool: Json) -> Json:
    function = tool["function"]
    if len(function["name"]) <= MAX_CHARS:
        return tool
    return {**tool, "function": {**function, "name": short_name(function["name"])}}
