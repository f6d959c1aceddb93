"""What keys and teams spent: against their budgets, and day by day."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from gateway.admin.overview import overview
from gateway.models import SpendDay
from routing.money_format import dollars
from routing.read_only_admin import ReadOnlyAdmin


@admin.register(SpendDay)
class SpendDayAdmin(ReadOnlyAdmin):
    list_before_template = "admin/gateway/spendday/overview.html"
    list_display = ("day", "key_id", "team", "requests", "tokens", "spent", "saved")
    list_filter = ("day",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("team__exact", "key_id__exact")
    search_help_text = "A team's name, or the number of a key"
    exclude = ("spent_nano", "saved_nano")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        told = overview(timezone.now()) if self.has_view_permission(request) else {}
        return super().changelist_view(request, {**(extra_context or {}), **told})

    @admin.display(description="Spent", ordering="spent_nano")
    def spent(self, row: SpendDay) -> str:
        return dollars(row.spent_nano)

    @admin.display(description="Saved", ordering="saved_nano")
    def saved(self, row: SpendDay) -> str:
        return dollars(row.saved_nano)
