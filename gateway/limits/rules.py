"""The limits of a caller as the request path reads them."""

from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from gateway.limits.windows import Period
from routing.pricing import NANO_PER_USD

Kind = Literal["requests", "tokens", "usd"]
UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Left:
    """What a client is told of a limit: how much of it is left until `ends`."""

    limit: int
    remaining: int
    ends: float  # POSIX seconds


@dataclass(frozen=True, slots=True)
class Rule:
    """At most `limit` of `kind` in each `period`; dollars are nano-USD.

    `subject` is `key:ID` or `team:ID`, `owner` what people call it.
    """

    subject: str
    owner: str
    kind: Kind
    period: Period
    limit: int
    zone: ZoneInfo = UTC

    @property
    def is_budget(self) -> bool:
        return self.kind == "usd"


COMPARISONS = "learn:pairs"
AUDITS = "cache:audits"


def of_comparisons(budget_usd: float) -> Rule:
    """What learning may pay a day for comparing answers, over all scopes."""
    limit = round(budget_usd * NANO_PER_USD)
    return Rule(COMPARISONS, "comparisons", "usd", "day", limit)


def of_audits(budget_usd: float) -> Rule:
    """What the cache may pay a day for audits and for learning aliases."""
    limit = round(budget_usd * NANO_PER_USD)
    return Rule(AUDITS, "audits of the cache", "usd", "day", limit)
