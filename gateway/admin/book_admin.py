"""What the pages of the books have in common: read-only, newest first, exported."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils.html import format_html

from gateway.admin.export import export
from gateway.admin.paging import KeysetPaginator, UncountedChangeList
from gateway.admin.request_page import milliseconds
from gateway.models import Attempt, RequestLog
from routing.money_format import dollars
from routing.read_only_admin import ReadOnlyAdmin

MOMENT = "%Y-%m-%d %H:%M:%S"


class BookAdmin(ReadOnlyAdmin):
    """A table that only grows, newest first."""

    paginator = KeysetPaginator
    show_full_result_count = False
    sortable_by = ()
    list_per_page = 50
    ordering = ("-id",)
    list_filter_sheet = True
    list_before_template = "admin/export_links.html"

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/<str:kind>/", view, name=name), *super().get_urls()]

    def may_export(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm(
            f"gateway.export_{self.opts.model_name}"
        )

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """Everything that the filters of the list leave, however much it is."""
        if not self.may_export(request):
            raise PermissionDenied
        if kind not in ("csv", "jsonl"):
            raise Http404
        try:
            shown = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            raise Http404 from None
        return export(request, shown.queryset, kind)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        more = {"may_export": self.may_export(request)}
        return super().changelist_view(request, {**(extra_context or {}), **more})

    def get_changelist(
        self, request: HttpRequest, **kwargs: object
    ) -> type[UncountedChangeList]:
        return UncountedChangeList

    @admin.display(description="Time, UTC")
    def when(self, row: RequestLog | Attempt) -> str:
        """Short, and in one line."""
        return format_html('<span class="dash-line">{}</span>', f"{row.at:{MOMENT}}")

    @admin.display(description="Cost")
    def cost(self, row: RequestLog | Attempt) -> str:
        return dollars(row.cost_nano)

    @admin.display(description="Tokens in / out")
    def tokens(self, row: RequestLog | Attempt) -> str:
        return f"{row.prompt_tokens:,} / {row.completion_tokens:,}"

    @admin.display(description="Latency")
    def latency(self, row: RequestLog | Attempt) -> str:
        return milliseconds(row.latency_ms)

    @admin.display(description="First byte")
    def first_byte(self, row: RequestLog | Attempt) -> str:
        return milliseconds(row.first_byte_ms)
