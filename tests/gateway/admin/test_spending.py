from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from gateway.admin.overview import near_end, overview
from gateway.models import ApiKey, MeasuredDay, SpendDay, Team
from routing.models import RoutingPolicy

pytestmark = pytest.mark.django_db

PAGE = "/admin/gateway/spendday/"
# A Wednesday in UTC, and Thursday already in Auckland.
NOW = datetime(2026, 11, 18, 12, 30, tzinfo=UTC)
CENT = 10_000_000


def spend(day: str, key_id: int, nano: int, team: str = "") -> None:
    SpendDay.objects.create(day=day, key_id=key_id, team=team, spent_nano=nano)


def cells(title: str, now: datetime = NOW) -> dict[str, list[str]]:
    """What each row of a table shows: spent, limit and state."""
    tables = {name: lines for name, lines, _ in overview(now)["spend_tables"]}
    return {
        line.name: [
            f"{cell.spent} {cell.limit} {cell.state}".strip() for cell in line.cells
        ]
        for line in tables[title]
    }


def test_days_weeks_and_months_are_those_of_the_team():
    key, _ = ApiKey.issue("ci", team="kiwi")
    other, _ = ApiKey.issue("own")
    Team.objects.update(time_zone="Pacific/Auckland")
    for holder, team in ((key.pk, "kiwi"), (other.pk, "")):
        for day in ("2026-10-31", "2026-11-01", "2026-11-16", "2026-11-18"):
            spend(day, holder, CENT, team)
    spend("2026-11-19", key.pk, CENT, "kiwi")

    assert cells("Keys") == {
        "ci": ["$0.01", "$0.03", "$0.04"],
        "own": ["$0.01", "$0.02", "$0.03"],
    }
    assert cells("Teams") == {"kiwi": ["$0.01", "$0.03", "$0.04"]}


def test_a_team_is_the_sum_of_its_keys_and_keeps_what_a_gone_one_spent():
    key, _ = ApiKey.issue("ci", team="web")
    spend("2026-11-18", key.pk, CENT, "web")
    spend("2026-11-18", 999, 2 * CENT, "web")

    assert cells("Teams") == {"web": ["$0.03"] * 3}


def test_budgets_near_their_end_come_first_and_are_flagged(admin_client):
    for name, day in (("calm", 5), ("near", 0.05), ("over", 0.02)):
        key, _ = ApiKey.issue(name, budget_day_usd=str(day), team="web")
        spend(timezone.now().date().isoformat(), key.pk, 4 * CENT, "web")
    ApiKey.issue("none", budget_day_usd="0")
    now = timezone.now()

    assert list(cells("Keys", now)) == ["over", "none", "near", "calm"]
    shown = {name: row[0] for name, row in cells("Keys", now).items()}
    assert shown == {
        "over": "$0.04 $0.02 over",
        "none": "$0.00 $0.00 over",
        "near": "$0.04 $0.05 near",
        "calm": "$0.04 $5.00",
    }
    told = list(near_end(now))
    assert (
        told[0] == "The day's budget of the key over: $0.04 of $0.02 (200 %) is spent."
    )
    assert len(told) == 3
    page = admin_client.get(PAGE).content.decode()
    assert page.count("near its end") == 1
    assert page.count("used up") == 2
    assert "The day&#x27;s budget of the key over" in (
        admin_client.get("/admin/").content.decode()
    )


def test_the_page_takes_the_same_queries_however_many_keys(
    django_assert_max_num_queries,
):
    keys = [
        ApiKey(name=f"key {n}", prefix="sk-", digest=f"{n:064d}") for n in range(300)
    ]
    made = ApiKey.objects.bulk_create(keys)
    days = [date(2026, 11, 18) - timedelta(days=n) for n in range(10)]
    SpendDay.objects.bulk_create(
        SpendDay(day=day, key_id=key.pk, spent_nano=CENT)
        for key in made
        for day in days
    )

    RoutingPolicy.load()

    with django_assert_max_num_queries(5):
        (_, (_, lines, count)) = overview(NOW)["spend_tables"]

    assert (len(lines), count) == (200, 300)


def test_only_who_may_see_spending_sees_it(client):
    ApiKey.issue("secret name", budget_day_usd="1")
    user = User.objects.create_user("eve", is_staff=True)
    client.force_login(user)
    assert client.get(PAGE).status_code == 403

    user.user_permissions.add(Permission.objects.get(codename="view_spendday"))
    page = client.get(PAGE)
    assert page.status_code == 200
    assert b"secret name" in page.content
    client.logout()
    assert client.get(PAGE).status_code == 302


def test_measured_savings_are_shown_beside_the_priced_ones(admin_client):
    page = admin_client.get("/admin/gateway/measuredday/").content.decode()
    assert "Nothing was measured yet. The policy's holdout share is 0.0%" in page

    today = timezone.now().date()
    for arm, cost in (("routed", CENT), ("holdout", 5 * CENT)):
        squares = 40 * (cost / 1000) ** 2
        MeasuredDay.objects.create(
            day=today,
            scope="team:t",
            arm=arm,
            requests=40,
            cost_nano=40 * cost,
            cost_squares=squares,
            saved_nano=40 * 3 * CENT if arm == "routed" else 0,
        )
    page = admin_client.get("/admin/gateway/measuredday/").content.decode()

    assert '<strong class="text-important">$1.60</strong>' in page  # measured
    assert "(95 % sure: $1.60 to $1.60)" in page
    assert '<strong class="text-important">$1.20</strong>' in page  # priced
    assert "Too few requests" not in page


def test_a_row_without_a_key_says_whose_it_is(admin_client):
    spend("2026-11-18", 0, CENT)
    spend("2026-11-18", 999, CENT)

    shown = admin_client.get(PAGE).content.decode()

    assert "none: open mode and the playground" in shown
    assert "#999" in shown
