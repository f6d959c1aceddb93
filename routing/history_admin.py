"""Pages of rows whose changes are kept: look, restore, and never overwrite unseen."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin

from routing import history
from routing.control_names import NamedControls

UNSEEN = (
    "Somebody changed this row while you were editing it; nothing of yours is "
    "saved. Your values are below: look again, and save to let them win."
)
SEEN = "seen_version"  # a hidden field: the version that the form was filled from


class GuardedAdmin(ModelAdmin):
    """Whoever saves second is told what the first changed, and saves nothing yet."""

    change_form_before_template = "admin/seen_version.html"

    def newest_version(self, pk: str) -> int:
        """A number that grows with each change of a row."""
        raise NotImplementedError

    def changes_since(self, row: Model, seen: int) -> list[str]:
        """A sentence for each change after version `seen`."""
        raise NotImplementedError

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        seen = self.newest_version(unquote(object_id)) if object_id else 0
        context = {**(extra_context or {}), "seen_version": seen}
        return super().changeform_view(request, object_id, form_url, context)

    def get_form(
        self,
        request: HttpRequest,
        obj: Model | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> type[forms.ModelForm]:
        """The form, which a change that its sender has not seen makes invalid once."""
        form = super().get_form(request, obj, change=change, **kwargs)
        seen = seen_version(request)
        if obj is None or seen is None:
            return form

        row, version, changes_since = obj, seen, self.changes_since

        class Guarded(form):  # type: ignore[valid-type, misc]
            def clean(self) -> Any:
                cleaned = super().clean()
                # Whoever saves first holds the row; the other looks after that.
                held = type(row)._default_manager.select_for_update()
                held.filter(pk=row.pk).first()
                if unseen := changes_since(row, version):
                    raise ValidationError([UNSEEN, *unseen])
                return cleaned

        return Guarded


class HistoryAdmin(GuardedAdmin):
    list_before_template = "admin/seen_version.html"

    # --- Two people, one row ------------------------------------------------------

    def newest_version(self, pk: str) -> int:
        return history.newest(self.model, pk)

    def changes_since(self, row: Model, seen: int) -> list[str]:
        if history.newest(type(row), row.pk) <= seen:
            return []
        found = history.versions(type(row), row.pk, after=seen)
        return [
            f"{one.who} {one.kind} it at {one.at:%H:%M:%S} UTC: "
            + ("; ".join(map(str, one.differences)) or "nothing that is shown")
            for one in reversed(found)
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Values in the list are saved as forms are: only over what was seen."""
        newest, seen = history.newest_of_all(self.model), seen_version(request)
        if "_save" in request.POST and seen is not None and newest > seen:
            text = "Somebody changed these rows meanwhile, so nothing was saved."
            self.message_user(request, f"{text} Look again.", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        context = {**(extra_context or {}), "seen_version": newest}
        return super().changelist_view(request, context)

    def get_changelist_form(
        self, request: HttpRequest, **kwargs: Any
    ) -> type[forms.ModelForm]:
        return super().get_changelist_form(request, form=NamedControls, **kwargs)

    # --- What was, and back to it -------------------------------------------------

    def history_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        pk = unquote(object_id)
        row = self.get_object(request, object_id)
        versions = self._versions(pk)
        if row is None and not versions:
            return super().history_view(request, object_id, extra_context)
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        if request.method == "POST":
            return self._restore(request, pk)
        context = {
            **self.admin_site.each_context(request),
            "title": f"History of {row or 'a deleted row'}",
            "opts": self.opts,
            "object": row,
            "original": row,
            "versions": versions,
            "newest": versions[0].id if versions else 0,
            "may_restore": self.may_restore(request, row),
            "log": self._log(pk),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/row_history.html", context)

    def _versions(self, pk: str) -> list[history.Version]:
        try:
            return history.versions(self.model, pk)
        except (ValueError, ValidationError):  # no number
            return []

    def _log(self, pk: str) -> QuerySet[LogEntry]:
        """What the admin itself wrote down: actions, exports, purges."""
        kind = ContentType.objects.get_for_model(self.model)
        entries = LogEntry.objects.filter(content_type=kind, object_id=pk)
        return entries.select_related("user").order_by("-action_time")[:100]

    def may_restore(self, request: HttpRequest, row: Model | None) -> bool:
        if row is None:
            return self.has_add_permission(request)
        return self.has_change_permission(request, row)

    def _restore(self, request: HttpRequest, pk: str) -> HttpResponse:
        row = self.model._default_manager.filter(pk=pk).first()
        if not self.may_restore(request, row):
            raise PermissionDenied
        asked = request.POST.get("version", "")
        wanted = history.records(self.model, pk).exclude(history_type="-")
        number = int(asked) if asked.isascii() and asked.isdigit() else 0
        record = wanted.filter(history_id=number).first()
        if record is None:
            self.message_user(request, "There is no such version.", messages.ERROR)
            return HttpResponseRedirect(request.path)
        try:
            row = history.restore(self.model, record)
        except ValidationError as error:
            text = f"It stays as it is. {' '.join(error.messages)}"
            self.message_user(request, text, messages.ERROR)
            return HttpResponseRedirect(request.path)
        when = f"{record.history_date:%Y-%m-%d %H:%M:%S} UTC"
        self.log_change(request, row, f"Restored as of {when}.")
        self.message_user(request, f"{row} is again what it was at {when}.")
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponseRedirect(reverse(name, args=(row.pk,)))


def seen_version(request: HttpRequest) -> int | None:
    """What the page that was sent back had been filled from."""
    seen = request.POST.get(SEEN, "")
    return int(seen[:18]) if seen.isascii() and seen.isdigit() else None
