"""The page of backends: keys are write-only, states, warnings."""

import pytest
from django.urls import reverse

from routing.fields import decrypt
from routing.models import Backend, Price
from tests.routing.admin_forms import errors, save

pytestmark = pytest.mark.django_db


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


@pytest.mark.parametrize("host", ["169.254.169.254", "2852039166", "[fd00:ec2::254]"])
def test_an_address_that_is_never_connected_to_is_refused(admin_client, backend, host):
    response = save(admin_client, backend, base_url=f"http://{host}/v1")

    assert errors(response)["base_url"] == [
        "The gateway never connects there: link-local and metadata addresses are "
        "never allowed."
    ]


def test_where_private_upstreams_are_denied_one_is_refused(
    admin_client, backend, settings
):
    settings.PRIVATE_UPSTREAMS = "deny"

    response = save(admin_client, backend, base_url="http://10.0.0.7:8000")

    assert "LLM_ROUTER_PRIVATE_UPSTREAMS=deny" in str(errors(response)["base_url"])


def test_the_list_says_that_a_row_of_raw_sql_is_never_connected_to(
    admin_client, backend
):
    for address in ("http://169.254.169.254", "http://[half"):
        Backend.objects.update(base_url=address)
        page = admin_client.get("/admin/routing/backend/").content.decode()
        assert ("misconfigured: The gateway never connects" in page) is (
            address == "http://169.254.169.254"
        )


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


def test_a_backend_with_prices_can_be_deleted(admin_client, backend):
    Price.objects.create(
        backend=backend, input=1, output=1, cache_read=0, cache_write=0
    )

    admin_client.post(
        reverse("admin:routing_backend_delete", args=(backend.pk,)), {"post": "yes"}
    )

    assert not Backend.objects.exists()
