"""Users and groups, in the same clothes as every other page, and what they did.

Nobody rises by these pages: only a superuser makes or touches a superuser.
"""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin as StockGroupAdmin
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from routing.read_only_admin import ReadOnlyAdmin

admin.site.unregister([User, Group])


def is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


@admin.register(User)
class UserAdmin(StockUserAdmin, ModelAdmin):
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
class GroupAdmin(StockGroupAdmin, ModelAdmin):
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
