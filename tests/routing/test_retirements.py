"""Models that providers turn off, and the backends that this meets."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from routing.models import Backend, Retirement, Tier
from routing.providers import PROVIDERS
from routing.retirement_defaults import RETIREMENTS
from routing.retirements import NOTICE, endings

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 26)


@pytest.fixture
def openai():
    """A backend of OpenAI's own address; its model's end is the only one known."""
    Retirement.objects.all().delete()
    Retirement.objects.create(
        provider="openai",
        names="gpt-5, o3-*",
        day="2026-12-11",
        source="https://there.example/",
        confirmed_on=TODAY,
    )
    return Backend(name="big", tier=Tier(rank=1), provider="openai", model="gpt-5")


def test_a_backend_is_named_with_the_day_of_its_models_end(openai):
    (found,) = endings([openai], TODAY)

    assert found.confirmed
    assert found.sentence(TODAY) == (
        "big: its provider turns gpt-5 off in 15 days, on 2026-12-11."
    )


def test_the_day_before_and_the_days_after_are_told_as_such(openai):
    (found,) = endings([openai], TODAY)

    assert "off tomorrow, on 2026-12-11." in found.sentence(date(2026, 12, 10))
    for day in (date(2026, 12, 11), date(2027, 1, 1)):
        assert "turned gpt-5 off on 2026-12-11." in found.sentence(day)


def test_a_day_that_nobody_confirmed_is_told_as_such(openai):
    Retirement.objects.update(confirmed_on=None)

    (found,) = endings([openai], TODAY)

    assert not found.confirmed
    assert found.sentence(TODAY) == (
        "big: its provider turns gpt-5 off in 15 days, on 2026-12-11. "
        "The day came with the gateway and is not confirmed."
    )


def test_an_operator_confirms_days_and_the_history_tells(admin_client, openai):
    Retirement.objects.update(confirmed_on=None)
    row = Retirement.objects.get()
    page = reverse("admin:routing_retirement_changelist")
    html = admin_client.get(page).content.decode()
    assert 'href="https://there.example/" rel="noreferrer">there.example<' in html
    assert "from excerpts that a search showed" in html

    admin_client.post(page, {"action": "confirm", "_selected_action": [row.pk]})

    row.refresh_from_db()
    assert row.confirmed_on == timezone.now().date()
    assert row.history.first().history_user.username == "admin"


@pytest.mark.parametrize("source", ["javascript:alert(1)//https://", "https://[x"])
def test_only_an_address_is_a_link(admin_client, openai, source):
    Retirement.objects.update(source=source)

    response = admin_client.get(reverse("admin:routing_retirement_changelist"))

    assert f'href="{source}' not in response.content.decode()
    assert source in response.content.decode()


def test_who_adds_a_day_has_just_read_it(admin_client):
    response = admin_client.get(reverse("admin:routing_retirement_add"))

    form = response.context["adminform"].form
    assert form["confirmed_on"].value() == timezone.now().date()


@pytest.mark.parametrize(
    ("model", "met"),
    [("gpt-5", True), ("gpt-5-mini", False), ("o3-pro", True), ("GPT-5", False)],
)
def test_models_are_met_by_name_or_glob(openai, model, met):
    openai.model = model

    assert bool(list(endings([openai], TODAY))) == met


@pytest.mark.parametrize(
    ("url", "met"),
    [
        ("https://api.openai.com/v1", True),
        ("https://api.openai.com", True),
        ("http://127.0.0.1:8000/v1", False),
    ],
)
def test_at_another_address_the_provider_does_not_decide(openai, url, met):
    openai.base_url = url

    assert bool(list(endings([openai], TODAY))) == met


def test_another_providers_model_of_that_name_goes_on(openai):
    openai.provider = "groq"

    assert list(endings([openai], TODAY)) == []


def test_nothing_is_said_before_there_is_need(openai):
    day = date(2026, 12, 11)

    assert list(endings([openai], day - NOTICE - timedelta(days=1))) == []
    assert list(endings([openai], day - NOTICE))


def test_the_first_of_several_ends_is_told(openai):
    Retirement.objects.create(provider="openai", names="gpt-*", day="2026-12-01")

    (found,) = endings([openai], TODAY)

    assert found.day == date(2026, 12, 1)


def test_what_providers_had_announced_is_there_from_the_start():
    rows = Retirement.objects.values_list("provider", "names", "source")

    assert not Retirement.objects.exclude(confirmed_on=None).exists()
    assert set(rows) == {(who, what, where) for who, what, _, where in RETIREMENTS}
    assert {who for who, *_ in rows} <= PROVIDERS.keys()


def test_a_year_that_is_none_shows_the_whole_list(admin_client):
    url = reverse("admin:routing_retirement_changelist")

    response = admin_client.get(f"{url}?day__year={10**19}", follow=True)

    assert response.status_code == 200
