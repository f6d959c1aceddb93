"""Driven through the pages: what is posted, what is stored, what is said."""

import pytest
from django.urls import reverse
from django.utils import timezone

from routing.fields import decrypt, encrypt
from routing.models import Backend, ModelAlias, Price, RoutingPolicy, Tier

pytestmark = pytest.mark.django_db


@pytest.fixture
def tier():
    return Tier.objects.create(rank=1, name="small", max_score=30)


@pytest.fixture
def backend(tier):
    return Backend.objects.create(
        name="haiku",
        tier=tier,
        provider="anthropic",
        model="claude-haiku",
        api_key_value=encrypt("sk-old"),
    )


def form_of(response, **changes):
    """What a browser would post back: the page's own values, and the changes."""
    context = response.context
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    data = {}
    for form in forms:
        for name, field in form.fields.items():
            bound = form[name]
            value = bound.value()
            if hasattr(field.widget, "decompress"):
                parts = field.widget.decompress(value)
                data |= {f"{bound.html_name}_{i}": p for i, p in enumerate(parts)}
            elif value is not None and value is not False:
                data[bound.html_name] = value
            if field.show_hidden_initial:
                parts = field.hidden_widget().decompress(value)
                data |= {
                    f"{bound.html_initial_name}_{i}": p for i, p in enumerate(parts)
                }
    return {k: "" if v is None else v for k, v in (data | changes).items()}


def save(admin_client, row, **changes):
    url = reverse(f"admin:routing_{row._meta.model_name}_change", args=(row.pk,))
    data = form_of(admin_client.get(url), **changes)
    response = admin_client.post(url, data, follow=True)
    row.refresh_from_db()
    return response


def errors(response):
    return response.context["adminform"].form.errors


def test_a_key_is_stored_encrypted_and_never_sent_back(admin_client, backend):
    response = save(admin_client, backend, new_api_key="sk-new")

    assert response.status_code == 200
    assert decrypt(backend.api_key_value) == "sk-new"
    page = admin_client.get(
        reverse("admin:routing_backend_change", args=(backend.pk,))
    ).content.decode()
    assert "a key is stored" in page
    assert "sk-new" not in page
    assert backend.api_key_value not in page


def test_an_empty_key_field_keeps_the_stored_key(admin_client, backend):
    save(admin_client, backend, model="claude-haiku-2")

    assert backend.model == "claude-haiku-2"
    assert decrypt(backend.api_key_value) == "sk-old"


def test_a_stored_key_can_be_forgotten(admin_client, backend):
    save(admin_client, backend, clear_api_key="on")

    assert backend.api_key_value == ""


@pytest.mark.parametrize(
    "change",
    [
        {"base_url": "https://other.example/v1"},
        {"provider": "openai"},
    ],
)
def test_another_address_forgets_the_key_and_says_so(admin_client, backend, change):
    response = save(admin_client, backend, **change)

    assert backend.api_key_value == ""
    assert "stored API key was forgotten" in response.content.decode()


def test_another_address_with_its_key_keeps_the_new_one(admin_client, backend):
    response = save(
        admin_client,
        backend,
        base_url="https://other.example/v1",
        new_api_key="sk-other",
    )

    assert decrypt(backend.api_key_value) == "sk-other"
    assert "forgotten" not in response.content.decode()


def test_a_refused_form_stores_no_key(admin_client, backend):
    response = save(admin_client, backend, base_url="ftp://x", new_api_key="sk-new")

    assert "base_url" in errors(response)
    assert decrypt(backend.api_key_value) == "sk-old"
    assert "sk-new" not in response.content.decode()


def test_a_key_with_a_line_break_is_refused_without_repeating_it(admin_client, backend):
    response = save(admin_client, backend, new_api_key="sk-a b")

    assert "no spaces" in str(errors(response)["new_api_key"])
    assert "sk-a b" not in response.content.decode()


def test_a_variable_beside_a_stored_key_is_refused(admin_client, backend):
    response = save(admin_client, backend, api_key_env="ANTHROPIC_API_KEY")

    assert "not both" in str(errors(response)["api_key_env"])


def test_the_history_of_a_key_names_the_field_and_no_value(admin_client, backend):
    save(admin_client, backend, new_api_key="sk-new")

    url = reverse("admin:routing_backend_history", args=(backend.pk,))
    page = admin_client.get(url).content.decode()
    assert "API key" in page
    assert "sk-new" not in page


def test_the_list_says_which_backend_is_misconfigured(admin_client, backend):
    backend.api_key_value, backend.api_key_env = "", "NO_SUCH_VARIABLE_HERE"
    backend.save()

    page = admin_client.get(reverse("admin:routing_backend_changelist"))

    assert (
        "misconfigured: The environment variable NO_SUCH_VARIABLE_HERE is not set."
        in page.content.decode()
    )
    assert "unpriced" in page.content.decode()


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


def test_disabling_the_last_backend_of_a_tier_warns_until_it_is_mended(
    admin_client, backend
):
    response = save(admin_client, backend, state="disabled")

    warning = "Tier 1 - small has no enabled backend"
    assert warning in response.content.decode()
    list_url = reverse("admin:routing_backend_changelist")
    assert warning in admin_client.get(list_url).content.decode()
    Backend.objects.update(state="enabled")
    assert warning not in admin_client.get(list_url).content.decode()


def test_the_state_is_edited_in_the_list_without_touching_the_key(
    admin_client, backend
):
    admin_client.post(
        reverse("admin:routing_backend_changelist"),
        {
            "form-TOTAL_FORMS": "1",
            "form-INITIAL_FORMS": "1",
            "form-0-id": backend.pk,
            "form-0-state": "draining",
            "_save": "Save",
        },
    )

    backend.refresh_from_db()
    assert backend.state == "draining"
    assert decrypt(backend.api_key_value) == "sk-old"


def test_thresholds_rise_over_the_tiers(admin_client, tier):
    middle = Tier.objects.create(rank=2, name="middle", max_score=70)

    response = save(admin_client, middle, max_score=30)

    assert "1 - small goes up to 30" in str(errors(response)["max_score"])
    assert "2 - middle must end above" in str(
        errors(save(admin_client, tier, max_score=70))["max_score"]
    )


def test_only_the_highest_tier_goes_without_a_threshold(admin_client, tier):
    Tier.objects.create(rank=2, name="middle")

    response = save(admin_client, tier, max_score="")

    assert "Only the highest tier may have no maximum" in str(
        errors(response)["max_score"]
    )


def test_a_tier_in_use_is_not_deleted(admin_client, backend):
    url = reverse("admin:routing_tier_delete", args=(backend.tier_id,))

    response = admin_client.post(url, {"post": "yes"})

    assert "would require deleting the following protected related objects" in (
        response.content.decode()
    )
    assert Tier.objects.exists()


def test_a_backend_with_prices_can_be_deleted(admin_client, backend):
    Price.objects.create(
        backend=backend, input=1, output=1, cache_read=0, cache_write=0
    )

    admin_client.post(
        reverse("admin:routing_backend_delete", args=(backend.pk,)), {"post": "yes"}
    )

    assert not Backend.objects.exists()


def test_an_alias_means_a_tier_or_a_backend_not_both(admin_client, backend):
    response = admin_client.post(
        reverse("admin:routing_modelalias_add"),
        {
            "pattern": "claude-*",
            "position": 1,
            "tier": backend.tier_id,
            "backend": backend.pk,
        },
    )

    assert "Choose a tier or a backend, one of them." in response.content.decode()
    assert not ModelAlias.objects.exists()


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
