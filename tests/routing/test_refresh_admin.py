"""The page on which prices are refreshed."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from routing.models import Backend, Price, Tier

pytestmark = pytest.mark.django_db
URL = "/admin/routing/price/refresh/"
DOLLAR = 10**9


@pytest.fixture(autouse=True)
def backends():
    tier = Tier.objects.create(rank=1, name="small")
    for name in ("new", "jumps"):
        Backend.objects.create(
            name=name, tier=tier, provider="anthropic", model="claude-haiku-4-5"
        )
    Backend.objects.create(name="local", tier=tier, provider="ollama", model="llama3")
    Price.objects.create(
        backend=Backend.objects.get(name="jumps"),
        effective_from=timezone.now(),
        input=DOLLAR // 5,
        output=5 * DOLLAR,
        cache_read=DOLLAR // 10,
        cache_write=DOLLAR,
        source="genai-prices 0.1: a/b",
    )


def boxes(page):
    """Each tick box of the page: what it sends, and whether it is ticked."""
    inputs = re.findall(r'<input type="checkbox"[^>]*name="take"[^>]*>', page)
    return [
        (re.search(r'value="(\w+)"', box)[1], bool(re.search(r"\bchecked\b", box)))
        for box in inputs
    ]


def test_what_is_suspicious_is_not_ticked_and_says_why(admin_client):
    page = admin_client.get(URL).content.decode()

    assert [ticked for _, ticked in boxes(page)] == [True, False]
    assert "Input goes up 5.0 times." in page
    assert "unpriced" in page
    assert "not in the tables" in page
    assert not Price.objects.filter(backend__name="new").exists()


def test_what_was_ticked_is_written_and_noted(admin_client):
    (new, _), _ = boxes(admin_client.get(URL).content.decode())
    answer = admin_client.post(URL, {"take": [new]}, follow=True)

    assert "live within a second: new." in answer.content.decode()
    assert Price.objects.filter(backend__name="new").count() == 1
    assert Price.objects.filter(backend__name="jumps").count() == 1
    assert "Prices of genai-prices" in LogEntry.objects.get().change_message


def test_the_separate_tick_takes_the_suspicious_one_over(admin_client):
    taken = [value for value, _ in boxes(admin_client.get(URL).content.decode())]
    admin_client.post(URL, {"take": taken})

    assert Price.objects.filter(backend__name="jumps").first().input == DOLLAR
    assert boxes(admin_client.get(URL).content.decode()) == []


def test_what_changed_since_it_was_shown_is_not_written(admin_client):
    (new, _), _ = boxes(admin_client.get(URL).content.decode())
    Backend.objects.filter(name="new").update(model="claude-opus-4-6")
    answer = admin_client.post(URL, {"take": [new]}, follow=True)

    assert "look once more" in answer.content.decode()
    assert not Price.objects.filter(backend__name="new").exists()


def test_who_may_not_add_prices_may_not_refresh_them(client):
    client.force_login(User.objects.create_user("viewer", is_staff=True))

    assert client.get(URL).status_code == 403


def test_the_list_of_prices_leads_there(admin_client):
    page = admin_client.get(reverse("admin:routing_price_changelist"))

    assert URL in page.content.decode()


def test_hostile_names_are_escaped(admin_client):
    hostile = "<script>alert(1)</script>"
    Backend.objects.filter(name="local").update(model=hostile)
    page = admin_client.get(URL).content.decode()

    assert hostile not in page
    assert "&lt;script&gt;" in page
