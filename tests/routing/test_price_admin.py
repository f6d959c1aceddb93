"""Prices: typed in dollars, never edited, filled in where they are known."""

import pytest
from django.urls import reverse
from django.utils import timezone

from routing.models import Price
from tests.routing.admin_forms import form_of, save

pytestmark = pytest.mark.django_db


def test_a_price_is_typed_in_dollars_and_stored_in_nano_dollars(admin_client, backend):
    save(
        admin_client,
        backend,
        **{
            "prices-2-0-input": "0.80",
            "prices-2-0-output": "$4",
            "prices-2-0-cache_read": "0.08",
            "prices-2-0-cache_write": "",
        },
    )

    price = Price.objects.get()
    assert (price.input, price.output) == (800_000_000, 4_000_000_000)
    assert (price.cache_read, price.cache_write) == (80_000_000, 800_000_000)
    page = admin_client.get(reverse("admin:routing_backend_changelist"))
    assert "0.80 / 4.00" in page.content.decode()


def test_a_price_that_is_no_number_is_refused(admin_client, backend):
    response = save(
        admin_client,
        backend,
        **{"prices-2-0-input": "cheap", "prices-2-0-output": "1"},
    )

    assert "Give dollars as a number" in response.content.decode()
    assert not Price.objects.exists()


def test_a_price_is_history_and_cannot_be_edited(admin_client, backend):
    price = Price.objects.create(
        backend=backend, input=10**9, output=10**9, cache_read=0, cache_write=0
    )
    url = reverse("admin:routing_price_change", args=(price.pk,))

    assert "1.00" in admin_client.get(url).content.decode()
    assert admin_client.post(url, {"input": "2"}).status_code == 403


def test_a_new_price_of_its_own_page(admin_client, backend):
    now = timezone.now()
    admin_client.post(
        reverse("admin:routing_price_add"),
        {
            "backend": backend.pk,
            "effective_from_0": f"{now:%Y-%m-%d}",
            "effective_from_1": f"{now:%H:%M:%S}",
            "input": "3",
            "output": "15",
            "source": "price page",
        },
    )

    assert Price.objects.get().output == 15_000_000_000


def test_a_new_backend_gets_the_price_that_is_known_of_its_model(admin_client, tier):
    url = reverse("admin:routing_backend_add")
    data = form_of(admin_client.get(url), name="new", tier=tier.pk)
    data |= {"provider": "anthropic", "model": "claude-haiku-4-5"}
    response = admin_client.post(url, data, follow=True)

    price = Price.objects.get()
    assert price.backend.name == "new"
    assert (price.input, price.output) == (10**9, 5 * 10**9)
    assert "Its price: $1.00 in, $5.00 out" in response.content.decode()


def test_a_new_backend_whose_model_nobody_knows_is_called_unpriced(admin_client, tier):
    url = reverse("admin:routing_backend_add")
    data = form_of(admin_client.get(url), name="new", tier=tier.pk)
    data |= {"provider": "anthropic", "model": "my-own-model"}
    response = admin_client.post(url, data, follow=True)

    assert "new has no price, and none is known" in response.content.decode()
    assert not Price.objects.exists()


def test_a_price_that_was_typed_is_the_price_of_a_known_model_too(admin_client, tier):
    url = reverse("admin:routing_backend_add")
    data = form_of(admin_client.get(url), name="new", tier=tier.pk)
    data |= {"provider": "anthropic", "model": "claude-haiku-4-5"}
    data |= {"prices-2-0-input": "7", "prices-2-0-output": "8"}
    admin_client.post(url, data, follow=True)

    assert [(p.input, p.source) for p in Price.objects.all()] == [(7 * 10**9, "admin")]


def test_a_known_price_of_the_former_model_is_pointed_out(admin_client, backend):
    source = "genai-prices 0.1: a/b"
    Price.objects.create(
        backend=backend, input=1, output=1, cache_read=1, cache_write=1, source=source
    )
    response = save(admin_client, backend, model="claude-opus-4-6")

    assert "not the one that is known of this model" in response.content.decode()
    assert Price.objects.count() == 1
