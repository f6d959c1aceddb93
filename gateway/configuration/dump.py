"""The rows as a config.yaml, without any secret."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

import yaml
from django.db.models import Model

from gateway.configuration.intent_plan import PinInUse, pins_in_use
from gateway.configuration.schema import (
    BACKEND,
    INTENT,
    KEY,
    POLICY,
    PRICE,
    TEAM,
    Keys,
)
from gateway.configuration.values import Kind, usd_per_1k
from gateway.models import ApiKey, Team
from routing.models import Backend, Intent, ModelAlias, RoutingPolicy, Tier
from routing.models.seen import OF_LINES, first_unseen
from routing.price_refresh import from_tables
from routing.review import price_in_effect

MOST_RANKS = 100  # looked at for gaps; one at the largest rank means billions
PLAIN_KEYS = {key: rule for key, rule in BACKEND.items() if key != "api_key"}


def dump(now: datetime) -> str:
    """Loading this text again changes nothing."""
    stored = Backend.objects.select_related("tier").prefetch_related("prices")
    # A tier without backends has no place in a file.
    tiers = list(Tier.objects.filter(backends__isnull=False).distinct())
    aliases = ModelAlias.objects.select_related("tier", "backend")
    keys = ApiKey.objects.filter(revoked_at=None).select_related("team")
    policy = RoutingPolicy.objects.filter(pk=1).first() or RoutingPolicy(pk=1)
    pins = pins_in_use({row.name: row for row in stored}, {k.name: k for k in keys})
    parts = [
        "".join(_gaps(tiers)),
        _listed("models", (list(_backend(row, now)) for row in stored)),
        _listed("tiers", (list(_tier(row)) for row in tiers)),
        _section("classifier", (_threshold(row) for row in tiers[:-1])),
        # An empty list says that there is none: others may have some of their own.
        _listed("aliases", (list(_alias(row)) for row in aliases), empty=bool(stored)),
        _listed("teams", (list(_values(row, TEAM)) for row in Team.objects.all())),
        _listed("keys", (list(_values(row, KEY)) for row in keys)),
        *(_section(name, _values(policy, rules)) for name, rules in POLICY.items()),
        _listed(
            "intents",
            (list(_intent(row)) for row in Intent.objects.all()),
            empty=bool(stored),
        ),
        _listed("intent_pins", (list(_pin(each)) for each in pins)),
    ]
    return "\n".join(part for part in parts if part)


def _backend(row: Backend, now: datetime) -> Iterator[str]:
    yield from _values(row, PLAIN_KEYS)
    if row.api_key_env:
        yield _line("api_key", f"${row.api_key_env}")
    elif row.api_key_value:
        yield "# api_key: kept encrypted in the database"
    price = price_in_effect(row, now)
    if price and from_tables(price):
        yield f"# price: {price.source}"
    elif price:
        for key, rule in PRICE.items():
            yield f"{key}: {usd_per_1k(getattr(price, rule.column))}"


def _gaps(tiers: list[Tier]) -> Iterator[str]:
    """The admin may empty a tier, which no file may."""
    ranks = {row.rank for row in tiers}
    for rank in range(1, min(max(ranks, default=1), MOST_RANKS)):
        if rank not in ranks:
            yield (
                f"# Tier {rank} has no backend: give it one, or count the tiers anew, "
                "before this is loaded.\n"
            )


def _tier(row: Tier) -> Iterator[str]:
    yield _line("rank", row.rank)
    yield _line("name", row.name)


def _threshold(row: Tier) -> str:
    return _line(f"tier{row.rank}_max", row.max_score)


def _alias(row: ModelAlias) -> Iterator[str]:
    yield _line("pattern", row.pattern)
    if row.tier:
        yield _line("tier", row.tier.rank)
    if row.backend:
        yield _line("backend", row.backend.name)
    yield _line("position", row.position)


def _intent(row: Intent) -> Iterator[str]:
    yield from _values(row, INTENT)
    # Elsewhere the intent may be the one that every database begins with.
    for key, rule in INTENT.items():
        if rule.kind in (Kind.TEXT, Kind.LINES) and not getattr(row, rule.column):
            yield _line(key, "")


def _pin(pin: PinInUse) -> Iterator[str]:
    yield _line("intent", pin.row.intent.slug)
    yield _line("backend", pin.row.backend)
    if pin.scope:
        yield _line("scope", pin.scope)
    yield _line("value", pin.row.value)


def _values(row: Model, keys: Keys) -> Iterator[str]:
    """A line for each key whose column isn't empty."""
    for key, rule in keys.items():
        value = getattr(row, rule.column)
        if isinstance(value, Tier):
            value = value.rank
        if isinstance(value, Team):
            value = value.name
        if value not in (None, ""):
            yield _line(key, value)


def _line(key: str, value: object) -> str:
    """YAML's own quoting, so that a name such as "no" stays a name."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e16:
        value = int(value)
    if isinstance(value, str):
        value = str(value)  # a choice of Django's is a str that YAML doesn't know
    if isinstance(value, Decimal):
        return f"{key}: {value.normalize():f}"
    # What no file may hold is there to be seen; U+0085 would be read as a line's end.
    odd = isinstance(value, str) and first_unseen(value, OF_LINES)
    text: str = yaml.safe_dump({key: value}, allow_unicode=not odd, width=1 << 20)
    return text.rstrip("\n")


def _listed(name: str, items: Iterable[list[str]], *, empty: bool = False) -> str:
    lines = []
    for first, *rest in items:
        lines += [f"  - {first}", *(f"    {line}" for line in rest)]
    if not lines:
        return f"{name}: []\n" if empty else ""
    return f"{name}:\n" + "".join(f"{line}\n" for line in lines)


def _section(name: str, lines: Iterable[str]) -> str:
    body = "".join(f"  {line}\n" for line in lines)
    return f"{name}:\n{body}" if body else ""
