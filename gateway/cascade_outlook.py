"""What a cascade is expected to cost and to take, from the log of what was routed."""

from collections import defaultdict
from collections.abc import Container, Iterable
from dataclasses import dataclass, field, replace
from statistics import fmean

from django.db.models import QuerySet

from gateway.ledger.books import NOT_OF_CLIENTS
from gateway.models import RequestLog
from routing.cascade import Cascade, plan
from routing.catalog import Catalog
from routing.chat import Json
from routing.classifier import Score
from routing.models import Intent, Lesson
from routing.money_format import dollars
from routing.tiers import Choice

NEWEST = 5000  # requests looked at
ASSUMED = 0.3  # share of doubted answers where nothing tells more


@dataclass(slots=True)
class Outlook:
    """`now` and `then` are nano-USD and milliseconds over all routed requests."""

    routed: int = 0
    uncertain: int = 0
    checked: int = 0
    doubted: int = 0
    shares: list[float] = field(default_factory=list)
    cost: tuple[float, float] = (0.0, 0.0)
    latency: tuple[float, float] = (0.0, 0.0)

    @property
    def share(self) -> float:
        """Of the first answers: how many are doubted, as seen, else as expected."""
        if self.checked:
            return self.doubted / self.checked
        return fmean(self.shares) if self.shares else ASSUMED

    def __str__(self) -> str:
        if not self.routed:
            return "Nothing was routed yet: there is nothing to reckon with."
        source = "were" if self.checked else "are expected to be"
        return (
            f"Of the newest {self.routed} routed requests {self.uncertain} are "
            f"uncertain. {self.share:.0%} of their first answers {source} doubted. "
            f"All together cost {dollars(round(self.cost[0]))} without a cascade and "
            f"{dollars(round(self.cost[1]))} with it, and take "
            f"{self.latency[0] / 1000:.2f} s on average without and "
            f"{self.latency[1] / 1000:.2f} s with it."
        )


@dataclass(frozen=True, slots=True)
class Means:
    """Of one tier's requests that were answered at once."""

    cost: float
    latency: float


def outlook(catalog: Catalog, counted: Container[str] | None = None) -> Outlook:
    """By today's policy and the mean cost and time of each tier in the log.

    `counted` are the requests that are meant, by id; all of them otherwise."""
    rows = list(routed().order_by("-id")[:NEWEST])
    means = means_of(rows)
    found = Outlook()
    plans: list[tuple[RequestLog, Cascade | None]] = []
    for row in rows:
        if counted is not None and row.request_id not in counted:
            continue
        steps = {step.get("step"): step for step in row.decisions}
        if not steps.keys() & {"router", "tier"} or row.tier is None:
            continue  # pinned: nothing was to be decided
        found.routed += 1
        if check := steps.get("cascade_check"):
            found.checked += 1
            found.doubted += not check.get("passed")
        planned = plan_of(row, steps, catalog)
        if planned and planned.first in means and planned.then in means:
            found.uncertain += 1
            found.shares += expected_doubt(planned, steps)
            plans.append((row, planned))
        else:
            plans.append((row, None))
    total(found, plans, means, catalog)
    return found


def outlook_of(intent: Intent, catalog: Catalog) -> Outlook | None:
    """The same for requests that this intent leads, by its rules; None when no request
    was kept that it leads."""
    from routing.learned.cascades import Cascades
    from routing.learned.features import Row
    from routing.trails import intents_of

    others = Intent.objects.filter(active=True).exclude(pk=intent.pk)
    intents = intents_of([*others, intent])
    cascades = Cascades(intents, {})
    led = set()
    for lesson in Lesson.objects.order_by("-id")[:NEWEST].iterator():
        try:
            leads = cascades.leads(Row.unpack(bytes(lesson.row)))
        except ValueError:  # of an earlier version of the features
            continue
        if leads == intent.slug:
            led.add(lesson.request_id)
    own = {"cascade_check": intent.cascade_check} if intent.cascade_check else {}
    rules = Cascades(intents, {intent.slug: own}).rules(intent.slug, catalog.policy)
    return outlook(replace(catalog, policy=rules), led) if led else None


def routed() -> QuerySet[RequestLog]:
    """What clients asked and was bought; no judge's calls, which cost otherwise."""
    found = RequestLog.objects.filter(
        outcome="ok",
        cache__in=("MISS", "BYPASS"),
        score__isnull=False,
        tier__isnull=False,
    )
    for beginning in NOT_OF_CLIENTS:
        found = found.exclude(endpoint__startswith=beginning)
    return found


def means_of(rows: Iterable[RequestLog]) -> dict[int, Means]:
    at_once = defaultdict(list)
    for row in rows:
        if row.attempts == 1 and row.tier is not None:
            at_once[row.tier].append((row.cost_nano, row.latency_ms))
    return {
        tier: Means(fmean(c for c, _ in seen), fmean(t for _, t in seen))
        for tier, seen in at_once.items()
    }


def plan_of(
    row: RequestLog, steps: dict[str | None, Json], catalog: Catalog
) -> Cascade | None:
    estimates = steps.get("router", {}).get("tiers", ())
    tier = steps.get("cascade", {}).get("then", row.tier)
    choice = Choice(int(tier or 0), (), tuple(estimates))
    ranks = [each.rank for each in catalog.tiers]
    return plan(choice, Score(row.score or 0, ()), ranks, catalog)


def expected_doubt(planned: Cascade, steps: dict[str | None, Json]) -> list[float]:
    """By a router: as often as it expects the first answer to be wrong."""
    estimates = steps.get("router", {}).get("tiers", ())
    return [1 - each["quality"] for each in estimates if each["tier"] == planned.first]


def total(
    found: Outlook,
    plans: list[tuple[RequestLog, Cascade | None]],
    means: dict[int, Means],
    catalog: Catalog,
) -> None:
    """Without a cascade a request costs what its tier costs on average; with it the
    first answer, what checks it, and the other tier's as often as it is doubted."""
    judge = catalog.by_name.get(catalog.policy.cascade_judge)
    sums = [0.0, 0.0, 0.0, 0.0]
    nothing = Means(0.0, 0.0)
    for row, planned in plans:
        alone = means.get(row.tier or 0, nothing)
        cost, latency = alone.cost, alone.latency
        if planned:
            first, then = means[planned.first], means[planned.then]
            check = nothing
            if catalog.policy.cascade_check == "agreement":
                check = first
            elif catalog.policy.cascade_check == "judge" and judge:
                check = means.get(judge.tier, nothing)
            cost = first.cost + check.cost + found.share * then.cost
            latency = first.latency + check.latency + found.share * then.latency
        for place, value in enumerate((alone.cost, cost, alone.latency, latency)):
            sums[place] += value
    count = max(1, found.routed)
    found.cost = (sums[0], sums[1])
    found.latency = (sums[2] / count, sums[3] / count)
