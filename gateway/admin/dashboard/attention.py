"""`/admin/attention/`: the list of what needs attention, for the page that shows it."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from gateway.admin.dashboard.notices import notices


@never_cache
@require_GET
def attention(request: HttpRequest) -> HttpResponse:
    """A script asks for it again and again, and gets no form to log in."""
    if not admin.site.has_permission(request):
        return HttpResponse("You may not see this.", status=403)
    context = {"notices": notices(request)}
    return render(request, "admin/dashboard/attention.html", context)
