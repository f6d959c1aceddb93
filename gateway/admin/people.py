"""Users and groups, in the same clothes as every other page, and what they did.

Nobody rises by these pages: only a superuser makes or touches a superuser.
"""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin as StockGroupAdmin
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from gateway.login import LOGGED_IN
from routing.history_admin import GuardedAdmin
from routing.read_only_admin import ReadOnlyAdmin

admin.site.unregister([User, Group])


def is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


class LoggedAdmin(GuardedAdmin):
    """Rows whose versions are counted by the admin's own log."""

    def newest_version(self, pk: str) -> int:
        return self._log(pk).values_list("pk", flat=True).first() or 0

    def changes_since(self, row: Model, seen: int) -> list[str]:
        newer = self._log(row.pk).filter(pk__gt=seen).order_by("pk")
        return [
            f"{entry.user} at {entry.action_time:%H:%M:%S} UTC: "
            f"{entry.get_change_message()}"
            for entry in newer.select_related("user")
        ]

    def _log(self, pk: object) -> QuerySet[LogEntry]:
        kind = ContentType.objects.get_for_model(self.model)
        found = LogEntry.objects.filter(content_type=kind, object_id=str(pk))
        changes = found.exclude(change_message__startswith=LOGGED_IN)
        return changes.order_by("-pk")


@admin.register(User)
class UserAdmin(StockUserAdmin, LoggedAdmin):  # type: ignore[misc]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """An owner gives roles by groups; single permissions are a superuser's."""
        fixed = () if is_superuser(request) else ("is_superuser", "user_permissions")
        return (*super().get_readonly_fields(request, obj), *fixed)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (is_superuser(request) or not is_super(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """One by one for others: a list to delete might hold a superuser."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and (is_superuser(request) or not is_super(obj))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        if not is_superuser(request):
            actions.pop("delete_selected", None)
        return actions


def is_super(user: object) -> bool:
    return bool(getattr(user, "is_superuser", False))


@admin.register(Group)
class GroupAdmin(StockGroupAdmin, LoggedAdmin):  # type: ignore[misc]
    pass


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """What people did in the admin: nobody changes or deletes it here."""

    list_display = ("action_time", "user", "content_type", "object_repr", "message")
    list_select_related = ("user", "content_type")
    list_filter = ("user",)
    show_full_result_count = False
    ordering = ("-action_time",)

    @admin.display(description="What")
    def message(self, entry: LogEntry) -> str:
        return entry.get_change_message() or entry.get_action_flag_display()
