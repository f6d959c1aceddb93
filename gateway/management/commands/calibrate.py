"""`manage.py calibrate`: a target, solved on the traffic that was really seen."""

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from gateway.management import promises
from gateway.models import RequestLog
from gateway.runtime import snapshot as snapshots
from gateway.runtime.checks import InvalidConfiguration
from routing.management.tables import need_tables
from routing.models import Lesson, RouterModel, RoutingPolicy, Tier

if TYPE_CHECKING:
    from routing.learned.router import Router
    from routing.learned.targets import Target

NEWEST = 10_000  # requests looked at


class Command(BaseCommand):
    help = "Show what a target does to traffic; --apply makes it the policy."

    def add_arguments(self, parser: ArgumentParser) -> None:
        target = parser.add_mutually_exclusive_group(required=True)
        target.add_argument("--strong-share", type=share, help="of the requests")
        target.add_argument("--max-loss", type=share, help="of the quality")
        target.add_argument(
            "--max-worse", type=share, help="of the downgraded requests"
        )
        parser.add_argument("--confidence", type=share, default=0.95)
        parser.add_argument(
            "--data", type=Path, help="with --max-worse: judged prompts as JSON lines"
        )
        parser.add_argument("--model", type=Path, help="with --data: a router's file")
        parser.add_argument("--weak", help="with --data: the cheaper tier, not all")
        parser.add_argument("--strong", help="with --data: the baseline tier")
        parser.add_argument("--scope", default="", help="of a router of its own")
        parser.add_argument("--apply", action="store_true", help="make it the policy")

    def handle(self, *args: Any, **options: Any) -> None:
        from routing.learned.targets import Target
        from routing.learned.traffic import MIN_REQUESTS

        if not options["data"] and any(options[n] for n in ("model", "weak", "strong")):
            raise CommandError("--model, --weak and --strong go with --data.")
        if options["max_worse"] is not None:
            return promises.calibrate(options, self.stdout)
        if options["data"]:
            raise CommandError("--data goes with --max-worse.")
        need_tables(f"{MIN_REQUESTS} requests are needed")
        strong, apply = options["strong_share"], options["apply"]
        try:
            brain = snapshots.build(timezone.now()).catalog.brain
        except InvalidConfiguration as error:
            raise CommandError(str(error)) from None
        brain = brain and brain.named(options["scope"])
        if brain is not None and brain.router is not None:
            if strong is None:
                target = Target("max_loss", options["max_loss"])
            else:
                target = Target("top_share", strong)
            scope = RouterModel.objects.get(version=brain.router.version).scope
            return self.calibrate_router(brain.router, target, apply, scope)
        if strong is None:
            raise CommandError(
                "No router is active, so nobody predicts quality. Train one "
                "(manage.py train_router), or give --strong-share."
            )
        return self.calibrate_heuristic(strong, apply)

    def calibrate_router(
        self, router: "Router", target: "Target", apply: bool, scope: str
    ) -> None:
        from routing.learned.features import Row
        from routing.learned.targets import solve
        from routing.learned.traffic import Seen, intervals

        lessons = Lesson.objects.filter(scope=scope) if scope else Lesson.objects.all()
        newest = lessons.order_by("-id")[:NEWEST]
        found = list(newest.values_list("row", "tokens"))
        enough(len(found), "feature rows (the policy's learning keeps them)")
        rows = [Row.unpack(bytes(row)) for row, _ in found]
        seen = Seen.of(router.model, rows, [tokens for _, tokens in found])
        traffic = router.traffic(seen)
        found_outlook = solve(traffic, target)
        result = intervals(traffic, found_outlook)
        self.stdout.write(f"Router {router.version} on {len(found)} stored requests:")
        for name, value, (low, high) in (
            ("to the top tier", found_outlook.top_share, result.top_share),
            ("expected loss of quality", found_outlook.loss, result.loss),
            ("cost, of always the top tier", found_outlook.cost, result.cost),
        ):
            self.stdout.write(f"  {name}: {value:.1%} [{low:.1%}, {high:.1%}]")
        if not apply:
            self.stdout.write("Nothing is changed. Add --apply to make it the policy.")
            return
        RouterModel.objects.get(version=router.version).calibrate(seen.dump())
        policy = RoutingPolicy.load()
        policy.learned_target = target.kind
        policy.learned_target_value = target.value
        policy.save(update_fields=["learned_target", "learned_target_value"])
        self.stdout.write("It is the policy now, solved on these requests.")

    def calibrate_heuristic(self, strong_share: float, apply: bool) -> None:
        """No router: the border of the last tier, from the scores that were seen."""
        from routing.learned.traffic import border_for, share_above

        rows = RequestLog.objects.filter(score__isnull=False).order_by("-id")
        scores = [row.score or 0 for row in rows.only("score")[:NEWEST]]
        enough(len(scores), "scored requests")
        bordered = list(Tier.objects.all())[:-1]
        if not bordered:
            raise CommandError("There are fewer than two tiers: nothing to divide.")
        *lower, last = bordered
        border = border_for(scores, strong_share)
        above, low, high = share_above(scores, border)
        self.stdout.write(
            f"The router is untrained. On {len(scores)} scored requests a highest "
            f"score of {border} for {last} leaves {above:.1%} [{low:.1%}, {high:.1%}] "
            "to the top tier."
        )
        if not apply:
            self.stdout.write("Nothing is changed. Add --apply to make it so.")
            return
        for place, tier in enumerate(lower):
            most = border - (len(lower) - place)
            if most < 0:
                raise CommandError("No room is left below this border for the others.")
            if tier.max_score is None or tier.max_score > most:
                tier.max_score = most
                tier.save(update_fields=["max_score"])
        last.max_score = border
        last.save(update_fields=["max_score"])
        self.stdout.write(f"{last} ends at {border} now.")


def enough(count: int, of_what: str) -> None:
    from routing.learned.traffic import MIN_REQUESTS

    if count < MIN_REQUESTS:
        raise CommandError(
            f"There are {count} {of_what}; at least {MIN_REQUESTS} are needed."
        )


def share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise ArgumentTypeError("give a number from 0 to 1")
    return value
