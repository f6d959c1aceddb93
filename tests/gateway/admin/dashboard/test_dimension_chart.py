"""One measure over time, split by one dimension, both chosen by links."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import RequestFactory

from gateway.admin.dashboard.breakdowns import TABLES
from gateway.admin.dashboard.dimension_chart import (
    COLOURS,
    MEASURES,
    OTHERS,
    OTHERS_COLOUR,
    DimensionChart,
    View,
    dimension_chart,
)
from gateway.admin.dashboard.numbers import Period
from gateway.ledger import store
from gateway.usage_rows import Dimension
from tests.gateway.ledger.samples import attempt, request

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 8, 15, 30, tzinfo=UTC)
DOLLAR = 1_000_000_000


def spend(name: str, dollars: int, at: datetime = NOW, **fields: object) -> None:
    money = {"cost_nano": dollars * DOLLAR, "at": at.isoformat()}
    store.save(
        [request(name, **money, **fields)],
        [attempt(name, **money, key_name=fields.get("key_name", "laptop"))],
        may_exist=False,
    )


def chart(by: Dimension, show: str, days: int = 1, **called: str) -> DimensionChart:
    view = View(days, by, show)
    return dimension_chart(view, Period(days, NOW), TABLES, called)


def told(found: DimensionChart) -> list[tuple[str, str, str]]:
    return [(part.name, part.told, part.share) for part in found.parts]


def test_the_dearest_keys_have_a_colour_each_and_the_others_one_together():
    for number in range(1, 11):
        spend(f"r{number}", number, key_name=f"key {number}")

    found = chart(Dimension.KEY, "spent")

    assert [part.name for part in found.parts] == [
        *(f"key {number}" for number in range(10, 3, -1)),
        OTHERS,
    ]
    assert [part.colour for part in found.parts] == [*COLOURS, OTHERS_COLOUR]
    assert told(found)[0] == ("key 10", "$10.00", "18.2%")
    assert told(found)[-1] == (OTHERS, "$6.00", "10.9%")


def test_each_hour_or_day_has_its_value_and_the_table_the_same():
    spend("a", 1, key_name="ci")
    spend("b", 2, NOW - timedelta(hours=3), key_name="ci")
    spend("c", 4, NOW - timedelta(days=2), key_name="ci")

    today, week = chart(Dimension.KEY, "spent"), chart(Dimension.KEY, "spent", 7)

    values = today.parts[0].values
    assert (values[15], values[12], sum(values)) == (1, 2, 3)
    assert week.parts[0].values == [0, 0, 0, 0, 4, 0, 3]
    assert week.table["headers"] == ("Time", "ci")
    assert week.table["rows"][-3:] == [
        ("06 Mar", "$4.00"),
        ("07 Mar", "$0.00"),
        ("08 Mar", "$3.00"),
    ]


def test_what_is_largest_depends_on_what_is_shown():
    spend("a", 9, key_name="dear")
    for number in range(3):
        spend(f"b{number}", 1, key_name="busy")

    assert [part.name for part in chart(Dimension.KEY, "spent").parts] == [
        *("dear", "busy")
    ]
    assert told(chart(Dimension.KEY, "requests")) == [
        ("busy", "3", "75.0%"),
        ("dear", "1", "25.0%"),
    ]


def test_shares_and_times_are_lines_that_know_when_nothing_was_asked():
    spend("a", 0, key_name="ci", cache="HIT", cache_level="exact")
    spend("b", 0, key_name="ci")

    reused = chart(Dimension.KEY, "reused")
    latency = chart(Dimension.KEY, "latency")

    assert told(reused)[0][:2] == ("ci", "50.0%")
    assert reused.parts[0].values[15] == 0.5
    assert reused.parts[0].values[14] is None
    assert latency.parts[0].values[15] == pytest.approx(19.5)
    assert "<path" in latency.picture
    assert not latency.adds_up


def test_the_others_percentile_is_that_of_all_their_requests():
    for number in range(9):
        fast = number < 8
        latency = 15 if fast else 900
        spend(f"r{number}", 0, key_name=f"key {number}", latency_ms=latency)

    found = chart(Dimension.KEY, "latency")

    assert found.parts[-1].name == OTHERS
    assert found.parts[-1].values[15] == pytest.approx(975)


def test_requests_by_tag_tier_and_way_of_answering_are_told_by_name():
    spend("a", 0, tags=["nightly", "prod"], tier=1)
    spend("b", 0, tags=["prod"], tier=2, cache="HIT", cache_level="exact")

    assert told(chart(Dimension.TAG, "requests")) == [
        ("prod", "2", "66.7%"),
        ("nightly", "1", "33.3%"),
    ]
    tiers = chart(Dimension.TIER, "requests", **{"1": "1 - small"})
    assert [part.name for part in tiers.parts] == ["1 - small", "2"]
    answers = chart(Dimension.ANSWER, "requests", **{"HIT exact": "Hit, exact"})
    assert [part.name for part in answers.parts] == ["Hit, exact", "MISS"]


def test_a_value_called_like_the_rest_is_not_mixed_with_it():
    for number in range(9):
        spend(f"r{number}", 9 - number, key_name=OTHERS if not number else f"k{number}")

    found = chart(Dimension.KEY, "spent")

    assert [(p.name, p.told) for p in found.parts if p.name == OTHERS] == [
        (OTHERS, "$9.00"),
        (OTHERS, "$3.00"),
    ]


def test_links_change_one_choice_and_leave_the_others(admin_client):
    spend("a", 1, datetime.now(UTC), key_name="ci", team="web")

    response = admin_client.get("/admin/?days=7&by=team&show=requests")

    split = response.context["split"]
    assert split.title == "Requests over time, by team"
    assert "?days=7&by=key&show=requests" in [c.query for c in split.dimensions]
    assert "?days=7&by=team&show=latency" in [c.query for c in split.measures]
    periods = response.context["periods"]
    assert [p.query for p in periods if not p.current][-1] == (
        "?days=30&by=team&show=requests"
    )
    chosen = [c.name for c in (*split.dimensions, *split.measures) if c.current]
    assert chosen == ["Team", "Requests"]
    assert '<a href="?days=7&amp;by=tag&amp;show=requests#over-time" >Tag</a>' in (
        response.content.decode()
    )


@pytest.mark.parametrize("asked", [{"by": "all"}, {"by": "x'"}, {"show": "<b>"}, {}])
def test_a_made_up_choice_is_money_by_model(asked):
    view = View.asked(RequestFactory().get("/admin/", asked), TABLES)

    assert view == View(1, Dimension.MODEL, "spent")


def test_without_requests_there_is_a_sentence_in_place_of_a_chart(admin_client):
    for by in TABLES:
        for show in MEASURES:
            url = f"/admin/?by={by.value}&show={show}"
            response = admin_client.get(url)

            assert response.context["split"].parts == []
    assert "Nothing yet." in response.content.decode()


@pytest.mark.parametrize("ground", ["#ffffff", "#111827"])
def test_every_colour_is_told_from_the_ground(ground):
    """WCAG 1.4.11: graphics have a contrast of three to one."""

    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (
            part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
            for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    for colour in (*COLOURS, OTHERS_COLOUR):
        dark, light = sorted(map(luminance, (colour, ground)))
        assert (light + 0.05) / (dark + 0.05) >= 3, colour
