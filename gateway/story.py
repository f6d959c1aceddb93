"""What became of a request, worked out from what the books hold of it.

For `GET /v1/requests/{id}` and for its page in the admin, which say the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from gateway.ledger.books import LOCAL_SCOPE
from gateway.models import Attempt, RequestContent, RequestLog
from routing.chat import Json
from routing.pricing import TOKENS_PER_PRICE


@dataclass(frozen=True, slots=True)
class CostLine:
    """One kind of tokens of one call. `nano_usd` is exact, so it may be a fraction."""

    what: str
    tokens: int
    nano_usd_per_million: int

    @property
    def nano_usd(self) -> float:
        return self.tokens * self.nano_usd_per_million / TOKENS_PER_PRICE


def cost_lines(attempt: Attempt) -> list[CostLine]:
    """What a call's cost is the sum of, rounded up once; empty when nothing is known.

    As routing.pricing.cost_nano charges: the stored price is the one for its length.
    """
    price = attempt.price if isinstance(attempt.price, dict) else {}
    if attempt.state == Attempt.State.FREE:
        return []
    cached, written = attempt.cached_tokens, attempt.cache_write_tokens
    for_an_hour = min(attempt.cache_write_1h_tokens, written)
    kinds = (
        ("input", max(0, attempt.prompt_tokens - cached - written)),
        ("cache_read", cached),
        ("cache_write", written - for_an_hour),
        ("cache_write_1h", for_an_hour),
        ("output", attempt.completion_tokens),
    )
    return [
        CostLine(WORDS[kind], tokens, price[kind])
        for kind, tokens in kinds
        if tokens and isinstance(price.get(kind), int)
    ]


WORDS = {
    "input": "prompt tokens",
    "cache_read": "prompt tokens read from the provider's cache",
    "cache_write": "prompt tokens written to the provider's cache",
    "cache_write_1h": "prompt tokens written there to be kept for an hour",
    "output": "answer tokens",
}


def cost_json(attempt: Attempt) -> list[Json]:
    return [{**asdict(line), "nano_usd": line.nano_usd} for line in cost_lines(attempt)]


def who_asked(log: RequestLog) -> str:
    """The first decision of all: who this is, and whose answers it may share."""
    if log.scope == LOCAL_SCOPE or not log.key_name:
        return f"No key is needed here; its scope is {log.scope}."
    team = f" of team {log.team}" if log.team else ""
    return f"The key {log.key_name}{team}; answers are shared within {log.scope}."


def why_not_cheaper(log: RequestLog) -> list[str]:
    """In sentences: what kept this request from costing less."""
    if log.cache == "HIT":
        return ["It cost nothing: the answer came from the cache."]
    if log.cache == "SHARED":
        return ["It cost nothing: it shared the answer of one that was under way."]
    steps = [step for step in log.decisions if isinstance(step, dict)]
    reasons = [text_of(step) for step in of_kind(steps, "cache", "sharing")]
    reasons += [text_of(step) for step in of_kind(steps, "model", "tier", "router")]
    for step in of_kind(steps, "backend", "failure", "retry"):
        passed = step.get("passed_over")
        names = passed if isinstance(passed, list) else []
        reasons += [f"Passed over: {each}" for each in names]
        if step["step"] != "backend":
            reasons.append(text_of(step))
    if log.attempts > 1:
        reasons.append(f"It took {log.attempts} calls; failed ones may cost as well.")
    return [reason for reason in reasons if reason]


def of_kind(steps: Iterable[Json], *kinds: str) -> Iterator[Json]:
    return (step for step in steps if step.get("step") in kinds)


def text_of(step: Json) -> str:
    return str(step.get("text", ""))


def contents_of(request_id: str) -> Json | None:
    """What was said, where it is kept."""
    kept = RequestContent.objects.filter(request_id=request_id)
    columns = kept.values("messages", "answer", "answer_chars", "left_out").first()
    return dict(columns) if columns else None
