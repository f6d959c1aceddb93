"""What the file changes about one backend, its key and its price."""

from datetime import datetime

from gateway.configuration.difference import Change, Detail, assign, change_of, is_new
from gateway.configuration.document import BackendEntry, KeyReference
from gateway.configuration.schema import BACKEND, PRICE
from gateway.configuration.values import usd_per_1k
from routing.fields import UndecryptableError, decrypt, encrypt
from routing.models import Backend, Price, Tier
from routing.price_refresh import new_rows, propose_for
from routing.providers import PROVIDERS
from routing.review import price_in_effect
from routing.secret import Secret

SOURCE = "config.yaml"


def plan_backend(
    entry: BackendEntry, row: Backend, tier: Tier, now: datetime, *, seed: bool
) -> Change:
    """`row` is the backend of that name, or a new one; it gets its new values. `seed`
    gives one without any price those that are known of its model."""
    current = None if is_new(row) else price_in_effect(row, now)
    address = (row.provider, row.base_url)
    details = assign(row, {**entry.columns, "tier": tier}, BACKEND)
    details += _assign_key(row, entry.api_key, moved=address != _address(row))
    price = _new_price(entry, row, current, now)
    if price is None:
        known = _known_prices(entry, row, now) if seed else []
        for first in known[:1]:
            details += _price_details(None, first)
        return change_of(f"backend {row.name}", row, details, *known)
    details += _price_details(current, price)
    return change_of(f"backend {row.name}", row, details, price)


def _address(row: Backend) -> tuple[str, str]:
    return (row.provider, row.base_url)


def _assign_key(row: Backend, key: KeyReference | None, *, moved: bool) -> list[Detail]:
    before = _shown_key(row)
    if key is None:
        if not (moved and row.api_key_value):
            return []
        # A stored key belongs to its address: another host must not be sent it.
        row.api_key_value = ""
        return [Detail("api_key", before, "forgotten, the address changed")]
    if row.api_key_env == key.env and _stored_key(row) == key.literal:
        return []
    row.api_key_env = key.env
    row.api_key_value = encrypt(key.literal.reveal())
    after = _shown_key(row)
    return [Detail("api_key", before, "changed" if before == after else after)]


def _stored_key(row: Backend) -> Secret | None:
    try:
        return Secret(decrypt(row.api_key_value))
    except UndecryptableError:
        return None


def _shown_key(row: Backend) -> str:
    if row.api_key_env:
        return f"${row.api_key_env}"
    return "set" if row.api_key_value else "none"


def _new_price(
    entry: BackendEntry, row: Backend, current: Price | None, now: datetime
) -> Price | None:
    """The price the file gives, when it isn't the one in effect."""
    if not entry.prices:
        return None
    stored = _sides(current) if current else {}
    wanted = {**_cache_prices(row.provider, entry.prices["input"]), **entry.prices}
    if all(stored.get(side) == wanted[side] for side in ("input", "output")):
        # A cache price from the admin stays as long as what it goes with does.
        wanted = {**stored, **entry.prices}
    if wanted == stored:
        return None
    return Price(backend=row, effective_from=now, source=SOURCE, **wanted)


def _known_prices(entry: BackendEntry, row: Backend, now: datetime) -> list[Price]:
    """What the tables say, for a backend that neither file nor database price."""
    if entry.prices or (not is_new(row) and row.prices.exists()):
        return []
    return list(new_rows(propose_for(row, now), now))


def _sides(price: Price) -> dict[str, int]:
    return {rule.column: getattr(price, rule.column) for rule in PRICE.values()}


def _cache_prices(provider: str, price: int) -> dict[str, int]:
    """What providers charge for prompt caching when the file doesn't say."""
    if PROVIDERS[provider].dialect == "anthropic":
        return {"cache_read": price // 10, "cache_write": price * 5 // 4}
    return {"cache_read": price, "cache_write": price}


def _price_details(current: Price | None, price: Price) -> list[Detail]:
    details = []
    for key, rule in PRICE.items():
        before = getattr(current, rule.column) if current else None
        after = getattr(price, rule.column)
        if before != after:
            was = "none" if before is None else usd_per_1k(before)
            details.append(Detail(key, was, usd_per_1k(after)))
    return details
