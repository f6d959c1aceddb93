"""New prices for backends: what would change, what is suspicious, and writing it.

A price somebody entered, or that came from a config.yaml, is never touched.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256

from django.db import transaction

from routing.catalog import PriceList
from routing.known_prices import SIDES, SOURCE, KnownPrice, known_prices
from routing.models import Backend, Price
from routing.money_format import exact_dollars
from routing.pricing import NANO_PER_USD
from routing.review import price_in_effect

SUSPICIOUS = 3  # times up or down
UNITS = (1000, 1_000_000)  # per thousand tokens, or per token, instead of per million
HIGHEST_PLAUSIBLE = 2000 * NANO_PER_USD  # per million tokens


class Verdict(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    OWN = "own"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the tables say about one backend's price. `alarm`, when there is one, says
    why a person should look before it is taken over."""

    backend: Backend
    current: Price | None
    known: tuple[KnownPrice, ...]
    verdict: Verdict
    alarm: str = ""

    @property
    def changes(self) -> bool:
        return self.verdict in (Verdict.NEW, Verdict.CHANGED)

    @property
    def differs(self) -> bool:
        """Does the price in effect differ from what the tables say of today?"""
        if self.current is None or not self.known:
            return False
        return self.current.value().amounts != self.known[0].price.amounts

    @property
    def digest(self) -> str:
        """Tells whether what is written is what somebody was shown."""
        before = self.current.value().amounts if self.current else None
        after = [(each.begins, each.price.amounts) for each in self.known]
        shown = repr((self.backend.pk, before, after))
        return sha256(shown.encode()).hexdigest()[:16]


def propose(backends: Iterable[Backend], now: datetime) -> list[Proposal]:
    """Compare each backend's prices with the tables. Reads rows, writes none."""
    return [propose_for(backend, now) for backend in backends]


def propose_for(backend: Backend, now: datetime) -> Proposal:
    known = known_prices(backend.provider, backend.base_url, backend.model, now)
    current = price_in_effect(backend, now) if backend.pk else None
    later = planned(backend, now)
    if not all(from_tables(row) for row in (current, *later) if row):
        return Proposal(backend, current, known, Verdict.OWN)
    if not known:
        return Proposal(backend, current, known, Verdict.UNKNOWN)
    first, *announced = known
    stored = [(row.effective_from, row.value().amounts) for row in later]
    if (
        current is not None
        and current.value().amounts == first.price.amounts
        and stored == [(each.begins, each.price.amounts) for each in announced]
    ):
        return Proposal(backend, current, known, Verdict.SAME)
    verdict = Verdict.CHANGED if current or later else Verdict.NEW
    return Proposal(backend, current, known, verdict, alarm_of(current, known))


def from_tables(row: Price) -> bool:
    return row.source.startswith(f"{SOURCE} ")


def planned(backend: Backend, now: datetime) -> list[Price]:
    """Prices that don't hold yet, earliest first."""
    rows = backend.prices.all() if backend.pk else ()
    later = (row for row in rows if row.effective_from > now)
    return sorted(later, key=lambda row: row.effective_from)


def alarm_of(current: Price | None, known: tuple[KnownPrice, ...]) -> str:
    """The first thing about these prices that looks wrong, in a sentence."""
    before = current.value() if current else None
    for each in known:
        if alarm := compare(before, each.price):
            day = f"From {each.begins:%Y-%m-%d}: " if each.begins else ""
            return day + alarm
        before = each.price
    return ""


def compare(before: PriceList | None, after: PriceList) -> str:
    """What is suspicious about a price, also about that of longer prompts."""
    borders = {above for price in (before, after) if price for above, _ in price.longer}
    for tokens in sorted({0, *(above + 1 for above in borders)}):
        old, new = before and before.of(tokens), after.of(tokens)
        for side in SIDES:
            name = side.replace("_", " ").capitalize()
            amount = getattr(new, side)
            if amount > HIGHEST_PLAUSIBLE:
                return f"{name} is dearer than any model: a mistake in the unit?"
            if old is not None and (alarm := moved(getattr(old, side), amount)):
                return f"{name} {alarm}"
    return ""


def moved(old: int, new: int) -> str:
    """How a price moved, when that is suspicious."""
    if old == new:
        return ""
    if not old or not new:
        return "becomes free." if old else "is not free any more."
    ratio = Decimal(max(old, new)) / min(old, new)
    if ratio <= SUSPICIOUS:
        return ""
    way = "up" if new > old else "down"
    for unit in UNITS:
        if abs(ratio / unit - 1) < Decimal("0.1"):
            return f"goes {way} {unit} times: a mistake in the unit?"
    return f"goes {way} {ratio:.1f} times."


def new_rows(proposal: Proposal, now: datetime) -> Iterator[Price]:
    """The rows of a proposal, not saved yet. What holds already gets none."""
    current = proposal.current
    for each in proposal.known:
        held = current is not None and current.value().amounts == each.price.amounts
        if each.begins is None and held:
            continue
        yield price_row(proposal.backend, each, now)


def price_row(backend: Backend, known: KnownPrice, now: datetime) -> Price:
    price = known.price
    return Price(
        backend=backend,
        effective_from=known.begins or now,
        input=price.input,
        output=price.output,
        cache_read=price.cache_read,
        cache_write=price.cache_write,
        longer=[
            {"above": above, **{side: getattr(step, side) for side in SIDES}}
            for above, step in price.longer
        ],
        source=known.source,
    )


def write(proposal: Proposal, now: datetime) -> list[Price]:
    """Make the proposal true; the rows that were added. Announced prices of the tables
    that don't hold yet are replaced: nothing was ever charged by them."""
    rows = list(new_rows(proposal, now))
    with transaction.atomic():
        for row in planned(proposal.backend, now):
            row.delete()
        for row in rows:
            row.save()
    return rows


@dataclass(frozen=True, slots=True)
class Shown:
    """A proposal for people, in dollars per million tokens."""

    now: str
    new: str
    source: str


def shown(proposal: Proposal) -> Shown:
    current = proposal.current.value() if proposal.current else None
    return Shown(
        now=in_dollars(current) if current else "unpriced",
        new="; ".join(
            in_dollars(each.price)
            + (f" from {each.begins:%Y-%m-%d}" if each.begins else "")
            for each in proposal.known
        ),
        source=proposal.known[0].source if proposal.known else "",
    )


def in_dollars(price: PriceList) -> str:
    """As `$3.00 in, $15.00 out, $0.30 cache read, $3.75 cache write`."""
    names = ("in", "out", "cache read", "cache write")
    sides = zip(names, SIDES, strict=True)
    text = ", ".join(f"${exact_dollars(getattr(price, s))} {name}" for name, s in sides)
    for above, step in price.longer:
        text += (
            f" (above {above} tokens ${exact_dollars(step.input)} in, "
            f"${exact_dollars(step.output)} out)"
        )
    return text
