"""The books: requests, attempts and totals. Read-only, and quick at a million rows."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display

from gateway.admin.book_admin import MOMENT, BookAdmin
from gateway.admin.filters import (
    CacheFilter,
    CostFilter,
    FailedFilter,
    KeyFilter,
    LatencyFilter,
    ModelFilter,
    ScoreFilter,
    StatusFilter,
    TagFilter,
    TeamFilter,
    TierFilter,
    WhenFilter,
)
from gateway.admin.request_page import story_of
from gateway.models import Attempt, RequestContent, RequestLog, UsageTotal
from gateway.request_ids import shortened
from gateway.story import contents_of
from routing.money_format import dollars, exact_dollars
from routing.read_only_admin import ReadOnlyAdmin

CACHE_COLOURS = {"HIT": "success", "SHARED": "info"}


@admin.register(RequestLog)
class RequestLogAdmin(BookAdmin):
    change_form_template = "admin/gateway/requestlog/change_form.html"
    list_display = (
        "short_id",
        "when",
        "key_name",
        "model_asked",
        "backend",
        "score",
        "tier",
        "cache_label",
        "status_label",
        "cost",
        "saved",
        "latency",
    )
    list_filter = (
        *(WhenFilter, KeyFilter, TeamFilter, TagFilter, ModelFilter, TierFilter),
        *(CacheFilter, StatusFilter, FailedFilter),
        *(CostFilter, LatencyFilter, ScoreFilter),
    )
    search_fields = ("request_id__exact",)
    search_help_text = "A whole request id"
    fieldsets = (
        (
            "Request",
            {
                "fields": (
                    "request_id",
                    "at",
                    "key_name",
                    "scope",
                    "endpoint",
                    "dialect",
                    "stream",
                    "model_asked",
                )
            },
        ),
        (
            "Answer",
            {
                "fields": (
                    "status",
                    "outcome",
                    "error_code",
                    "cache",
                    "cache_level",
                    "answered_by",
                    "score",
                    "tier",
                    "backend",
                    "model_served",
                )
            },
        ),
        (
            "Tokens and money",
            {
                "fields": (
                    "prompt_tokens",
                    "completion_tokens",
                    "cached_tokens",
                    "reasoning_tokens",
                    "estimated",
                    "cost",
                    "saved",
                )
            },
        ),
        ("Time", {"fields": ("latency", "first_byte", "overhead")}),
    )

    @admin.display(description="Request")
    def short_id(self, log: RequestLog) -> str:
        id_ = log.request_id
        return id_ if len(id_) <= 16 else f"{id_[:15]}…"

    @display(description="Cache", label=CACHE_COLOURS)
    def cache_label(self, log: RequestLog) -> str:
        return log.cache

    @display(description="Status", label={"fine": "success", "failed": "danger"})
    def status_label(self, log: RequestLog) -> tuple[str, str]:
        return "failed" if log.status >= 400 else "fine", str(log.status)

    @admin.display(description="Saved")
    def saved(self, log: RequestLog) -> str:
        return dollars(log.saved_nano)

    @admin.display(description="Overhead of the gateway")
    def overhead(self, log: RequestLog) -> str:
        return "-" if log.overhead_ms is None else f"{log.overhead_ms:.2f} ms"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        log = self.get_object(request, object_id)
        story = {} if log is None else story_of(log)
        if log and request.user.has_perm("gateway.view_requestcontent"):
            story["contents"] = contents_of(log.request_id)
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), **story}
        )


@admin.register(Attempt)
class AttemptAdmin(BookAdmin):
    list_display = (
        "attempt",
        "when",
        "backend",
        "model",
        "tier",
        "state_label",
        "status",
        "error_code",
        "tokens",
        "cost",
        "latency",
    )
    list_filter = (WhenFilter, "state")
    search_fields = ("request_id__exact",)
    search_help_text = "A whole request id"
    fields = (
        "attempt_id",
        "request_id",
        "number",
        "at",
        "scope",
        "backend",
        "provider",
        "model",
        "tier",
        "state",
        "status",
        "error_code",
        "prompt_tokens",
        "completion_tokens",
        "cached_tokens",
        "cache_write_tokens",
        "cache_write_1h_tokens",
        "reasoning_tokens",
        "price_used",
        "cost",
        "latency",
        "first_byte",
    )

    @admin.display(description="Attempt")
    def attempt(self, attempt: Attempt) -> str:
        return f"{shortened(attempt.request_id)} #{attempt.number}"

    @display(
        description="State",
        label={
            Attempt.State.BILLED: "success",
            Attempt.State.ESTIMATED: "warning",
            Attempt.State.UNKNOWN: "danger",
        },
    )
    def state_label(self, attempt: Attempt) -> str:
        return attempt.state

    @admin.display(description="Price used, $ per million tokens")
    def price_used(self, attempt: Attempt) -> str:
        if not isinstance(attempt.price, dict):
            return "none was in effect"
        return ", ".join(
            f"{kind.replace('_', ' ')} {exact_dollars(nano)}"
            for kind, nano in attempt.price.items()
            if isinstance(nano, int)
        )


@admin.register(RequestContent)
class RequestContentAdmin(BookAdmin):
    """What was said; shown with its request as well."""

    list_display = ("request_id", "when", "scope", "answer_chars")
    search_fields = ("request_id__exact",)
    search_help_text = "A whole request id"

    @admin.display(description="Time, UTC")
    def when(self, row: RequestContent) -> str:  # type: ignore[override]
        return f"{row.at:{MOMENT}}"


@admin.register(UsageTotal)
class UsageTotalAdmin(ReadOnlyAdmin):
    list_display = (
        "day",
        "scope",
        "backend",
        "tier",
        "cache",
        "requests",
        "errors",
        "prompt_tokens",
        "completion_tokens",
        "spent",
        "saved",
    )
    list_filter = ("day", CacheFilter)
    exclude = ("spent_nano", "saved_nano")

    @admin.display(description="Spent", ordering="spent_nano")
    def spent(self, total: UsageTotal) -> str:
        return dollars(total.spent_nano)

    @admin.display(description="Saved", ordering="saved_nano")
    def saved(self, total: UsageTotal) -> str:
        return dollars(total.saved_nano)
