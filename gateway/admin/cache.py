"""The cache's pages: purge it, see how its hits prove, bring a level back."""

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from gateway import aliases, proofs
from gateway.models import (
    CacheLevelOff,
    CacheProof,
    CachePurge,
    LearnedAlias,
)
from gateway.purging import delete_stored
from routing.bounds import upper_bound
from routing.read_only_admin import ReadOnlyAdmin


@admin.register(CachePurge)
class CachePurgeAdmin(ModelAdmin):
    """Adding a row is the purge; the list is its history."""

    list_display = ("purged", "at")
    fields = ("scope", "model", "older_than_seconds")

    @admin.display(description="Purged")
    def purged(self, purge: CachePurge) -> str:
        return str(purge)

    def has_change_permission(
        self, request: HttpRequest, obj: CachePurge | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: CachePurge | None = None
    ) -> bool:
        # The newest row's number is in the keys: without it, old answers would return.
        return False

    def save_model(
        self, request: HttpRequest, obj: CachePurge, form: ModelForm, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        delete_stored(obj)
        self.message_user(request, "No answer from before is given after a second.")


@admin.register(CacheProof)
class CacheProofAdmin(ReadOnlyAdmin):
    list_display = (
        "scope",
        "level",
        "audited",
        "wrong",
        "unjudged",
        "at_most",
        "state",
    )
    list_filter = ("level",)
    search_fields = ("scope",)
    actions = ("reset",)
    exclude = ("day", "day_spent_nano")

    @admin.display(description="Judged")
    def audited(self, proof: CacheProof) -> int:
        return proof.right + proof.wrong

    @admin.display(description="Wrong at most (95 %)")
    def at_most(self, proof: CacheProof) -> str:
        judged = proof.right + proof.wrong
        return f"{upper_bound(proof.wrong, judged):.2%}" if judged else "not known yet"

    @display(description="State", label={"on": "success", "off": "danger"})
    def state(self, proof: CacheProof) -> tuple[str, str]:
        off = CacheLevelOff.objects.filter(scope=proof.scope, level=proof.level).first()
        return ("off", f"off: {off.reason}") if off else ("on", "on")

    @admin.action(
        description="Reset: answer again, and begin to count anew",
        permissions=["operate"],
    )
    def reset(self, request: HttpRequest, chosen: QuerySet[CacheProof]) -> None:
        for proof in chosen:
            proofs.reset(proof.scope, proof.level)
            self.log_change(request, proof, "Reset.")
        self.message_user(request, "They answer again within a second.")


@admin.register(LearnedAlias)
class LearnedAliasAdmin(ReadOnlyAdmin):
    """What the judge said. A deleted judgement may be made again, a refused may not."""

    list_display = ("__str__", "scope", "verdict", "similarity", "judged_by", "at")
    list_filter = ("same",)
    search_fields = ("scope", "wording", "root", "judged_by")
    actions = ("refuse",)

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return request.user.has_perm("gateway.delete_learnedalias")

    @display(
        description="Judged", label={"the same": "success", "different": "warning"}
    )
    def verdict(self, alias: LearnedAlias) -> str:
        return "the same" if alias.same else "different"

    @admin.action(
        description="Refuse: these never share answers", permissions=["delete"]
    )
    def refuse(self, request: HttpRequest, chosen: QuerySet[LearnedAlias]) -> None:
        for alias in chosen.filter(same=True):
            aliases.refuse(alias.scope, alias.wording, f"{request.user}"[:64])
            self.log_change(request, alias, "Refused.")
        self.message_user(request, "They share no answers after a second.")
