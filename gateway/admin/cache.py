"""The cache's pages: purge it, see how its hits prove, bring a level back."""

from django.contrib import admin
from django.db.models import Model, OuterRef, QuerySet, Subquery
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
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
from routing.money_format import dollars
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
        "spent_today",
        "state",
        "why",
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

    @admin.display(description="Spent today")
    def spent_today(self, proof: CacheProof) -> str:
        return dollars(proof.spent_nano(timezone.now().date()))

    @display(description="State", label={"on": "success", "off": "danger"})
    def state(self, proof: CacheProof) -> str:
        return "on" if proof.off is None else "off"  # type: ignore[attr-defined]

    @admin.display(description="Why")
    def why(self, proof: CacheProof) -> str:
        return proof.off or ""  # type: ignore[attr-defined]

    def get_queryset(self, request: HttpRequest) -> QuerySet[CacheProof]:
        off = CacheLevelOff.objects.filter(
            scope=OuterRef("scope"), level=OuterRef("level")
        )
        reason = Subquery(off.values("reason")[:1])
        return super().get_queryset(request).annotate(off=reason)

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
