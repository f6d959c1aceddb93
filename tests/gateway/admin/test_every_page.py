"""What must hold on each page of the admin, whatever the rows contain."""

import logging
import re

import pytest
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.core.management import call_command
from django.urls import reverse

from gateway.models import (
    ApiKey,
    CacheLevelOff,
    LimitCounter,
    LimitHold,
    PlacedHour,
    SetupToken,
    StoredAnswer,
    UsageRollup,
)
from routing.fields import decrypt
from routing.models import Backend, ConfigVersion, Tier
from tests.gateway.admin.every_page import every_page, fill
from tests.gateway.admin.loads import from_elsewhere
from workflows_app.models import BatchCeiling, SharedCall

pytestmark = pytest.mark.django_db

UNSAFE = ("'unsafe-eval'", "'unsafe-inline'")  # of scripts, and of styles

CANARY = "sk-CANARY-7f3a9c"
HOSTILE = "<script>alert(1)</script>"
CHANGES = f"""
models:
  - {{name: small, provider: openai, model: m, tier: 1, base_url: "https://a.example"}}
tiers: [{{rank: 1, name: "{HOSTILE} 3"}}]
"""


def test_every_model_is_in_the_admin():
    from django.apps import apps

    ours = {
        model
        for app in ("routing", "gateway", "workflows_app")
        for model in apps.get_app_config(app).get_models()
        if not hasattr(model, "history_id")  # shown on the page of the row it is about
    }

    # Levels that are off are shown with their proof; answers are nobody's to read;
    # what is counted shows as what was spent, sums and drift on the dashboard.
    hidden = {SetupToken, ConfigVersion, CacheLevelOff, StoredAnswer, LimitCounter}
    hidden |= {UsageRollup, BatchCeiling, SharedCall, PlacedHour, LimitHold}
    assert ours - set(admin.site._registry) == hidden


def test_hostile_text_is_escaped_on_every_page(admin_client):
    fill(HOSTILE)

    pages = list(every_page(admin_client))

    assert len(pages) > 60
    assert [url for url, html in pages if HOSTILE in html] == []
    escaped = [url for url, html in pages if "&lt;script&gt;alert(1)" in html]
    assert len(escaped) > 20


def test_s14_hostile_text_is_escaped_in_every_answer_to_a_form(admin_client):
    backend = fill(HOSTILE)

    pages = [
        ask_to_end(admin_client, "revoke_selected"),
        ask_to_end(admin_client, "erase_selected"),
        compare(admin_client, f"models: [{{'{HOSTILE}': 1}}]"),
        compare(admin_client, CHANGES),
        history_of_a_change(admin_client, backend.tier),
        admin_client.get(reverse("configuration")),
    ]

    for number, page in enumerate(pages):
        html = page.content.decode()
        assert page.status_code == 200, number
        assert HOSTILE not in html, number
        assert "&lt;script&gt;alert(1)" in html, number


def ask_to_end(admin_client, action: str):
    """What is asked before a key is ended."""
    url = reverse("admin:gateway_apikey_changelist")
    key = ApiKey.objects.get().pk
    return admin_client.post(url, {"action": action, "_selected_action": [key]})


def compare(admin_client, text: str):
    """What a configuration would change."""
    return admin_client.post(reverse("configuration"), {"text": text})


def history_of_a_change(admin_client, row: Tier):
    """Both values, who changed it, and what the log of the admin has of it."""
    user = User.objects.get()
    user.username = user.first_name = HOSTILE
    user.save()
    row.name = f"{HOSTILE} 2"
    row._history_user, row._change_reason = user, HOSTILE
    row.save()
    LogEntry.objects.log_actions(user.pk, [row], CHANGE, HOSTILE, single_object=True)
    return admin_client.get(reverse("admin:routing_tier_history", args=(row.pk,)))


def test_no_page_runs_scripts_of_its_own_and_money_is_in_dollars(admin_client):
    fill("plain")

    for url, html in every_page(admin_client):
        assert not re.search(r">[^<]*\w nano\b[^<]*<", html, re.IGNORECASE), url
        assert "<script>" not in html, url
        assert " onclick=" not in html, url
        assert from_elsewhere(html) == [], url


def test_a_provider_key_is_on_no_page_and_in_no_log(admin_client, caplog, capsys):
    backend = fill("plain")
    with caplog.at_level(logging.DEBUG):
        pages = submit_keys(admin_client, backend)
    backend.refresh_from_db()
    token = backend.api_key_value
    assert decrypt(token) == CANARY

    pages += every_page(admin_client)
    pages += submit_keys(admin_client, backend)

    for url, html in pages:
        assert CANARY not in html, url
        assert token not in html, url
    call_command("dumpdata")
    said = caplog.text + capsys.readouterr().out
    assert CANARY not in said + repr(backend) + str(vars(backend))


def submit_keys(admin_client, backend: Backend) -> list[tuple[str, str]]:
    """The form refused for one field after another, then accepted."""
    url = reverse("admin:routing_backend_change", args=(backend.pk,))
    good = {
        "name": "haiku",
        "tier": backend.tier_id,
        "state": "enabled",
        "provider": "openai",
        "model": "m",
        "base_url": "https://api.example/v1",
        "new_api_key": CANARY,
        "max_in_flight": "0",
        "weight": "1",
        "prices-TOTAL_FORMS": "0",
        "prices-INITIAL_FORMS": "0",
        "prices-2-TOTAL_FORMS": "0",
        "prices-2-INITIAL_FORMS": "0",
    }
    bad = [
        {"name": "tier-1"},
        {"provider": "nobody"},
        {"base_url": "ftp://x"},
        {"api_key_env": "AN_ENV_NAME"},
        {"weight": "-1"},
        {"new_api_key": f"{CANARY} {CANARY}"},
        {"prices-TOTAL_FORMS": "x"},
        {},
    ]
    return [
        (f"{url} {change}", admin_client.post(url, good | change).content.decode())
        for change in bad
    ]


def test_a_stranger_sees_no_page(client):
    fill("plain")

    for url, html in every_page(client):
        assert "plain" not in html, url
        assert 'id="login-form"' in html, url


def test_pages_carry_the_security_headers(admin_client):
    response = admin_client.get("/admin/")

    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "script-src 'self' 'unsafe-eval';" in policy
    assert sources_of(policy) == {"'self'", "'none'", "data:", *UNSAFE}
    assert "frame-ancestors 'none'" in policy
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Content-Security-Policy" in admin_client.get("/admin/nothing/").headers


def sources_of(policy: str) -> set[str]:
    """From where something may be loaded, whatever it is."""
    parts = [part.split() for part in policy.split(";") if part.strip()]
    return {source for _, *sources in parts for source in sources}
