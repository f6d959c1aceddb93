"""The policy: one form, with every field."""

import pytest
from django.urls import reverse

from routing.models import RoutingPolicy
from tests.routing.admin_forms import errors, save

pytestmark = pytest.mark.django_db


def test_the_policy_is_its_own_list_and_is_neither_added_nor_deleted(admin_client):
    response = admin_client.get(
        reverse("admin:routing_routingpolicy_changelist"), follow=True
    )

    assert response.request["PATH_INFO"] == "/admin/routing/routingpolicy/1/change/"
    fieldsets = [fieldset.name for fieldset in response.context["adminform"]]
    assert fieldsets == [
        "Who decides",
        "Cache",
        "Audits of the cache",
        "Sharing",
        "Budgets near their end",
        "Retries and time-outs",
        "Learned",
        "Cascade",
        "Logs",
    ]
    add, delete = "/admin/routing/routingpolicy/add/", "../delete/"
    assert add not in response.content.decode()
    assert delete not in response.content.decode()
    assert admin_client.get(add).status_code == 403


def test_every_field_of_the_policy_is_on_its_page(admin_client):
    RoutingPolicy.load()
    page = admin_client.get("/admin/routing/routingpolicy/1/change/")

    shown = set(page.context["adminform"].form.fields)
    assert shown == {field.name for field in RoutingPolicy._meta.fields} - {"id"}


def test_a_policy_out_of_bounds_is_refused(admin_client):
    policy = RoutingPolicy.load()

    response = save(admin_client, policy, cache_similarity="1.5")

    assert "cache_similarity" in errors(response)
    assert policy.cache_similarity == 0.85


@pytest.mark.parametrize(
    ("column", "most"),
    [("cache_audit_budget_usd", 10**9), ("cache_ttl_seconds", 3_162_240_000)],
)
def test_amounts_that_nothing_can_be_reckoned_with_are_refused(
    admin_client, column, most
):
    policy = RoutingPolicy.load()

    response = save(admin_client, policy, **{column: "1e300"})

    told = f"Ensure this value is less than or equal to {most}."
    assert errors(response)[column] == [told]
    save(admin_client, policy, **{column: most})
    assert getattr(policy, column) == most
