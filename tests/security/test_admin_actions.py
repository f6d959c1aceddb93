"""S35: what people do with a click, outside a form, is one line in the log too."""

import pytest
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from gateway.cache_rows import CacheProof, LearnedAlias
from gateway.models import ApiKey
from routing.models import Backend, Intent, Retirement, RouterModel, RoutingPolicy, Tier
from tests.gateway.admin.every_page import MAP, fill
from tests.gateway.admin.stored import stored
from tests.routing.test_router_admin import keep

pytestmark = pytest.mark.django_db

TOLD = {
    (ApiKey, "revoke_selected"): "Revoked.",
    (ApiKey, "erase_selected"): "Stored texts erased.",
    (Backend, "drain"): "Draining.",
    (CacheProof, "reset"): "Reset.",
    (LearnedAlias, "refuse"): "Refused.",
    (Retirement, "confirm"): "Confirmed: 2026-12-24.",
    (RouterModel, "watch"): "Watched.",
    (RouterModel, "retire"): "Retired.",
}
# Logged with what it needs, below; or no change of what is configured.
OTHERS = {"activate", "step_back", "cancel", "resume", "again", "compare", "from_here"}


def act(client, model, action: str, row) -> None:
    url = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
    chosen = {"action": action, ACTION_CHECKBOX_NAME: [row.pk], "confirmed": "yes"}
    assert client.post(reverse(url), chosen).status_code == 302


def told() -> list[str]:
    entries = LogEntry.objects.order_by("pk")
    return [entry.get_change_message() for entry in entries]


def test_s35_every_action_is_known_here():
    pages = admin.site._registry.items()
    actions = {(model, name) for model, page in pages for name in page.actions or ()}

    unknown = {name for model, name in actions if (model, name) not in TOLD}
    assert {name for name in unknown if isinstance(name, str)} == OTHERS


@pytest.mark.parametrize(("model", "action"), TOLD, ids=[name for _, name in TOLD])
def test_s35_an_action_is_one_line_in_the_log(admin_client, model, action: str):
    fill("plain")
    row = model._base_manager.order_by("-pk").first()
    before = stored()

    act(admin_client, model, action, row)

    assert stored() != before
    assert told() == [TOLD[model, action]]
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.user.username) == (str(row.pk), "admin")


def test_s35_routers_that_decide_and_steps_back_are_in_the_log(admin_client):
    RoutingPolicy.load()
    RoutingPolicy.objects.update(learning="auto")
    first, second = keep(), keep()

    for action, router in (
        ("activate", first),
        ("activate", second),
        ("step_back", second),
        ("step_back", first),
        ("step_back", first),
    ):
        act(admin_client, RouterModel, action, router)

    assert told() == [
        "Activated.",
        "Activated.",
        "Activated again, by a step back.",
        "Watches only, by a step back.",
        "Retired, by a step back.",
    ]


def test_s35_pins_and_resets_of_the_heat_map_are_in_the_log(admin_client):
    fill("plain")
    cell = {
        "intent": Intent.objects.get(slug="plain").pk,
        "tier": "1",
        "backend": "haiku",
    }
    for action in ("pin", "reset"):
        form = {**cell, "scope": "plain", "action": action, "value": "0.25"}
        admin_client.post(reverse(MAP), form)

    assert told() == ["haiku: Pinned at 0.25.", "haiku: Reset."]


def test_s35_a_row_that_is_restored_is_a_line_in_the_log(admin_client):
    tier = Tier.objects.create(rank=1, name="first")
    tier.name = "second"
    tier.save()
    version = Tier.history.order_by("history_id").first().history_id

    url = reverse("admin:routing_tier_history", args=(tier.pk,))
    admin_client.post(url, {"version": version})

    tier.refresh_from_db()
    assert tier.name == "first"
    assert len(told()) == 1
    assert told()[0].startswith("Restored as of")
