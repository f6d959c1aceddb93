"""The admin page that shows what the tables would change, and takes it over."""

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from routing import price_refresh
from routing.models import Backend
from routing.price_refresh import Proposal


def refresh_view(request: HttpRequest, admin: ModelAdmin) -> HttpResponse:
    """GET shows; POST writes what was ticked, if it is still what was shown."""
    if not request.user.has_perm("routing.add_price"):
        raise PermissionDenied
    now = timezone.now()
    rows = Backend.objects.select_related("tier").prefetch_related("prices")
    proposals = price_refresh.propose(rows, now)
    if request.method == "POST":
        ticked = set(request.POST.getlist("take"))
        changes = [each for each in proposals if each.changes]
        taken = [each for each in changes if each.digest in ticked]
        for proposal in taken:
            price_refresh.write(proposal, now)
            source = price_refresh.shown(proposal).source
            admin.log_change(request, proposal.backend, f"Prices of {source}.")
        if taken:
            names = ", ".join(each.backend.name for each in taken)
            messages.success(request, f"New prices, live within a second: {names}.")
        if ticked - {each.digest for each in taken}:
            messages.error(request, "Something had changed meanwhile: look once more.")
        return HttpResponseRedirect(reverse("admin:routing_price_refresh"))
    context = {
        **admin.admin_site.each_context(request),
        "title": "Refresh prices",
        "changes": [row(each) for each in proposals if each.changes],
        "others": {
            "headers": ["Backend", "Model", "Now", "In the tables", ""],
            "rows": [cells(each) for each in proposals if not each.changes],
        },
    }
    return TemplateResponse(request, "admin/routing/price/refresh.html", context)


def row(proposal: Proposal) -> dict[str, object]:
    backend = proposal.backend
    return {
        "digest": proposal.digest,
        "name": backend.name,
        "model": backend.model,
        "alarm": proposal.alarm,
        "shown": price_refresh.shown(proposal),
    }


def cells(proposal: Proposal) -> list[str]:
    shown = price_refresh.shown(proposal)
    verdict = {
        "same": "up to date",
        "own": "your own, kept" + (": differs" if proposal.differs else ""),
        "unknown": "not in the tables",
    }[proposal.verdict]
    name, model = proposal.backend.name, proposal.backend.model
    return [name, model, shown.now, shown.new or "-", verdict]
