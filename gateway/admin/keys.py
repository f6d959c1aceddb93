"""Clients' keys: the secret is shown once, and a key is revoked, never deleted.

A revoked row keeps its name for the books and keeps the gateway out of open mode.
"""

from typing import Any
from zoneinfo import available_timezones

from django.contrib import admin
from django.db.models import Field
from django.forms import ChoiceField, ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from gateway.admin.key_endings import EndingKeys
from gateway.models import ApiKey, Team
from routing.history_admin import HistoryAdmin
from routing.secret import Secret

RATES = ("requests_per_minute", "tokens_per_minute")
BUDGETS = ("budget_day_usd", "budget_week_usd", "budget_month_usd")


@admin.register(Team)
class TeamAdmin(HistoryAdmin):
    list_display = ("name", "time_zone", *RATES, *BUDGETS)
    search_fields = ("name",)
    fieldsets = (
        (None, {"fields": ("name", "time_zone")}),
        (
            "Limits of all its keys together",
            {"fields": (*RATES, *BUDGETS)},
        ),
    )

    def get_readonly_fields(
        self, request: HttpRequest, obj: Team | None = None
    ) -> tuple[str, ...]:
        return ("name",) if obj else ()

    def formfield_for_dbfield(
        self, db_field: Field, request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "time_zone":
            zones = [(name, name) for name in sorted(available_timezones())]
            return ChoiceField(
                choices=zones,
                initial=db_field.default,
                help_text=db_field.help_text,
                widget=UnfoldAdminSelectWidget,
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(ApiKey)
class ApiKeyAdmin(EndingKeys, HistoryAdmin):
    list_display = ("name", "team", "prefix", "status", "created_at", "expires_at")
    list_filter = ("revoked_at",)
    list_select_related = ("team",)
    search_fields = ("name", "team__name", "prefix")
    readonly_fields = ("prefix", "created_at", "revoked_at")
    actions = ("revoke_selected", "erase_selected")
    actions_detail = ("revoke",)
    bounds = (
        (
            "What it may use",
            {
                "fields": (
                    "expires_at",
                    "allowed_models",
                    "min_tier",
                    "max_tier",
                    "may_pin",
                )
            },
        ),
        ("Limits", {"fields": ("max_in_flight", *RATES, *BUDGETS)}),
        ("What is kept of its requests", {"fields": ("contents",)}),
    )
    add_fieldsets = ((None, {"fields": ("name", "team")}), *bounds)
    fieldsets = ((None, {"fields": ("name", "team", *readonly_fields)}), *bounds)

    @display(
        description="Status",
        label={"active": "success", "expired": "warning", "revoked": "danger"},
    )
    def status(self, key: ApiKey) -> str:
        if key.revoked_at:
            return "revoked"
        if key.expires_at and key.expires_at <= timezone.now():
            return "expired"
        return "active"

    def has_delete_permission(
        self, request: HttpRequest, obj: ApiKey | None = None
    ) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: ApiKey, form: ModelForm, change: bool
    ) -> None:
        if not change:
            # Lives until response_add has shown it: no session, cookie or log has it.
            request.new_secret = Secret(obj.take_secret())  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The one page that shows the secret: it answers the POST itself."""
        context = {
            **self.admin_site.each_context(request),
            "title": f"The key of {obj.name}",
            "opts": self.opts,
            "original": obj,
            "secret": request.new_secret,  # type: ignore[attr-defined]
            "example_url": request.build_absolute_uri("/v1"),
        }
        return TemplateResponse(request, "admin/gateway/apikey/secret.html", context)
