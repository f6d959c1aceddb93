"""What may be cached, what may be shared, and what never."""

from typing import NamedTuple

from gateway.cache.key import MARKS
from routing.catalog import Policy
from routing.chat import ChatRequest, Json

# One answer may take this part of the cache, so that none pushes out all others.
LARGEST_ENTRY = 1 / 8


class Reuse(NamedTuple):
    """What a request may reuse. `exact` and `semantic` are the levels it takes part
    in, `lookup` and `store` the directions; `reason` is the rule that took something
    away, "" when none did."""

    exact: bool
    semantic: bool
    share: bool
    lookup: bool
    store: bool
    reason: str


def decide(chat: ChatRequest, policy: Policy) -> Reuse:
    sampled = ""
    if not chat.allow_sampled_reuse and chat.dialect != "vectors":
        sampled = why_sampled(chat.body, policy)
    exact = policy.cache_enabled and not sampled
    not_semantic = "only the exact request counts here"
    if not chat.exact_only:
        not_semantic = why_exact_only(chat.body, policy)
    return Reuse(
        exact=exact,
        semantic=exact and not not_semantic,
        share=policy.sharing_enabled and not sampled and not chat.no_store,
        lookup=exact and not chat.no_cache,
        store=exact and not chat.no_store,
        reason=sampled
        or ("" if policy.cache_enabled else "the cache is off")
        or _asked(chat)
        or not_semantic,
    )


def why_sampled(body: Json, policy: Policy) -> str:
    """Why each call should give an answer of its own. An omitted temperature is no
    wish for variety; an explicit high one, or several choices, is."""
    temperature = body.get("temperature")
    if temperature is not None and temperature > policy.cache_max_temperature:
        return f"temperature {temperature} is above {policy.cache_max_temperature}"
    if (body.get("n") or 1) > 1:
        return "several choices are asked for"
    return ""


def why_exact_only(body: Json, policy: Policy) -> str:
    """Why another wording of the question may not get the same answer."""
    if policy.cache_matching == "exact":
        return "the policy matches exact requests only"
    if why := why_sampled(body, policy):
        return why
    if body.get("tools") or body.get("functions") or "web_search_options" in body:
        return "tools are offered"
    if body.get("response_format") not in (None, {"type": "text"}):
        return "a response format is asked for"
    if question(body) is None:
        return "not a single question in text"
    return ""


def question(body: Json) -> str | None:
    """The text of the only turn: one user message of one text, after instructions.

    In a longer conversation "and in Spain?" means what the earlier turns make of it.
    """
    *earlier, last = body["messages"]
    if last.get("role") != "user":
        return None
    for message in earlier:
        if message.get("role") not in ("system", "developer"):
            return None
    content = last.get("content")
    if isinstance(content, str):
        return content
    match content:
        case [{"type": "text", "text": str(text), **others}] if others.keys() <= MARKS:
            return text
    return None


def storable(completion: Json, size: int, policy: Policy, vectors: int = 0) -> str:
    """Why this answer must not be stored, or "". `size` is that of its JSON, `vectors`
    how many it should hold instead of choices."""
    if size > policy.cache_max_bytes * LARGEST_ENTRY:
        return "it is too large"
    if vectors:
        found = len(completion["data"])
        return "" if found == vectors else f"it holds {found} of {vectors} vectors"
    choices = completion.get("choices") or []
    if not choices:
        return "it holds no choice"
    for choice in choices:
        if why := _unfit(choice):
            return why
    return ""


def _unfit(choice: Json) -> str:
    message = choice.get("message") or {}
    if message.get("tool_calls") or message.get("function_call"):
        return "it calls a tool"
    if message.get("refusal"):
        return "it is a refusal"
    if choice.get("finish_reason") != "stop":
        return f"it finished with {choice.get('finish_reason')}"
    content = message.get("content")
    if not isinstance(content, str) or not content.strip():
        return "it has no text"
    return ""


def _asked(chat: ChatRequest) -> str:
    if chat.no_store:
        return "the client said no-store"
    if chat.no_cache:
        return "the client said no-cache"
    return ""
