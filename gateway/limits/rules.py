"""The limits of a caller as the request path reads them."""

from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from gateway.limits.windows import Period

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
