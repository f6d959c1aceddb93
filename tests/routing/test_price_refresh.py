"""What a refresh proposes, and that it touches nobody's own prices."""

from datetime import UTC, datetime, timedelta

import pytest

from routing.catalog import PriceList
from routing.models import Backend, Price, Tier
from routing.price_refresh import Verdict, compare, moved, propose, propose_for, write

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DOLLAR = 10**9
SIDES = ("input", "output", "cache_read", "cache_write")


@pytest.fixture
def backend():
    return add("haiku")


def add(name, model="claude-haiku-4-5", **fields):
    tier, _ = Tier.objects.get_or_create(rank=1, name="small")
    fields = {"provider": "anthropic", "model": model, **fields}
    return Backend.objects.create(name=name, tier=tier, **fields)


def price(backend, dollars, source="genai-prices 0.1.0: x/y", days=-10, **fields):
    amounts = dict(zip(SIDES, (int(n * DOLLAR) for n in dollars), strict=True))
    return Price.objects.create(
        backend=backend,
        effective_from=NOW + timedelta(days=days),
        source=source,
        **{**amounts, **fields},
    )


def verdict(backend):
    return propose_for(backend, NOW).verdict


def prices(backend):
    rows = backend.prices.order_by("effective_from")
    return [(row.input / DOLLAR, row.output / DOLLAR) for row in rows]


def test_a_backend_without_any_price_gets_the_known_one(backend):
    proposal = propose_for(backend, NOW)
    (row,) = write(proposal, NOW)

    assert (proposal.verdict, proposal.alarm) == (Verdict.NEW, "")
    assert (row.input, row.effective_from) == (DOLLAR, NOW)
    assert row.source.endswith("anthropic/claude-haiku-4-5")
    assert verdict(backend) is Verdict.SAME


def test_a_price_of_the_tables_is_followed_by_a_newer_one(backend):
    price(backend, (0.8, 4, 0.08, 1))
    proposal = propose_for(backend, NOW)
    write(proposal, NOW)

    assert (proposal.verdict, proposal.alarm) == (Verdict.CHANGED, "")
    assert prices(backend) == [(0.8, 4), (1, 5)]


@pytest.mark.parametrize("source", ["admin", "config.yaml", "", "genai-prices"])
def test_ones_own_price_is_kept_whatever_the_tables_say(backend, source):
    price(backend, (9, 9, 9, 9), source=source)
    proposal = propose_for(backend, NOW)

    assert (proposal.verdict, proposal.changes) == (Verdict.OWN, False)
    assert proposal.differs


def test_ones_own_price_of_tomorrow_is_kept_as_well(backend):
    price(backend, (0.8, 4, 0.08, 1))
    price(backend, (9, 9, 9, 9), source="admin", days=1)

    assert verdict(backend) is Verdict.OWN


def test_an_own_price_that_was_followed_by_the_tables_is_history(backend):
    price(backend, (9, 9, 9, 9), source="admin", days=-20)
    price(backend, (0.8, 4, 0.08, 1))

    assert verdict(backend) is Verdict.CHANGED


def test_a_model_that_nobody_knows_stays_unpriced():
    assert verdict(add("mine", "my-own-model")) is Verdict.UNKNOWN
    assert not Price.objects.exists()


def test_announced_prices_are_written_with_their_dates_and_replaced_when_they_change():
    before = datetime(2026, 3, 1, tzinfo=UTC)
    sonnet = add("sonnet", "claude-sonnet-4-6")
    write(propose_for(sonnet, before), before)
    first, second = sonnet.prices.order_by("effective_from")

    assert second.effective_from == datetime(2026, 3, 13, tzinfo=UTC)
    assert first.longer == [
        {
            "above": 200_000,
            "input": 6 * DOLLAR,
            "output": 225 * DOLLAR // 10,
            "cache_read": 6 * DOLLAR // 10,
            "cache_write": 75 * DOLLAR // 10,
        }
    ]
    assert first.value().longer[0][0] == 200_000
    assert propose_for(sonnet, before).verdict is Verdict.SAME

    second.input = 1
    second.save()
    proposal = propose_for(sonnet, before)
    write(proposal, before)
    assert proposal.verdict is Verdict.CHANGED
    assert sonnet.prices.count() == 2
    assert propose_for(sonnet, before).verdict is Verdict.SAME
    # The day has come: what was announced holds.
    assert propose_for(sonnet, NOW).verdict is Verdict.SAME


def test_a_move_above_three_times_is_an_alarm(backend):
    price(backend, (0.33, 5, 0.1, 1.25))

    assert propose_for(backend, NOW).alarm == "Input goes up 3.0 times."


@pytest.mark.parametrize(
    ("old", "new", "alarm"),
    [
        (100, 100, ""),
        (100, 300, ""),
        (300, 100, ""),
        (100, 301, "goes up 3.0 times."),
        (500, 100, "goes down 5.0 times."),
        (0, 100, "is not free any more."),
        (100, 0, "becomes free."),
        (1, 1000, "goes up 1000 times: a mistake in the unit?"),
        (1050, 1, "goes down 1000 times: a mistake in the unit?"),
        (10**6, 1, "goes down 1000000 times: a mistake in the unit?"),
    ],
)
def test_what_is_suspicious(old, new, alarm):
    assert moved(old, new) == alarm


def test_the_price_of_long_prompts_is_looked_at_as_well():
    long = PriceList(70, 10, 10, 10)
    before = PriceList(10, 10, 10, 10)
    after = PriceList(10, 10, 10, 10, longer=((100, long),))

    assert compare(before, after) == "Input goes up 7.0 times."
    assert compare(after, before) == "Input goes down 7.0 times."
    assert compare(after, after) == ""


def test_a_first_price_beyond_reason_is_an_alarm():
    assert "mistake in the unit" in compare(None, PriceList(3000 * DOLLAR, 0, 0, 0))


def test_what_was_shown_and_what_is_written_can_be_told_apart(backend):
    shown = propose_for(backend, NOW).digest
    assert propose_for(backend, NOW + timedelta(minutes=5)).digest == shown

    price(backend, (0.8, 4, 0.08, 1))
    assert propose_for(backend, NOW).digest != shown


def test_all_backends_are_looked_at_in_their_order(backend):
    add("mine", "my-own-model")

    assert [each.backend.name for each in propose(Backend.objects.all(), NOW)] == [
        "haiku",
        "mine",
    ]
