"""What can't be brought back of a key: it is asked for twice, and told what goes."""

from collections.abc import Iterable

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import action

from gateway.contents.erase import erase
from gateway.models import ApiKey, RequestContent, SpendDay, StoredAnswer
from routing.counting import counted

CONFIRMED = "confirmed"
REVOKED = "Every program that uses {keys} is refused within a second:"
ONE, SEVERAL = "this key", "one of these keys"
ERASED = "These are deleted everywhere and can't be brought back:"


class EndingKeys(ModelAdmin):
    """The actions revoke and erase, from the list and from a key's own page."""

    @action(description="Revoke this key", permissions=["change"])
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A link to the question, which the list's own address answers."""
        key = get_object_or_404(ApiKey, pk=object_id)
        if key.revoked_at:
            self.message_user(request, f"{key.name} is revoked already.")
            return redirect("admin:gateway_apikey_change", key.pk)
        return self._ask_to_revoke(request, [key])

    @admin.action(
        description="Revoke: refuse these keys from now on", permissions=["change"]
    )
    def revoke_selected(
        self, request: HttpRequest, keys: QuerySet[ApiKey]
    ) -> HttpResponse | None:
        valid = list(keys.filter(revoked_at=None).select_related("team"))
        if valid and CONFIRMED not in request.POST:
            return self._ask_to_revoke(request, valid)
        for key in valid:
            key.revoked_at = timezone.now()
            key.save(update_fields=["revoked_at"])
            self.log_change(request, key, "Revoked.")
        told = counted(len(valid), "key")
        self.message_user(request, f"{told} revoked; refused within a second.")
        return None

    @admin.action(
        description="Erase the texts stored of their requests, and cached answers",
        permissions=["change"],
    )
    def erase_selected(
        self, request: HttpRequest, keys: QuerySet[ApiKey]
    ) -> HttpResponse | None:
        if CONFIRMED not in request.POST:
            chosen = list(keys.select_related("team"))
            lost = [(key, texts_of(key)) for key in chosen]
            said = ONE if len(lost) == 1 else "these keys"
            title = f"Erase what was said with {said}?"
            return self._ask(request, "erase_selected", title, "Erase", ERASED, lost)
        erased = 0
        for key in keys:
            erased += erase(key)
            self.log_change(request, key, "Stored texts erased.")
        told = counted(erased, "request is", "requests are")
        self.message_user(request, f"The text of {told} gone.")
        return None

    def _ask_to_revoke(
        self, request: HttpRequest, keys: Iterable[ApiKey]
    ) -> HttpResponse:
        lost = [(key, use_of(key)) for key in keys]
        title = "Revoke for good?"
        sentence = REVOKED.format(keys=ONE if len(lost) == 1 else SEVERAL)
        return self._ask(request, "revoke_selected", title, "Revoke", sentence, lost)

    def _ask(
        self,
        request: HttpRequest,
        action: str,
        title: str,
        button: str,
        sentence: str,
        lost: list[tuple[ApiKey, str]],
    ) -> HttpResponse:
        """The chosen rows go along by number: what is asked is what is done."""
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "action": action,
            "button": button,
            "sentence": sentence,
            "lost": lost,
            "checkbox": ACTION_CHECKBOX_NAME,
            "confirmed": CONFIRMED,
            "back": reverse("admin:gateway_apikey_changelist"),
        }
        return TemplateResponse(request, "admin/gateway/apikey/confirm.html", context)


def use_of(key: ApiKey) -> str:
    days = SpendDay.objects.filter(key_id=key.pk)
    made = days.aggregate(made=Sum("requests"))["made"] or 0
    last = days.order_by("-day").values_list("day", flat=True).first()
    if last is None:
        return "never used"
    return f"{counted(made, 'request')} so far, the last on {last}"


def texts_of(key: ApiKey) -> str:
    texts = RequestContent.objects.filter(key_id=key.pk).count()
    answers = StoredAnswer.objects.filter(scope=key.scope).count()
    told = (
        f"the texts of {counted(texts, 'request')}, and of the cache "
        f"{counted(answers, 'stored answer')} and all in memory"
    )
    if key.team is None:
        return told
    return f"{told}, which it shares with the team {key.team.name}"
