"""What a model can't be asked, where leaving it out is better than being refused.

The router chose the model, so a client can't know its limits. Each thing left out or
made smaller is told in the story of the request.
"""

from collections.abc import Iterator

from routing.catalog import Backend
from routing.chat import Json

SAMPLING = ("temperature", "top_p", "top_k")
LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
SMALLEST_BUDGET = 1024  # of tokens to think with, by Anthropic's rules


def fit(body: Json, backend: Backend) -> tuple[str, ...]:
    """Change the body, of any dialect, in place; what was changed, in sentences."""
    return (*without_sampling(body, backend), *within_limit(body, backend))


def without_sampling(body: Json, backend: Backend) -> Iterator[str]:
    if "sampling" not in backend.cannot:
        return
    for field in SAMPLING:
        if body.pop(field, None) is not None:
            yield f"{backend.name} takes no {field}: it was left out."


def within_limit(body: Json, backend: Backend) -> Iterator[str]:
    most = backend.max_output_tokens
    if most is None:
        return
    for field in LIMITS:
        asked = body.get(field)
        if isinstance(asked, int) and asked > most:
            body[field] = most
            shorten_thinking(body, most)
            yield f"{backend.name} writes {most} tokens at most: {field} was {asked}."


def shorten_thinking(body: Json, most: int) -> None:
    """A budget must leave room for the answer."""
    thinking = body.get("thinking")
    if not isinstance(thinking, dict) or thinking.get("type") != "enabled":
        return
    budget = thinking.get("budget_tokens")
    if isinstance(budget, int) and budget >= most:
        body["thinking"] = {
            **thinking,
            "budget_tokens": max(SMALLEST_BUDGET, most // 2),
        }
