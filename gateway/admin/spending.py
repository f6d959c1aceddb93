"""What keys and teams spent: against their budgets, and day by day."""

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from gateway.admin.overview import overview
from gateway.models import ApiKey, MeasuredDay, SpendDay
from gateway.savings import by_scope, report, together
from routing.chat import Json
from routing.models import RoutingPolicy
from routing.money_format import dollars
from routing.pricing import NANO_PER_USD
from routing.read_only_admin import ReadOnlyAdmin

UNACCEPTED = ("unanswered", "bad_feedback", "asked_again")


@admin.register(SpendDay)
class SpendDayAdmin(ReadOnlyAdmin):
    list_before_template = "admin/gateway/spendday/overview.html"
    list_display = ("day", "key", "team", "requests", "tokens", "spent", "saved")
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

    def get_queryset(self, request: HttpRequest) -> QuerySet[SpendDay]:
        named = ApiKey.objects.filter(pk=OuterRef("key_id")).values("name")
        return super().get_queryset(request).annotate(key_name=Subquery(named))

    @admin.display(description="Key", ordering="key_id")
    def key(self, row: SpendDay) -> str:
        if not row.key_id:
            return "none: open mode and the playground"
        return row.key_name or f"#{row.key_id}"  # type: ignore[attr-defined]

    @admin.display(description="Spent", ordering="spent_nano")
    def spent(self, row: SpendDay) -> str:
        return dollars(row.spent_nano)

    @admin.display(description="Saved", ordering="saved_nano")
    def saved(self, row: SpendDay) -> str:
        return dollars(row.saved_nano)


@admin.register(MeasuredDay)
class MeasuredDayAdmin(ReadOnlyAdmin):
    list_before_template = "admin/gateway/measuredday/report.html"
    list_display = ("day", "scope", "arm", "requests", "cost", "saved", *UNACCEPTED)
    list_filter = ("arm",)
    list_per_page = 50
    show_full_result_count = False
    exclude = ("cost_nano", "cost_squares", "saved_nano")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        told = {}
        if self.has_view_permission(request):
            arms = together(by_scope(timezone.now().date()).values())
            share = RoutingPolicy.load().holdout_share
            told = {"report": shown(report(arms)), "holdout_share": f"{share:.1%}"}
        return super().changelist_view(request, {**(extra_context or {}), **told})

    @admin.display(description="Cost", ordering="cost_nano")
    def cost(self, row: MeasuredDay) -> str:
        return dollars(row.cost_nano)

    @admin.display(description="Saved, as priced", ordering="saved_nano")
    def saved(self, row: MeasuredDay) -> str:
        return dollars(row.saved_nano)


def shown(found: Json) -> Json:
    """The report with its dollars as people read them."""
    if not found:
        return {}
    groups = [
        (
            name,
            [str(group["requests"]), usd(group["mean_cost_usd"])]
            + [span(group["mean_cost_95_usd"]), str(group["accepted"])]
            + [str(group[name]) for name in UNACCEPTED]
            + [usd(group["cost_per_accepted_usd"])],
        )
        for name, group in (
            ("Routed", found["routed"]),
            ("Sent to the baseline", found["holdout"]),
        )
    ]
    return {
        "groups": groups,
        "measured": usd(found["measured_saved_usd"]),
        "span": span(found["measured_saved_95_usd"]),
        "priced": usd(found["priced_saved_usd"]),
        "deciding": usd(found["deciding_usd"]),
        "days": found["days"],
        "enough": found["enough"],
    }


def usd(amount: float | None) -> str:
    return "-" if amount is None else dollars(round(amount * NANO_PER_USD))


def span(ends: list[float] | None) -> str:
    return "-" if ends is None else f"{usd(ends[0])} to {usd(ends[1])}"
