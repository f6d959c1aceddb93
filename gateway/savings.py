"""What routing saves, as measured against the holdout, beside what prices say."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt

from django.db.models import Sum

from gateway.measured_rows import MeasuredDay
from routing.chat import Json
from routing.pricing import nano_to_usd

DAYS = 30
CONFIDENCE_95 = 1.96
MICRO_PER_NANO = 1e-3
# Below so many requests in a group its spread is anybody's guess.
ENOUGH = 30


@dataclass(slots=True)
class Arm:
    """Sums of one group. No answer is both asked again and of bad feedback."""

    requests: int = 0
    cost_nano: int = 0
    cost_squares: float = 0.0  # of micro-dollars
    saved_nano: int = 0
    asked_again: int = 0
    bad_feedback: int = 0
    unanswered: int = 0

    @property
    def mean(self) -> float:
        """Nano-dollars a request, failed attempts and retries included."""
        return self.cost_nano / self.requests if self.requests else 0.0

    @property
    def variance_of_mean(self) -> float:
        """In square nano-dollars."""
        if self.requests < 2:
            return 0.0
        mean = self.mean * MICRO_PER_NANO
        spread = max(0.0, self.cost_squares - self.requests * mean**2)
        return spread / (self.requests - 1) / self.requests / MICRO_PER_NANO**2

    @property
    def accepted(self) -> int:
        refused = self.unanswered + self.asked_again + self.bad_feedback
        return self.requests - refused

    def add(self, other: "Arm") -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def shown(self) -> Json:
        margin = CONFIDENCE_95 * sqrt(self.variance_of_mean)
        return {
            "requests": self.requests,
            "mean_cost_usd": nano_to_usd(self.mean),
            "mean_cost_95_usd": interval(self.mean, margin),
            "accepted": self.accepted,
            "unanswered": self.unanswered,
            "bad_feedback": self.bad_feedback,
            "asked_again": self.asked_again,
            "cost_per_accepted_usd": per(self.cost_nano, self.accepted),
        }


Arms = dict[str, Arm]


def report(arms: Arms) -> Json:
    """Measured and priced savings of the routed requests, net of deciding, in dollars.

    Empty while nothing was measured.
    """
    routed, holdout = arms.get("routed", Arm()), arms.get("holdout", Arm())
    if not routed.requests and not holdout.requests:
        return {}
    deciding = arms.get("deciding", Arm()).cost_nano
    told: Json = {
        "days": DAYS,
        "routed": routed.shown(),
        "holdout": holdout.shown(),
        "deciding_usd": nano_to_usd(deciding),
        "priced_saved_usd": nano_to_usd(routed.saved_nano - deciding),
        "measured_saved_usd": None,
        "measured_saved_95_usd": None,
        "enough": min(routed.requests, holdout.requests) >= ENOUGH,
    }
    if routed.requests and holdout.requests:
        saved = routed.requests * (holdout.mean - routed.mean) - deciding
        spread = sqrt(routed.variance_of_mean + holdout.variance_of_mean)
        margin = routed.requests * CONFIDENCE_95 * spread
        told["measured_saved_usd"] = nano_to_usd(saved)
        told["measured_saved_95_usd"] = interval(saved, margin)
    return told


def interval(middle: float, margin: float) -> list[float]:
    return [nano_to_usd(middle - margin), nano_to_usd(middle + margin)]


def per(nano: int, count: int) -> float | None:
    return nano_to_usd(nano / count) if count else None


def by_scope(today: date, days: int = DAYS) -> dict[str, Arms]:
    """The groups of each scope in the last days."""
    found: dict[str, Arms] = {}
    rows = MeasuredDay.objects.filter(day__gt=today - timedelta(days=days))
    added = {f"sum_{name}": Sum(name) for name in Arm.__slots__}
    grouped = rows.order_by().values("scope", "arm").annotate(**added)
    for scope, arm, *sums in grouped.values_list("scope", "arm", *added):
        found.setdefault(scope, {})[arm] = Arm(*sums)
    return found


def together(scopes: Iterable[Arms]) -> Arms:
    """All scopes as one."""
    summed: Arms = {}
    for arms in scopes:
        for name, arm in arms.items():
            summed.setdefault(name, Arm()).add(arm)
    return summed
