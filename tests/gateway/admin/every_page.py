"""A row of every kind, and a walk over every page of the admin."""

from collections.abc import Iterator
from datetime import date

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from gateway.models import (
    ApiKey,
    Attempt,
    CacheLevelOff,
    CacheProof,
    CachePurge,
    LearnedAlias,
    MeasuredDay,
    RequestContent,
    RequestLog,
    SpendDay,
    UsageRollup,
    UsageTotal,
)
from gateway.usage_rows import Dimension
from routing.models import (
    Backend,
    Feedback,
    Intent,
    IntentCheck,
    Judgement,
    LearningTurn,
    Lesson,
    ModelAlias,
    Price,
    Retirement,
    RouterModel,
    RoutingPolicy,
    Tier,
    Trail,
    TrailPin,
    VotedBorder,
)
from workflows_app.models import OpRun, Workflow, WorkflowRun

APPS = ("routing", "gateway", "workflows_app")
MAP = "admin:routing_intent_map"
POLYGLOT = (  # as long as the shortest field that takes it whole
    "jaVasCript:alert(1)//\"'><svg/onload=alert(2)><script>alert(3)</script>"
    "</textArea></titLe>{{7*7}}"
)


def fill(text: str) -> Backend:
    """One row of every model, with `text` wherever it stores free text."""
    tier = Tier.objects.create(rank=1, name=text)
    backend = Backend.objects.create(
        name="haiku", tier=tier, provider="openai", model=text, base_url=text
    )
    Price.objects.create(
        backend=backend, input=1, output=1, cache_read=0, cache_write=0, source=text
    )
    ModelAlias.objects.create(pattern=text, tier=tier)
    RoutingPolicy.load()
    RoutingPolicy.objects.update(sidecar_url=text)
    Feedback.objects.create(scope=text, request_id=text, score=0.2, tier=1, quality=1)
    Lesson.objects.create(
        request_id=text, at=timezone.now(), scope=text, tier=1, chance=1, tokens=1
    )
    Judgement.objects.create(
        request_id=text, scope=text, cheap_tier=1, baseline_tier=2, tokens=1
    )
    intent = Intent.objects.create(slug=text[:40], description=text, words=text)
    cell = {"scope": text, "intent": intent, "tier": 1, "backend": "haiku"}
    Trail.objects.create(**cell, day="2026-11-26", votes=1, weight=1, reward=1)
    TrailPin.objects.create(**cell, value=0.5)
    Retirement.objects.create(
        provider="openai", names=text, day="2026-12-24", source=text
    )
    IntentCheck.objects.create(rows=1, objections=[text])
    RouterModel.keep(b"", {"objections": [text], "tiers": {}}, scope=text)
    LearningTurn.objects.create(scope=text, note=text)
    seen = {"votes": 20, "votes_above": 20, "newest": 1}
    VotedBorder.objects.create(scope=text, tier=1, base=30, border=15, **seen)
    ApiKey.issue(text, team=text)
    MeasuredDay.objects.create(day="2026-11-26", scope=text, arm="routed", requests=1)
    SpendDay.objects.create(day="2026-11-26", key_id=1, team=text)
    CachePurge.objects.create(scope=text)
    LearnedAlias.objects.create(
        scope=text,
        wording=text[:64],
        root=text[:64],
        same=True,
        similarity=0.5,
        judged_by=text[:64],
        expires_at=timezone.now(),
    )
    CacheProof.objects.create(scope=text, level=text[:10], wrong=1)
    CacheLevelOff.objects.create(scope=text, level=text[:10], reason=text)
    write_books(text)
    write_workflows(text)
    return backend


def write_workflows(text: str) -> None:
    Workflow.objects.create(name=text, description=text, text=text)
    for number in range(2):
        write_run(text, f"{text} {number}" if number else text)


def write_run(text: str, run_id: str) -> None:
    run = WorkflowRun.objects.create(
        run_id=run_id,
        workflow=text,
        scope=text,
        key_name=text,
        mode=text[:12],
        status="failed",
        error=text,
        error_code=text,
        text=text,
        inputs={text: text},
        plan={text: [text]},
        final_output=text,
        owner=text,
    )
    OpRun.objects.create(
        run=run,
        op=text[:32],
        status=text[:10],
        output=text,
        backend=text,
        cache=text[:8],
        reason=text,
        request_ids=[text],
        started_s=0,
        ended_s=1,
    )


def write_books(text: str) -> None:
    RequestContent.objects.create(
        request_id=text,
        at=timezone.now(),
        scope=text,
        messages=[{"role": text, "text": text, "chars": 1}],
        answer=text,
    )
    RequestLog.objects.create(
        request_id=text,
        at=timezone.now(),
        scope=text,
        key_name=text,
        team=text,
        endpoint=text,
        dialect=text[:10],
        model_asked=text,
        status=502,
        outcome=text[:16],
        error_code=text,
        cache=text[:8],
        cache_level=text[:10],
        answered_by=text,
        backend=text,
        model_served=text,
        decisions=[{"step": text, "text": text, text: {text: [text]}}, text],
    )
    Attempt.objects.create(
        attempt_id=text,
        request_id=text,
        at=timezone.now(),
        scope=text,
        backend=text,
        provider=text[:32],
        model=text,
        tier=1,
        state=text[:9],
        error_code=text,
        price={text: 1},
    )
    UsageTotal.objects.create(
        day=date(2026, 1, 1), scope=text, backend=text, cache=text[:8]
    )
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    UsageRollup.objects.bulk_create(
        UsageRollup(
            span="hour", start=today, dimension=dimension, name=text, requests=1
        )
        for dimension in Dimension
    )


def page_urls() -> list[str]:
    """The address of each page that an administrator can open."""
    urls = [reverse("admin:index"), reverse("admin:search") + "?s=a"]
    urls += [reverse(name) for name in ("configuration", "playground")]
    urls += [reverse("admin:app_list", args=(app,)) for app in APPS]
    urls += [reverse("admin:routing_price_refresh"), reverse(MAP), *run_urls()]
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        urls += [reverse(f"{name}_changelist"), reverse(f"{name}_add")]
        urls += [reverse(f"{name}_changelist") + "?q=%3Cscript%3Ealert(1)%3C/script%3E"]
        for pk in model.objects.values_list("pk", flat=True):
            pages = ("change", "history", "delete")
            urls += [reverse(f"{name}_{page}", args=(pk,)) for page in pages]
    return urls


def map_urls() -> list[str]:
    """The heat map of intents of each scope."""
    scopes = Trail.objects.values_list("scope", flat=True)
    return [f"{reverse(MAP)}?{urlencode({'scope': scope})}" for scope in scopes]


def run_urls() -> list[str]:
    """Where stored workflows are started."""
    name = "admin:workflows_app_workflow_run"
    return [reverse(name, args=(row.pk,)) for row in Workflow.objects.all()]


def every_page(client: Client) -> Iterator[tuple[str, str]]:
    """Each of them and its HTML, those that a POST answers with included."""
    for url in page_urls():
        yield url, client.get(url, follow=True).content.decode()
    yield from delete_selected_pages(client)
    yield compared_runs(client)


def compared_runs(client: Client) -> tuple[str, str]:
    """Two runs side by side: what their list's action answers."""
    url = reverse("admin:workflows_app_workflowrun_changelist")
    chosen = list(WorkflowRun.objects.values_list("pk", flat=True)[:2])
    data = {"action": "compare", ACTION_CHECKBOX_NAME: chosen}
    return url, client.post(url, data, follow=True).content.decode()


def delete_selected_pages(client: Client) -> Iterator[tuple[str, str]]:
    for model in admin.site._registry:
        url = reverse(
            f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
        )
        chosen = list(model.objects.values_list("pk", flat=True))
        data = {"action": "delete_selected", ACTION_CHECKBOX_NAME: chosen}
        yield url, client.post(url, data, follow=True).content.decode()
