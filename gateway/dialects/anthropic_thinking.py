"""OpenAI's reasoning effort as Anthropic's thinking."""

import re
from typing import Any

from gateway.errors import NotExpressible
from routing.chat import Json

# Claude models before 4.6 think within a budget; later ones choose it by the effort.
BUDGETED = re.compile(
    r"claude-3|claude-(?:haiku|sonnet|opus)-4(?:-[0-5]\b)?(?:-\d{8}|\b(?!-\d))"
)
BUDGETS = {
    "minimal": 1024,
    "low": 1024,
    "medium": 4096,
    "high": 16384,
    "xhigh": 24576,
    "max": 32768,
}
SMALLEST_BUDGET = 1024


def add_thinking(request: Json, effort: Any, *, limited: bool) -> None:
    """Set what makes the request's model reason with this effort.

    `limited` says that the client bounded its answer; else thinking gets its own room.
    """
    if "thinking" in request or effort is None:
        pass  # Anthropic's own parameter was given, or the model's default is wanted
    elif effort == "none":
        request["thinking"] = {"type": "disabled"}
    elif not isinstance(effort, str) or effort not in BUDGETS:
        raise NotExpressible(
            f"reasoning_effort must be none or one of {', '.join(BUDGETS)}.",
            param="reasoning_effort",
        )
    elif BUDGETED.search(request["model"]):
        add_budget(request, BUDGETS[effort], limited=limited)
    else:
        request["thinking"] = {"type": "adaptive"}
        config = request.setdefault("output_config", {})
        config["effort"] = "low" if effort == "minimal" else effort
    refuse_beside_thinking(request)


def add_budget(request: Json, budget: int, *, limited: bool) -> None:
    """The budget is a part of max_tokens and leaves room for the answer."""
    if loop_without_thought(request["messages"]):
        return
    room = request["max_tokens"]
    if not limited:
        request["max_tokens"] = room + budget
    elif room <= SMALLEST_BUDGET:
        raise NotExpressible(
            f"This model reasons only with max_completion_tokens above "
            f"{SMALLEST_BUDGET}.",
            param="reasoning_effort",
        )
    else:
        budget = min(budget, max(SMALLEST_BUDGET, room // 2))
    request["thinking"] = {"type": "enabled", "budget_tokens": budget}


def loop_without_thought(messages: list[Json]) -> bool:
    """Is a loop of tools open that didn't begin with a signed thought?

    Only from one do models that think within a budget go on thinking between calls.
    """
    content = messages[-1]["content"]
    if not isinstance(content, list) or content[0]["type"] != "tool_result":
        return False
    said = [m["content"] for m in messages if m["role"] == "assistant"]
    opening = said[-1][0] if said and isinstance(said[-1], list) else {}
    return opening.get("type") not in ("thinking", "redacted_thinking")


def refuse_beside_thinking(request: Json) -> None:
    """Anthropic refuses these together; another provider's model may not."""
    thinking = request.get("thinking")
    if not isinstance(thinking, dict) or thinking.get("type") == "disabled":
        return
    if request.get("tool_choice", {}).get("type") in ("any", "tool"):
        raise NotExpressible(
            "Anthropic's models can't be forced to call a tool while they reason.",
            param="tool_choice",
        )
    if request.get("temperature", 1) != 1:
        raise NotExpressible(
            "Anthropic's models reason at temperature 1 only. Leave it out.",
            param="temperature",
        )
