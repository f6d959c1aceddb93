"""The whole configuration: out, in, and back to an earlier moment."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from gateway import configuration
from gateway.models import ApiKey
from routing.models import (
    Backend,
    Intent,
    ModelAlias,
    Price,
    RoutingPolicy,
    Tier,
    TrailPin,
)
from workflows_app.models import Workflow

pytestmark = pytest.mark.django_db

PAGE = "/admin/configuration/"
YAML = """
models:
  - {name: small, provider: ollama, model: llama, tier: 1,
     cost_per_1k_in: 0.001, cost_per_1k_out: 0.002}
cache: {ttl_sec: 77}
"""
WORKFLOW = """
start_ops: [a]
end_ops: [a]
ops: {a: {prompt: "Say {{input}}"}}
"""


@pytest.fixture
def configured():
    """Two tiers with a backend each, a price, an alias and the policy."""
    small = Tier.objects.create(rank=1, name="small", max_score=30)
    large = Tier.objects.create(rank=2, name="large")
    for tier in (small, large):
        backend = Backend.objects.create(
            name=tier.name, tier=tier, provider="ollama", model=f"{tier.name}-1"
        )
        Price.objects.create(
            backend=backend, input=5, output=5, cache_read=5, cache_write=5
        )
    ModelAlias.objects.create(pattern="gpt-*", tier=small)
    RoutingPolicy.load()


def now_yaml() -> str:
    return configuration.dump(timezone.now())


def restore(client, moment, **more):
    return client.post(PAGE, {"restore": moment.isoformat(), **more}, follow=True)


def test_what_is_exported_changes_nothing_when_it_is_imported(admin_client, configured):
    exported = admin_client.get(f"{PAGE}export/")
    shown = admin_client.post(PAGE, {"text": exported.content.decode()})

    assert exported["Content-Disposition"] == 'attachment; filename="config.yaml"'
    assert shown.context["empty"]
    assert "Exported the configuration." in LogEntry.objects.get().change_message


def test_an_import_is_shown_first_and_made_then(admin_client):
    shown = admin_client.post(
        PAGE, {"file": SimpleUploadedFile("c.yaml", YAML.encode())}
    )

    assert "+ backend small" in " ".join(shown.context["lines"])
    assert not Backend.objects.exists()

    admin_client.post(PAGE, {"text": shown.context["text"], "apply": "1"})

    assert Backend.objects.get().model == "llama"
    assert Backend.history.get().history_user.username == "admin"
    assert "Imported a configuration." in LogEntry.objects.get().change_message


def test_a_text_that_is_wrong_is_refused_with_its_lines(admin_client, configured):
    before = now_yaml()
    shown = admin_client.post(PAGE, {"text": "models: 3\nnonsense: 1", "apply": "1"})

    assert shown.status_code == 200
    assert "nonsense" in " ".join(shown.context["problems"])
    assert now_yaml() == before


def test_the_whole_configuration_of_a_moment_comes_back(admin_client, configured):
    before, moment = now_yaml(), timezone.now()
    # A third tier, a changed one, a deleted alias, a new one, prices and rules.
    large = Tier.objects.get(name="large")
    large.max_score = 70
    large.save()
    huge = Tier.objects.create(rank=3, name="huge")
    Backend.objects.create(name="huge", tier=huge, provider="ollama", model="h")
    small = Backend.objects.get(name="small")
    small.model, small.max_in_flight = "small-2", 9
    small.save()
    Price.objects.create(
        backend=small,
        effective_from=timezone.now(),
        **dict.fromkeys(("input", "output", "cache_read", "cache_write"), 8),
    )
    ModelAlias.objects.all().delete()
    ModelAlias.objects.create(pattern="claude-*", tier=huge)
    policy = RoutingPolicy.load()
    policy.cache_ttl_seconds, policy.baseline_tier = 11, huge
    policy.save()
    changed = now_yaml()

    shown = restore(admin_client, moment)
    assert now_yaml() == changed
    said = "\n".join(shown.context["lines"])
    assert "model: small-2 -> small-1" in said
    assert "- model alias claude-*" in said

    restore(admin_client, moment, apply="1")

    off = Backend.objects.get(name="huge")
    assert off.state == "disabled"
    Backend.objects.filter(pk=off.pk).delete()
    assert now_yaml() == before
    assert Price.objects.filter(backend__name="small").count() == 3
    assert restore(admin_client, moment).context["empty"]


def test_a_row_whose_beginning_nobody_saw_stays(admin_client, configured):
    Backend.history.all().delete()
    Tier.history.all().delete()

    shown = restore(admin_client, datetime(2020, 1, 1, tzinfo=UTC), apply="1")

    assert shown.status_code == 200
    assert Backend.objects.filter(state="enabled").count() == 2


@pytest.mark.parametrize(
    ("model", "then", "told"),
    [
        (Backend, {"provider": "nobody"}, "Value 'nobody' is not a valid choice."),
        (Backend, {"weight": -1}, "Ensure this value is greater than"),
        (Backend, {"base_url": "http://169.254.169.254/"}, "link-local"),
        (ModelAlias, {"tier": None}, "Choose a tier or a backend, one of them."),
        (RoutingPolicy, {"cache_matching": "any"}, "'any' is not a valid choice."),
    ],
)
def test_s42_what_no_row_may_be_does_not_come_back(
    admin_client, configured, model, then, told: str
):
    model.history.update(**then)
    moment, before = timezone.now(), now_yaml()

    for more in ({}, {"apply": "1"}):
        shown = restore(admin_client, moment, **more)
        assert shown.status_code == 200
        assert told in " ".join(shown.context["problems"])
    assert now_yaml() == before


def test_a_moment_before_everything_is_refused(admin_client, configured):
    before = now_yaml()
    shown = restore(admin_client, datetime(2020, 1, 1, tzinfo=UTC), apply="1")

    assert list(shown.context["problems"]) == ["Nothing was configured then."]
    assert now_yaml() == before


def test_a_key_made_since_stays_and_is_named(admin_client, configured):
    moment = timezone.now()
    key, _ = ApiKey.issue("later", team="new")
    shown = restore(admin_client, moment)

    restore(admin_client, moment, apply="1")

    assert ApiKey.objects.filter(pk=key.pk, revoked_at=None, team__name="new").exists()
    said = "\n".join(shown.context["lines"])
    assert f"note: API key {key} is newer and stays" in said
    assert "note: team new is newer and stays" in said


def test_settings_of_keys_and_teams_come_back_but_nobody_is_let_in(
    admin_client, configured
):
    key, secret = ApiKey.issue("app", team="red", max_tier=1, budget_day_usd=5)
    lost, _ = ApiKey.issue("lost")
    moment = timezone.now()
    digest, gone = key.digest, timezone.now()
    team = key.team
    team.requests_per_minute = 7
    team.save()
    key.max_tier, key.allowed_models, key.budget_day_usd = None, "*", None
    key.revoked_at = key.expires_at = gone
    key.save()
    lost.delete()

    shown = restore(admin_client, moment)
    said = "\n".join(shown.context["lines"])
    restore(admin_client, moment, apply="1")

    key.refresh_from_db()
    team.refresh_from_db()
    assert (key.max_tier, key.allowed_models, key.budget_day_usd) == (1, "", 5)
    assert (key.revoked_at, key.expires_at, key.digest) == (gone, gone, digest)
    assert team.requests_per_minute is None
    assert not ApiKey.objects.filter(name="lost").exists()
    assert "max tier: none -> 1" in said
    assert "requests per minute: 7 -> none" in said
    assert "the key lost is gone for good" in said
    assert digest not in said and secret not in said


def test_workflows_and_intents_come_back_too(admin_client, configured):
    flow = Workflow.objects.create(name="flow", text=WORKFLOW)
    dropped = Workflow.objects.create(name="dropped", text=WORKFLOW)
    intent = Intent.objects.create(slug="chess", words="rook")
    pin = TrailPin.objects.create(intent=intent, tier=1, backend="small", value=0.5)
    moment = timezone.now()
    flow.text = WORKFLOW.replace("Say", "Shout")
    flow.save()
    dropped.delete()
    Workflow.objects.create(name="later", text=WORKFLOW)
    intent.words, pin.value = "queen", 1
    intent.save()
    pin.save()
    Intent.objects.create(slug="draughts")
    TrailPin.objects.create(intent=intent, tier=2, backend="large", value=0)

    said = "\n".join(restore(admin_client, moment).context["lines"])
    assert Workflow.objects.get(name="flow").version == 2
    restore(admin_client, moment, apply="1")

    flow.refresh_from_db()
    assert (flow.text, flow.version) == (WORKFLOW, 3)
    assert Workflow.objects.get(name="dropped").text == WORKFLOW
    assert not Workflow.objects.get(name="later").enabled
    assert Intent.objects.get(slug="chess").words == "rook"
    assert not Intent.objects.get(slug="draughts").active
    assert TrailPin.objects.get().value == 0.5
    assert "words: queen -> rook" in said
    assert "+ workflow dropped" in said
    assert restore(admin_client, moment).context["empty"]


def test_the_latest_changes_lead_back_to_before_them(admin_client, configured):
    backend = Backend.objects.get(name="small")
    backend.model = "oops"
    backend.save()

    newest = admin_client.get(PAGE).context["moments"][0]
    assert newest["what"] == "backend small"
    assert list(map(str, newest["version"].differences)) == ["model: small-1 -> oops"]

    admin_client.post(PAGE, {"restore": newest["before"], "apply": "1"})

    backend.refresh_from_db()
    assert backend.model == "small-1"


def test_the_price_of_a_backend_that_is_gone_is_told_by_its_name(
    admin_client, configured
):
    Backend.objects.get(name="small").delete()

    moments = admin_client.get(PAGE).context["moments"]

    told = [each["what"] for each in moments]
    assert "backend small" in told
    assert "price of small" in told


@pytest.mark.parametrize("moment", ["", "yesterday", "0001-01-01", "9999-12-31T23:59"])
def test_a_made_up_moment_is_no_error(admin_client, configured, moment):
    assert admin_client.post(PAGE, {"restore": moment}).status_code == 200


@pytest.mark.parametrize(
    ("role", "looks", "changes"),
    [
        ("viewer", 200, 403),
        ("auditor", 200, 403),
        ("operator", 200, 200),
        ("owner", 200, 200),
    ],
)
def test_who_may_look_and_who_may_change(client, configured, role, looks, changes):
    user = User.objects.create_user(role, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    earlier = (timezone.now() - timedelta(minutes=1)).isoformat()

    assert client.get(PAGE).status_code == looks
    assert client.get(f"{PAGE}export/").status_code == looks
    assert client.post(PAGE, {"text": YAML}).status_code == changes
    assert client.post(PAGE, {"restore": earlier}).status_code == changes


def test_a_stranger_is_asked_to_log_in(client):
    assert client.get(PAGE).status_code == 302
    assert client.get(f"{PAGE}export/").status_code == 302
