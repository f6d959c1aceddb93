"""The checklist of an empty gateway; each step ticks itself off."""

from dataclasses import dataclass

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from gateway.asgi.context import runtime_of
from gateway.models import ApiKey, RequestLog
from gateway.usage_rows import Dimension, UsageRollup
from routing.models import Backend, Tier

PRESETS = ("anthropic", "openai", "gemini", "mistral", "openrouter", "ollama")
TIERS = (("small", 30), ("medium", 70), ("large", None))


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    text: str
    done: bool
    links: tuple[tuple[str, str], ...] = ()
    command: str = ""
    makes_tiers: bool = False


def first_steps(request: HttpRequest) -> list[Step]:
    """Empty once a request was answered: then the gateway needs no introduction."""
    # In the sums, where it is found at once however long the log is.
    fine = UsageRollup.objects.filter(dimension=Dimension.STATUS, name="200")
    answered = fine.exists()
    if answered and request.GET.get("steps") != "1":
        return []
    newest = RequestLog.objects.order_by("-id").first()
    backend = Backend.objects.order_by("id").first()
    return [
        Step(
            "Make tiers",
            "A tier is a class of equally capable models; 1 is the cheapest.",
            Tier.objects.exists(),
            makes_tiers=True,
        ),
        Step(
            "Add a backend",
            "A model at a provider, in one of the tiers, with its price. Begin with:",
            backend is not None,
            tuple((name, add_backend(name)) for name in PRESETS),
        ),
        Step(
            "Test it",
            "The gateway asks each backend by itself, at no cost, whether it is there "
            "and takes the key; below, under Backends now, stands what it said.",
            answered or is_tested(request),
            (("The backends", reverse("admin:routing_backend_changelist")),),
        ),
        Step(
            "Make a key",
            "Programs on other machines need one. Until there is one, those on this "
            "machine need none.",
            ApiKey.objects.exists(),
            (("Create a key", reverse("admin:gateway_apikey_add")),),
        ),
        Step(
            "Send the first request",
            "With your key in place of sk-llmr-...:",
            newest is not None,
            command=first_request(request),
        ),
        Step(
            "See it arrive",
            "Its page tells each decision and what it cost.",
            answered,
            page_of(newest),
        ),
    ]


def add_backend(provider: str) -> str:
    query = {"provider": provider, "name": provider}
    if tier := Tier.objects.order_by("rank").first():
        query["tier"] = str(tier.pk)
    return f"{reverse('admin:routing_backend_add')}?{urlencode(query)}"


def is_tested(request: HttpRequest) -> bool:
    """Has any backend answered a probe or a call of this process?"""
    runtime = runtime_of(request)
    if runtime is None:
        return False
    rows = runtime.pool.status(runtime.snapshot.catalog)
    return any(row["status"] == "healthy" for row in rows)


def first_request(request: HttpRequest) -> str:
    url = request.build_absolute_uri("/v1/chat/completions")
    return (
        f"curl {url} -H 'authorization: Bearer sk-llmr-...' "
        "-H 'content-type: application/json' "
        """-d '{"model": "auto", "messages": [{"role": "user", "content": "Hi"}]}'"""
    )


def page_of(log: RequestLog | None) -> tuple[tuple[str, str], ...]:
    if log is None:
        return (("The requests", reverse("admin:gateway_requestlog_changelist")),)
    url = reverse("admin:gateway_requestlog_change", args=(log.pk,))
    return (("The newest request", url),)


@require_POST
def make_tiers(request: HttpRequest) -> HttpResponse:
    """Three tiers with the usual thresholds, where there are none yet."""
    if not admin.site.has_permission(request) or not request.user.has_perm(
        "routing.add_tier"
    ):
        raise PermissionDenied
    if not Tier.objects.exists():
        for rank, (name, max_score) in enumerate(TIERS, 1):
            Tier.objects.create(rank=rank, name=name, max_score=max_score)
        messages.success(request, "There are three tiers now; change them as you like.")
    return HttpResponseRedirect(reverse("admin:index"))
