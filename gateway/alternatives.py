"""The backends beside the one that answered a request: how each stood then, what these
tokens would have cost there, and why it was not the one. For the request's page in the
admin and for `GET /v1/requests/{id}`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from gateway.models import RequestLog
from routing.catalog import PriceList
from routing.chat import Json, Usage
from routing.models import Backend, Tier
from routing.pricing import cost_nano, nano_to_usd
from routing.review import price_in_effect


@dataclass(frozen=True, slots=True)
class Alternative:
    """`price` is the one of that moment, for a prompt of that length."""

    backend: str
    tier: Tier
    then: str
    why_not: str
    price: PriceList | None
    cost_nano: int | None

    def to_json(self) -> Json:
        price = self.price
        return {
            "backend": self.backend,
            "tier": self.tier.rank,
            "then": self.then,
            "why_not": self.why_not,
            "price_usd_per_million": price
            and {
                "input": nano_to_usd(price.input),
                "output": nano_to_usd(price.output),
            },
            "cost_usd": None if self.cost_nano is None else nano_to_usd(self.cost_nano),
        }


def alternatives(log: RequestLog, models: Sequence[str] = ()) -> list[Alternative]:
    """Today's backends, by tier and price; `models` are globs of those to tell of."""
    usage = Usage(log.prompt_tokens, log.completion_tokens, log.cached_tokens)
    rows = Backend.objects.select_related("tier").prefetch_related("prices")
    priced = {row: price_then(row, log) for row in rows if told(row, models)}
    costs = {
        row.name: cost_nano(usage, price) for row, price in priced.items() if price
    }
    found = [
        Alternative(
            row.name,
            row.tier,
            standing(log, row.name),
            why_not(log, row, costs),
            price and price.of(usage.prompt),
            costs.get(row.name),
        )
        for row, price in priced.items()
    ]
    unpriced = float("inf")
    return sorted(
        found,
        key=lambda each: (
            each.tier.rank,
            unpriced if each.cost_nano is None else each.cost_nano,
        ),
    )


def told(row: Backend, models: Sequence[str]) -> bool:
    names = (row.name, row.model)
    return not models or any(fnmatchcase(n, glob) for n in names for glob in models)


def price_then(row: Backend, log: RequestLog) -> PriceList | None:
    price = price_in_effect(row, log.at)
    try:
        return None if price is None else price.value()
    except ValueError:
        return None


def standing(log: RequestLog, name: str) -> str:
    """How a backend stood when the call was made that was served."""
    facts = log.facts or {}
    if name == log.backend:
        if log.outcome == "error":
            return "failed"
        return "reused" if log.cache in ("HIT", "SHARED") else "answered"
    if name in facts.get("failed", ()):
        return "failed"
    if name in facts.get("out", ()):
        return "down, full or limited"
    if name in facts.get("off", ()):
        return "switched off or misconfigured"
    if name in passed_over(log):
        return "could not take it"
    return "could be asked" if "tokens" in facts else "-"


def passed_over(log: RequestLog) -> dict[str, str]:
    """Why each backend was left out that would have come before the chosen one."""
    steps = [step for step in log.decisions or () if isinstance(step, dict)]
    lists = [step.get("passed_over") for step in steps if step.get("step") == "backend"]
    lines = [str(line) for each in lists if isinstance(each, list) for line in each]
    found = [line.partition(": ") for line in lines]
    return {name: reason for name, _, reason in found}


def why_not(log: RequestLog, row: Backend, costs: dict[str, int]) -> str:
    """In a sentence; "" for the one that answered, or where nobody was needed."""
    if row.name == log.backend or log.tier is None:
        return ""
    if log.cache in ("HIT", "SHARED"):
        return "Nobody had to be asked."
    then = standing(log, row.name)
    if then in ("failed", "down, full or limited"):
        return f"It was {then}." if then != "failed" else "It was asked, and failed."
    if reason := passed_over(log).get(row.name):
        return reason
    if then == "switched off or misconfigured":
        return f"It was {then}."
    rank, own, chosen = row.tier.rank, costs.get(row.name), costs.get(log.backend)
    if rank < log.tier:
        return f"The decision was for tier {log.tier}."
    if rank > log.tier:
        return f"Tier {log.tier} is tried before it."
    if own is None:
        return "It has no price: it comes last in its tier."
    if chosen is None or own < chosen:
        return "It could not take this request, or another was preferred."
    if own == chosen:
        return "It costs the same; the other should answer sooner."
    return "It costs more than the one that was asked."
