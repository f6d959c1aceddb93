"""Admin page of routers: what was measured, and who decides."""

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from routing.counting import counted
from routing.models import (
    Judgement,
    LearningTurn,
    Lesson,
    RouterModel,
    RoutingPolicy,
    VotedBorder,
)
from routing.read_only_admin import ReadOnlyAdmin


@admin.register(RouterModel)
class RouterAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "status", "source", "rows", "ranking", "created_at")
    list_filter = ("status", "source")
    search_fields = ("scope",)
    actions = ("activate", "watch", "retire", "step_back")
    fields = (
        *("version", "status", "source", "created_at", "activated_at"),
        *("scope", "rows", "ranking", "verdict", "calibration", "promised"),
        *("learned", "watched"),
    )
    readonly_fields = (
        *("rows", "ranking", "verdict", "calibration", "promised"),
        *("learned", "watched"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[RouterModel]:
        return super().get_queryset(request).defer("data")

    @admin.display(description="Rows")
    def rows(self, router: RouterModel) -> str:
        return str(router.metrics.get("rows", "unknown"))

    @admin.display(description="Held-out ranking (APGR; a coin has 0.5)")
    def ranking(self, router: RouterModel) -> str:
        return "; ".join(
            f"{pair['weak']} to {pair['strong']}: {pair['ranking']['apgr']:.3f}"
            for pair in router.metrics.get("pairs", ())
        )

    @admin.display(description="May it decide?")
    def verdict(self, router: RouterModel) -> str:
        if router.objections:
            return " ".join(router.objections)
        compared = [
            f"{each['baseline']} by {each['difference']:.3f} "
            f"[{each['low']:.3f}, {each['high']:.3f}]"
            for pair in router.metrics.get("pairs", ())[:1]  # most rows judge it
            for each in pair["comparisons"]
            if each["difference"] > 0  # a coin's need not be, of a router of votes
        ]
        return f"Yes. It beats {', '.join(compared)}."

    @admin.display(description="Judged, mean quality, calibration error per tier")
    def calibration(self, router: RouterModel) -> str:
        return "; ".join(
            f"{name}: {tier['rows']}, {tier['mean']:.3f}, {tier['error']:.3f}"
            for name, tier in router.metrics.get("tiers", {}).items()
        )

    @admin.display(description="Promise")
    def promised(self, router: RouterModel) -> str:
        """Of what `calibrate --max-worse --apply` kept."""
        if not (kept := router.promise):
            return "None. See manage.py calibrate --max-worse."
        borders = "; ".join(
            f"tier {each['tier']} up to a gain of {each['threshold']:.4f}: "
            f"{each['worse']} of {each['judged']} judged were worse, at most "
            f"{each['bound']:.2%} are"
            for each in kept["borders"]
        )
        return (
            f"Since {kept['at'][:10]}, with {kept['confidence']:.0%} confidence: at "
            f"most {kept['limit']:.1%} of the requests below tier {kept['baseline']} "
            f"are answered worse than there ({borders})."
        )

    @admin.display(description="Learned from")
    def learned(self, router: RouterModel) -> str:
        if not (about := router.metrics.get("learned")):
            return "Labelled prompts, by train_router."
        start = about.get("start")
        behind = f", as corrections of router {start}" if start else ""
        return f"{counted(about['votes'], 'vote')}{behind}."

    @admin.display(description="While it watched")
    def watched(self, router: RouterModel) -> str:
        if not (seen := router.metrics.get("watched")):
            return "Its choices stand with each request, under the step shadow."
        return (
            f"On {counted(seen['requests'], 'request')} it chose the tier that "
            f"answered in {seen['agreed']:.0%} and the top tier in "
            f"{seen['top_share']:.0%}."
        )

    @admin.action(description="Let it decide", permissions=["manage"])
    def activate(self, request: HttpRequest, routers: QuerySet[RouterModel]) -> None:
        if (router := self.only_one(request, routers)) is None:
            return
        try:
            router.activate()
        except ValidationError as error:
            self.message_user(
                request,
                f"{router} stays as it was. {' '.join(error.messages)}",
                messages.ERROR,
            )
            return
        self.log_change(request, router, "Activated.")
        self.message_user(request, f"{router} decides within a second.")

    @admin.action(description="Watch it: log its choices only", permissions=["manage"])
    def watch(self, request: HttpRequest, routers: QuerySet[RouterModel]) -> None:
        if (router := self.only_one(request, routers)) is not None:
            router.watch()
            self.log_change(request, router, "Watched.")
            self.message_user(request, f"What {router} would choose is logged.")

    @admin.action(description="Retire it", permissions=["manage"])
    def retire(self, request: HttpRequest, routers: QuerySet[RouterModel]) -> None:
        for router in routers:
            router.retire()
            self.log_change(request, router, "Retired.")
        self.message_user(request, "Without an active router the heuristic decides.")

    @admin.action(description="One step back", permissions=["manage"])
    def step_back(self, request: HttpRequest, routers: QuerySet[RouterModel]) -> None:
        """To the router that decided before the active one of the same scope,
        whichever is selected. Votes alone don't undo that."""
        for scope in sorted(set(routers.values_list("scope", flat=True))):
            active = RouterModel.of(scope, RouterModel.Status.ACTIVE)
            previous = RouterModel.step_back(scope)
            if previous is not None:
                self.log_change(request, previous, "Activated again, by a step back.")
            elif active is not None:
                self.log_change(request, active, "Retired, by a step back.")
            self.message_user(request, f"{previous or 'The heuristic'} decides again.")
        policy = RoutingPolicy.load()
        if policy.learning == RoutingPolicy.Learning.AUTO:
            policy.learning = RoutingPolicy.Learning.WATCH
            policy.save(update_fields=["learning"])
            self.log_change(request, policy, "Watches only, by a step back.")
            self.message_user(
                request,
                "New routers are only watched from now on, until you activate "
                "one; the routing policy's learning says so.",
            )

    def only_one(
        self, request: HttpRequest, routers: QuerySet[RouterModel]
    ) -> RouterModel | None:
        if routers.count() != 1:
            self.message_user(request, "Select exactly one router.", messages.ERROR)
            return None
        return routers.get()

    def has_manage_permission(self, request: HttpRequest) -> bool:
        """Rows are read-only, but who may change them may choose who decides."""
        return request.user.has_perm("routing.change_routermodel")


@admin.register(Lesson)
class LessonAdmin(ReadOnlyAdmin):
    list_display = (
        *("at", "request_id", "scope", "tier", "chance", "tokens"),
        *("router", "gain", "shadow", "shadow_tier"),
    )
    list_filter = ("tier",)
    search_fields = ("request_id__exact", "scope")
    exclude = ("row",)
    show_full_result_count = False


@admin.register(Judgement)
class JudgementAdmin(ReadOnlyAdmin):
    list_display = (
        *("at", "request_id", "scope", "cheap_tier", "baseline_tier"),
        *("score", "verdict", "source"),
    )
    list_filter = ("verdict", "source", "cheap_tier")
    search_fields = ("request_id__exact", "scope")
    exclude = ("row",)
    show_full_result_count = False


@admin.register(LearningTurn)
class LearningTurnAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "newest_vote", "taken_at", "note")


@admin.register(VotedBorder)
class VotedBorderAdmin(ReadOnlyAdmin):
    list_display = ("scope", "tier", "itself", "voted", "votes", "votes_above")
    search_fields = ("scope",)

    @admin.display(description="Ends at", ordering="base")
    def itself(self, row: VotedBorder) -> int:
        return row.base

    @admin.display(description="For this scope at", ordering="border")
    def voted(self, row: VotedBorder) -> int:
        return row.border
