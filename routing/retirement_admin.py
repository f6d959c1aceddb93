"""The page of what providers turn off; the dashboard warns of what it meets."""

import re
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html

from routing.counting import counted
from routing.history_admin import HistoryAdmin
from routing.models import Retirement

HTTPS = re.compile(r"https://(?P<host>[\w.-]+)")


@admin.register(Retirement)
class RetirementAdmin(HistoryAdmin):
    list_before_template = "admin/routing/retirement/where_from.html"
    list_display = ("day", "provider", "names", "said_at", "confirmed_on")
    list_display_links = ("day", "provider")
    list_filter = ("provider", ("confirmed_on", admin.EmptyFieldListFilter))
    search_fields = ("names",)
    date_hierarchy = "day"
    actions = ("confirm",)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        try:
            return super().changelist_view(request, extra_context)
        except OverflowError:  # any number is a year to Django's hierarchy of dates
            return HttpResponseRedirect(f"{request.path}?e=1")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Who adds a day has just read it."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        return {"confirmed_on": timezone.now().date(), **initial}

    @admin.display(description="Source", ordering="source")
    def said_at(self, row: Retirement) -> str:
        found = HTTPS.match(row.source)
        if not found:
            return row.source or "-"
        link = '<a class="underline" href="{}" rel="noreferrer">{}</a>'
        return format_html(link, row.source, found["host"])

    @admin.action(
        description="Confirm: I read these days at their sources today",
        permissions=["change"],
    )
    def confirm(self, request: HttpRequest, rows: QuerySet[Retirement]) -> None:
        for row in rows:
            row.confirmed_on = timezone.now().date()
            row.save()
            self.log_change(request, row, f"Confirmed: {row.day}.")
        self.message_user(
            request, f"{counted(len(rows), 'day is', 'days are')} confirmed."
        )
