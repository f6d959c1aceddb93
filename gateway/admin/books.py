"""The books: requests, attempts and totals. Read-only, and quick at a million rows."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display

from gateway.admin.filters import CacheFilter, FailedFilter, WhenFilter
from gateway.admin.paging import KeysetPaginator, UncountedChangeList
from gateway.admin.timeline import timeline
from gateway.models import Attempt, RequestLog, UsageTotal
from routing.money_format import dollars, exact_dollars
from routing.read_only_admin import ReadOnlyAdmin

CACHE_COLOURS = {"HIT": "success", "SHARED": "info"}


class BookAdmin(ReadOnlyAdmin):
    """A table that only grows, newest first."""

    paginator = KeysetPaginator
    show_full_result_count = False
    sortable_by = ()
    list_per_page = 50
    ordering = ("-id",)

    def get_changelist(
        self, request: HttpRequest, **kwargs: object
    ) -> type[UncountedChangeList]:
        return UncountedChangeList

    @admin.display(description="Time")
    def when(self, row: RequestLog | Attempt) -> str:
        """Short, and with a space that does not break the line."""
        return f"{row.at:%Y-%m-%d\N{NO-BREAK SPACE}%H:%M:%S}"

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


def milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}\N{NO-BREAK SPACE}ms"


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
    list_filter = (WhenFilter, CacheFilter, FailedFilter)
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
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), **story}
        )


def story_of(log: RequestLog) -> dict[str, object]:
    """What the page of one request shows below its fields."""
    attempts = Attempt.objects.filter(request_id=log.request_id).order_by("id")
    return {
        "steps": timeline(log.decisions),
        "attempts": {
            "headers": ATTEMPT_HEADERS,
            "rows": [row_of(attempt) for attempt in attempts],
        },
    }


ATTEMPT_HEADERS = (
    "#",
    "Backend",
    "Model",
    "State",
    "Status",
    "Tokens",
    "Cost",
    "Latency",
)


def row_of(attempt: Attempt) -> list[object]:
    return [
        attempt.number,
        attempt.backend,
        attempt.model,
        attempt.get_state_display(),
        attempt.status or attempt.error_code or "-",
        f"{attempt.prompt_tokens:,} in, {attempt.completion_tokens:,} out",
        dollars(attempt.cost_nano),
        milliseconds(attempt.latency_ms),
    ]


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
        "reasoning_tokens",
        "price_used",
        "cost",
        "latency",
        "first_byte",
    )

    @admin.display(description="Attempt")
    def attempt(self, attempt: Attempt) -> str:
        return f"{attempt.request_id[:12]}… #{attempt.number}"

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
            if kind != "price_id" and isinstance(nano, int)
        )


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
