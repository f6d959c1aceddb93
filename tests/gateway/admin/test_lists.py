"""What the lists of the admin say of their rows, and of having none."""

import re

import pytest
from django.urls import reverse

from tests.gateway.admin.every_page import fill

pytestmark = pytest.mark.django_db


def shown(admin_client, name: str, query: str = "") -> str:
    url = reverse(f"admin:{name}_changelist")
    return admin_client.get(url + query).content.decode()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("routing_price", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC<"),
        ("gateway_apikey", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC<"),
        ("gateway_requestlog", "Time, UTC"),
        ("routing_retirement", r"\b2026-12-24<"),
    ],
)
def test_moments_are_told_with_their_zone_and_days_alike(admin_client, name, told):
    fill("plain")

    page = shown(admin_client, name)

    assert re.search(told, page)
    assert not re.search(r"[ap]\.m\.", page)


@pytest.mark.parametrize(
    "name", ["gateway_requestlog", "gateway_attempt", "workflows_app_workflowrun"]
)
def test_the_choices_of_a_filter_are_not_counted_in_large_tables(admin_client, name):
    fill("plain")

    page = admin_client.get(reverse(f"admin:{name}_changelist") + "?_facets=True")

    assert not page.context["cl"].add_facets
    assert "Show counts" not in page.content.decode()


def test_only_a_list_that_something_was_left_out_of_offers_to_show_all(admin_client):
    fill("plain")

    assert "Show all" not in shown(admin_client, "gateway_spendday")
    assert "Show all" in shown(admin_client, "gateway_spendday", "?q=plain")


def test_an_empty_list_says_so_and_offers_a_new_row_only_where_one_can_be_made(
    admin_client,
):
    measured, backends = (
        shown(admin_client, name) for name in ("gateway_measuredday", "routing_backend")
    )
    none = shown(admin_client, "gateway_requestlog", "?q=req_1")

    assert "There are no measured days yet." in measured
    assert "Add measured day" not in measured
    assert "There are no backends yet." in backends
    assert "Add backend" in backends
    assert "No requests match the search and the filters." in none
