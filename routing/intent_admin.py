"""Admin pages of intents: what tells them, and a heat map of their trails."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from routing.history_admin import HistoryAdmin
from routing.models import Backend, Intent, IntentCheck, Trail, TrailPin
from routing.read_only_admin import ReadOnlyAdmin
from routing.trails import read_trails, reset

SCOPES = 200  # offered on the map


@dataclass(frozen=True, slots=True)
class MapCell:
    """One square: what is known of a backend for an intent."""

    intent: int
    tier: int
    backend: str
    value: float
    low: float
    high: float
    votes: int
    pinned: bool


def heat_map(scope: str) -> list[tuple[Intent, list[MapCell]]]:
    """A line per intent, a square per backend, in configured order."""
    from routing.learned.trails import Strength

    by_scope, everybodys = read_trails(timezone.now().date())
    cells = by_scope.get(scope, everybodys).cells
    backends = list(Backend.objects.select_related("tier"))
    lines = []
    for intent in Intent.objects.all():
        line = []
        for backend in backends:
            tier = backend.tier.rank
            found = cells.get((intent.pk, tier, backend.name), Strength())
            low, high = found.interval
            line.append(
                MapCell(
                    intent.pk,
                    tier,
                    backend.name,
                    found.value,
                    low,
                    high,
                    found.votes,
                    found.pinned is not None,
                )
            )
        lines.append((intent, line))
    return lines


@admin.register(Intent)
class IntentAdmin(HistoryAdmin):
    list_display = ("slug", "description", "bias", "cascade", "active")
    list_editable = ("active",)
    list_before_template = "admin/routing/intent/to_map.html"
    search_fields = ("slug", "words")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.map_view)
        own = path("map/", view, name="routing_intent_map")
        return [own, *super().get_urls()]

    def map_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        scope = request.GET.get("scope", "")
        if request.method == "POST":
            self._act(request, scope)
            return HttpResponseRedirect(request.get_full_path())
        scopes = Trail.objects.values_list("scope").annotate(seen=Sum("votes"))
        context = {
            **self.admin_site.each_context(request),
            "title": "Heat map of intents",
            "scope": scope,
            "scopes": [name for name, _ in scopes.order_by("-seen")[:SCOPES]],
            "lines": heat_map(scope),
            "may_change": self.has_change_permission(request),
            "back": reverse("admin:routing_intent_changelist"),
        }
        return TemplateResponse(request, "admin/routing/intent/map.html", context)

    def _act(self, request: HttpRequest, scope: str) -> None:
        """Pin a cell, take its pin away, or forget what votes said of it."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        try:
            intent = Intent.objects.get(pk=int(request.POST["intent"]))
            tier, backend = int(request.POST["tier"]), request.POST["backend"][:128]
            action, value = request.POST["action"], request.POST.get("value", "")
            number = min(1.0, max(0.0, float(value))) if action == "pin" else 0.0
        except (KeyError, ValueError, Intent.DoesNotExist):
            self.message_user(request, "A pin is a number from 0 to 1.", messages.ERROR)
            return
        cell: dict[str, Any] = {"tier": tier, "backend": backend, "scope": scope}
        if action == "pin":
            TrailPin.objects.update_or_create(
                intent=intent, **cell, defaults={"value": number}
            )
            said = f"Pinned at {number:g}."
        else:
            TrailPin.objects.filter(intent=intent, **cell).delete()
            reset(scope, intent.pk, tier, backend)
            said = "Reset."
        self.log_change(request, intent, f"{backend}: {said}")
        self.message_user(request, f"{intent} at {backend}: {said}")


@admin.register(TrailPin)
class TrailPinAdmin(HistoryAdmin):
    list_display = ("intent", "tier", "backend", "scope", "value")


@admin.register(Trail)
class TrailAdmin(ReadOnlyAdmin):
    list_display = ("day", "scope", "intent", "tier", "backend", "votes", "weight")
    list_filter = ("intent", "tier")
    list_select_related = ("intent",)
    search_fields = ("scope", "backend")
    show_full_result_count = False


@admin.register(IntentCheck)
class IntentCheckAdmin(ReadOnlyAdmin):
    list_display = ("at", "rows", "verdict")

    @admin.display(description="May intents decide?")
    def verdict(self, check: IntentCheck) -> str:
        return " ".join(map(str, check.objections)) or "Yes."
