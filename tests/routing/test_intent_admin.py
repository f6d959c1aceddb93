import pytest
from django.urls import reverse

from routing.models import Backend, Intent, Tier, Trail, TrailPin

pytestmark = pytest.mark.django_db
MAP = "admin:routing_intent_map"


@pytest.fixture(autouse=True)
def one_cell():
    Intent.objects.all().delete()
    code = Intent.objects.create(slug="code", words="python")
    tier = Tier.objects.create(rank=1, name="small")
    Backend.objects.create(name="haiku", tier=tier, provider="ollama", model="m")
    Trail.objects.create(
        scope="a",
        intent=code,
        tier=1,
        backend="haiku",
        day="2999-01-01",  # never faded
        votes=20,
        weight=16.0,
        reward=16.0,
    )
    return code


def act(client, code, **fields):
    cell = {"intent": code.pk, "tier": 1, "backend": "haiku", **fields}
    page = client.post(reverse(MAP) + "?scope=a", cell, follow=True)
    return page.content.decode()


def test_the_map_shows_value_interval_and_votes(admin_client):
    page = admin_client.get(reverse(MAP), {"scope": "a"}).content.decode()

    # (16 + 0.6 * 4) / 20, and 1.96 * sqrt(0.25 / 20) around it.
    assert "<strong>0.92</strong>" in page
    assert "[0.70, 1.00], 20 votes" in page
    everybody = admin_client.get(reverse(MAP)).content.decode()
    assert "<strong>0.60</strong>" in everybody


def test_a_cell_is_pinned_and_reset(admin_client, one_cell):
    page = act(admin_client, one_cell, action="pin", value="0.25")
    assert "code at haiku: Pinned at 0.25." in page
    assert "<strong>0.25</strong>" in page
    assert TrailPin.objects.get().scope == "a"

    page = act(admin_client, one_cell, action="reset")
    assert "<strong>0.60</strong>" in page
    assert not TrailPin.objects.exists()
    assert not Trail.objects.exists()


@pytest.mark.parametrize("fields", [{"action": "pin", "value": "x"}, {"intent": "7"}])
def test_nonsense_changes_nothing(admin_client, one_cell, fields):
    assert "A pin is a number from 0 to 1." in act(admin_client, one_cell, **fields)
    assert Trail.objects.count() == 1


def test_who_may_not_change_intents_may_not_pin(client, one_cell, django_user_model):
    reader = django_user_model.objects.create_user("r", password="r", is_staff=True)
    client.force_login(reader)

    assert client.get(reverse(MAP)).status_code == 403
    from django.contrib.auth.models import Permission

    reader.user_permissions.add(Permission.objects.get(codename="view_intent"))
    page = client.get(reverse(MAP), {"scope": "a"})
    assert page.status_code == 200
    assert 'value="pin"' not in page.content.decode()
    posted = client.post(reverse(MAP), {"action": "reset", "intent": one_cell.pk})
    assert posted.status_code == 403


def test_a_cue_that_does_not_exist_is_refused(admin_client, one_cell):
    page = "/admin/routing/intent/add/"

    answer = admin_client.post(page, {"slug": "chess", "bias": "0", "cues": "toolz 2"})

    assert "is no cue; did you mean" in answer.content.decode()
    assert not Intent.objects.filter(slug="chess").exists()
