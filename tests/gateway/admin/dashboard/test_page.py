import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gateway.admin.dashboard.live import live_state
from gateway.asgi.context import RUNTIME
from gateway.ledger import store
from tests.gateway.ledger.samples import attempt, request
from tests.harness import ask, one_backend, serving

pytestmark = pytest.mark.django_db


def spend(count: int, **fields: object) -> None:
    at = timezone.now().isoformat()
    for number in range(count):
        name = f"{fields.get('key_name', 'r')}-{number}"
        store.save(
            [request(name, at=at, **fields)],
            [attempt(name, at=at, cost_nano=1_500_000_000, **fields)],
            may_exist=False,
        )


def test_the_numbers_of_the_period_are_shown_with_tables_beside_the_charts(
    admin_client,
):
    spend(2, key_name="laptop", team="research")

    page = admin_client.get("/admin/?days=7").content.decode()

    assert "$3.00" in page
    assert 'aria-current="page"' in page
    for title in ("By model", "By tier", "By key", "By team", "By tag"):
        assert title in page
    assert "laptop" in page
    assert page.count('role="img"') == 3
    assert "Money and requests as a table" in page
    assert "This chart as a table" in page


@pytest.mark.parametrize("show", ["requests", "tokens"])
def test_counts_over_time_have_whole_numbers_on_their_axes(admin_client, show):
    spend(1, prompt_tokens=2, completion_tokens=1)

    page = admin_client.get("/admin/", {"show": show}).content.decode()

    drawn = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    counted = [one for one in drawn if "Dollars" not in one and "dash-chart" in one]
    marks = re.findall(r'text-anchor="end"[^>]*>([^<]+)<', "".join(counted))
    assert len(counted) == 2
    assert marks
    assert all("." not in mark for mark in marks)


@pytest.mark.parametrize("days", ["x", "0", "999999999999", "-7", "٧"])
def test_a_made_up_period_is_today(admin_client, days):
    spend(1)

    response = admin_client.get("/admin/", {"days": days})

    assert [p.name for p in response.context["periods"] if p.current] == ["Today"]


def test_more_keys_need_no_more_queries(admin_client):
    spend(1, key_name="first")
    with CaptureQueriesContext(connection) as few:
        admin_client.get("/admin/")
    for number in range(20):
        spend(1, key_name=f"key {number}")
    with CaptureQueriesContext(connection) as many:
        admin_client.get("/admin/")

    assert len(many) <= len(few)
    read = " ".join(query["sql"] for query in many)
    assert "gateway_requestlog" not in read
    assert "gateway_attempt" not in read


def test_who_may_see_neither_requests_nor_backends_sees_no_numbers(client):
    client.force_login(User.objects.create_user("guest", is_staff=True))
    spend(1)

    response = client.get("/admin/")

    assert response.status_code == 200
    assert "cards" not in response.context
    assert "live" not in response.context
    assert client.get("/admin/live/").status_code == 403


def test_the_live_state_is_for_people_who_are_logged_in(client):
    assert client.get("/admin/live/").status_code == 403
    assert client.post("/admin/live/").status_code == 405


async def test_the_live_state_names_each_backend_and_what_changed_last(
    upstream, tmp_path
):
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        await ask(gateway)
        page = RequestFactory().get("/admin/live/")
        page.scope = {RUNTIME: gateway.runtime}
        state = live_state(page)

    [backend] = state["backends"]
    assert backend["name"] == "small"
    assert backend["status"] == "healthy"
    assert backend["in_flight"] == "0"
    assert backend["calls"] == "1 (0 failed)"
    assert backend["change"].endswith("ago: It answers.")
