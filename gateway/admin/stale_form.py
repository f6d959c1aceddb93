"""What is said to a form whose sign-in is over, instead of Django's bare page."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW: mostly somebody who signed in again in another tab."""
    context = {**admin.site.each_context(request), "title": "Nothing was saved"}
    return render(request, "admin/stale_form.html", context, status=403)
