"""What an empty gateway greets with; each step ticks itself off."""

import pytest
from django.contrib.auth.models import Group, User

from gateway.admin.dashboard.first_steps import PRESETS
from gateway.ledger import store
from gateway.models import ApiKey, RequestLog
from routing.models import Backend, Tier
from routing.providers import PROVIDERS
from tests.gateway.admin.rows import request_row
from tests.gateway.ledger.samples import request

pytestmark = pytest.mark.django_db

TIERS = "/admin/first-steps/tiers/"


def done(client) -> list[bool]:
    return [step.done for step in client.get("/admin/").context["first_steps"]]


def test_each_step_is_ticked_off_once_it_is_done(admin_client):
    assert done(admin_client) == [False] * 6

    admin_client.post(TIERS)
    assert done(admin_client) == [True] + [False] * 5

    Backend.objects.create(
        name="llama", tier=Tier.objects.first(), provider="ollama", model="llama"
    )
    ApiKey.issue("laptop")
    assert done(admin_client) == [True, True, False, True, False, False]

    failed = request_row(1)
    failed.status = 502
    failed.save()
    assert done(admin_client) == [True, True, False, True, True, False]
    live = admin_client.get("/admin/live/?steps=1").json()
    assert live["steps"] == done(admin_client)

    store.save([request("r2")], [], may_exist=False)
    live = admin_client.get("/admin/live/?steps=1").json()
    assert live["steps"] == [True] * 6
    assert admin_client.get("/admin/").context["first_steps"] == []


def test_three_tiers_are_made_once(admin_client):
    for _ in range(2):
        admin_client.post(TIERS)

    tiers = list(Tier.objects.values_list("rank", "name", "max_score"))
    assert tiers == [(1, "small", 30), (2, "medium", 70), (3, "large", None)]
    for tier in Tier.objects.all():
        tier.full_clean()


def test_the_links_of_the_presets_fill_the_form(admin_client):
    assert set(PRESETS) <= set(PROVIDERS)
    admin_client.post(TIERS)
    steps = admin_client.get("/admin/").context["first_steps"]

    for name, url in steps[1].links:
        form = admin_client.get(url).context["adminform"].form
        assert form["provider"].value() == name
        assert int(form["tier"].value()) == Tier.objects.get(rank=1).pk


def test_the_command_names_this_gateway(admin_client):
    [*_, send, _] = admin_client.get("/admin/").context["first_steps"]

    assert send.command.startswith("curl http://testserver/v1/chat/completions ")


def test_who_only_looks_gets_no_checklist_and_makes_no_tiers(client):
    user = User.objects.create_user("viewer", is_staff=True)
    user.groups.add(Group.objects.get(name="viewer"))
    client.force_login(user)

    assert "first_steps" not in client.get("/admin/").context
    assert client.post(TIERS).status_code == 403
    assert client.get(TIERS).status_code == 405
    assert not Tier.objects.exists()
    assert not RequestLog.objects.exists()
