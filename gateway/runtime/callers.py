"""Keys and teams of the database as callers of the request path."""

from collections.abc import Iterator
from decimal import Decimal
from zoneinfo import ZoneInfo

from gateway.ledger.books import Caller
from gateway.limits.rules import UTC, Kind, Rule
from gateway.limits.windows import Period
from gateway.models import ApiKey, Team
from routing.pricing import NANO_PER_USD

LIMITS: tuple[tuple[str, Kind, Period], ...] = (
    ("requests_per_minute", "requests", "minute"),
    ("tokens_per_minute", "tokens", "minute"),
    ("budget_day_usd", "usd", "day"),
    ("budget_week_usd", "usd", "week"),
    ("budget_month_usd", "usd", "month"),
)


def caller_of(key: ApiKey) -> Caller:
    """What the request path knows of a key. Its team has been read with it."""
    team = key.team
    zone = ZoneInfo(team.time_zone) if team else UTC
    rules = [*rules_of(key, f"key:{key.pk}", f'key "{key.name}"', zone)]
    if team:
        rules += rules_of(team, f"team:{team.pk}", f'team "{team.name}"', zone)
    return Caller(
        scope=key.scope,
        key_name=key.name,
        team=team.name if team else "",
        key_id=key.pk,
        min_tier=key.min_tier,
        max_tier=key.max_tier,
        may_pin=key.may_pin,
        max_in_flight=key.max_in_flight,
        models=key.models_allowed,
        rules=tuple(rules),
        contents=key.contents,
    )


def is_limited(row: ApiKey | Team) -> bool:
    return any(getattr(row, column) is not None for column, _, _ in LIMITS)


def rules_of(
    row: ApiKey | Team, subject: str, owner: str, zone: ZoneInfo
) -> Iterator[Rule]:
    for column, kind, period in LIMITS:
        limit: int | Decimal | None = getattr(row, column)
        if limit is not None:
            nano = NANO_PER_USD if kind == "usd" else 1
            yield Rule(subject, owner, kind, period, int(limit * nano), zone)
