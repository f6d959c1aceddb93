from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.limits.windows import Windows, window

ZURICH, KATHMANDU = ZoneInfo("Europe/Zurich"), ZoneInfo("Asia/Kathmandu")
HOUR = 3600


def at(text: str, zone: ZoneInfo) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        ("day", "2026-11-26T00:00", "2026-11-27T00:00"),
        ("week", "2026-11-23T00:00", "2026-11-30T00:00"),
        ("month", "2026-11-01T00:00", "2026-12-01T00:00"),
    ],
)
def test_periods_begin_at_the_teams_midnight_and_weeks_on_monday(period, start, end):
    found = window(period, KATHMANDU, at("2026-11-26T03:00", KATHMANDU))

    assert found.start == at(start, KATHMANDU)
    assert found.end == at(end, KATHMANDU)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_day_on_which_clocks_are_set_has_another_length(day, hours):
    found = window("day", ZURICH, at(f"{day}T12:00", ZURICH))

    assert found.end - found.start == hours * HOUR
    assert found.day == date.fromisoformat(day)


def test_a_month_ends_with_the_year():
    found = window("month", ZURICH, at("2026-12-31T23:59", ZURICH))

    assert found.end == at("2027-01-01T00:00", ZURICH)


def test_a_minute_is_one_of_the_clock():
    found = window("minute", ZURICH, 119.5)

    assert (found.start, found.end) == (60, 120)


@given(
    now=st.floats(0, 4e9),
    zone=st.sampled_from(["UTC", "Europe/Zurich", "America/St_Johns", "Pacific/Apia"]),
    period=st.sampled_from(["minute", "day", "week", "month"]),
)
def test_windows_hold_their_moment_and_meet_without_a_gap(now, zone, period):
    found = window(period, ZoneInfo(zone), now)

    assert found.holds(now)
    assert window(period, ZoneInfo(zone), found.end).start == found.end
    if period == "week":
        assert found.day.weekday() == 0


def test_a_window_is_remembered_until_it_ends():
    windows, start = Windows(), datetime(2026, 11, 26, tzinfo=UTC)
    utc = ZoneInfo("UTC")

    first = windows.at("day", utc, start.timestamp())

    assert windows.at("day", utc, start.timestamp() + 23 * HOUR) is first
    tomorrow = windows.at("day", utc, start.timestamp() + 24 * HOUR)
    assert tomorrow.day - first.day == timedelta(days=1)
