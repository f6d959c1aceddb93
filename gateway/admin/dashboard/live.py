"""What the process that answers this page knows now: backends, calls, trouble."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from gateway.admin.dashboard.first_steps import first_steps
from gateway.asgi.context import runtime_of
from routing.chat import Json


def live_state(request: HttpRequest) -> Json:
    """For the page and for its script, which asks for it again and again."""
    runtime = runtime_of(request)
    if runtime is None:
        return {"at": "", "backends": [], "in_flight": 0, "trouble": []}
    rows = runtime.pool.status(runtime.snapshot.catalog)
    return {
        "at": f"{timezone.now():%H:%M:%S} UTC",
        "in_flight": sum(row["in_flight"] for row in rows),
        "trouble": runtime.trouble(),
        "backends": [row_of(row) for row in rows],
    }


def row_of(row: Json) -> Json:
    """Every value as the text of its cell."""
    average = row["latency_ms"]
    calls, errors = row["total_requests"], row["errors"]
    return {
        "name": row["name"],
        "tier": str(row["tier"]),
        "status": row["status"].replace("_", " "),
        "in_flight": str(row["in_flight"]),
        "latency": "-" if average is None else f"{average:,.0f} ms",
        "calls": f"{calls:,} ({errors:,} failed)",
        "change": f"{ago(row['since_seconds'])} ago: {row['reason'] or 'started'}",
    }


def ago(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


@never_cache
@require_GET
def live(request: HttpRequest) -> HttpResponse:
    """`/admin/live/`, for who may see the backends."""
    if not admin.site.has_permission(request) or not request.user.has_perm(
        "routing.view_backend"
    ):
        return JsonResponse({"error": "You may not see the backends."}, status=403)
    state = live_state(request)
    if request.GET.get("steps") == "1" and request.user.has_perm("routing.add_backend"):
        state["steps"] = [step.done for step in first_steps(request)]
    return JsonResponse(state)
