"""What Anthropic is sent for a client of its own API: the client's body, untouched.

Two things change it. The router may have chosen another model than the client had in
mind, which thinks in another way; and thoughts of another model are no use to this
one, which refuses their signatures.
"""

from collections.abc import Callable
from typing import Any

from gateway.dialects.anthropic_response import THOUGHTS
from gateway.dialects.anthropic_thinking import (
    BUDGETED,
    BUDGETS,
    SMALLEST_BUDGET,
    loop_without_thought,
)
from routing.chat import Json, Native

Keep = Callable[[Json], bool]  # may this thought go to the model?


def to_native_body(native: Native, model: str, keep: Keep) -> Json:
    body = {**native.body, "model": model}
    if model != native.body.get("model") and BUDGETED.search(model):
        adapt_thinking(body)
    drop_thoughts(body, keep)
    return body


def drop_thoughts(body: Json, keep: Keep) -> None:
    """Leave out the thoughts that may not go to the model.

    Where a loop of tools is open, a model that thinks within a budget wants the
    thought that began it; without that it has to go on without thinking.
    """
    if not any(has_thoughts(message) for message in body["messages"]):
        return
    messages = [without_thoughts(message, keep) for message in body["messages"]]
    messages = [message for message in messages if message["content"] != []]
    if messages == body["messages"]:
        return
    body["messages"] = messages
    thinking = body.get("thinking") or {}
    if thinking.get("type") == "enabled" and loop_without_thought(messages):
        del body["thinking"]


def has_thoughts(message: Json) -> bool:
    content = message["content"]
    return isinstance(content, list) and any(b["type"] in THOUGHTS for b in content)


def without_thoughts(message: Json, keep: Keep) -> Json:
    if not has_thoughts(message):
        return message
    content = [
        block
        for block in message["content"]
        if block["type"] not in THOUGHTS or keep(block)
    ]
    return {**message, "content": content}


def adapt_thinking(body: Json) -> None:
    """For a model before Claude 4.6, which thinks within a budget and knows no effort,
    what was meant for a later one."""
    config: Any = body.get("output_config") or {}
    effort = config.get("effort")
    if effort is not None:
        body["output_config"] = {k: v for k, v in config.items() if k != "effort"}
        if not body["output_config"]:
            del body["output_config"]
    if (body.get("thinking") or {}).get("type") not in ("adaptive", "between_tools"):
        return
    del body["thinking"]
    room = body.get("max_tokens", 0)
    if room > SMALLEST_BUDGET and not loop_without_thought(body["messages"]):
        budget = BUDGETS.get(effort, BUDGETS["medium"])
        budget = min(budget, max(SMALLEST_BUDGET, room // 2))
        body["thinking"] = {"type": "enabled", "budget_tokens": budget}
