"""What a budget that nears its end still allows: first fewer tiers, then the cheapest,
then nothing but stored answers."""

from dataclasses import dataclass

from gateway.cache import CacheKeys
from gateway.errors import BudgetSpent
from gateway.ledger.books import Caller, RequestRecord
from gateway.limits.charges import Budget, Charges
from gateway.limits.estimates import most_nano, most_tokens
from gateway.runtime.snapshot import Snapshot
from routing.catalog import Catalog
from routing.chat import ChatRequest
from routing.features import features_of
from routing.tiers import Route

CAPPED, CHEAPEST, EXHAUSTED = "capped", "cheapest", "exhausted"


@dataclass(frozen=True, slots=True)
class Step:
    """The highest tier that is still allowed, and why."""

    name: str
    tier: int
    reason: str


async def economise(
    record: RequestRecord, route: Route, snapshot: Snapshot, charges: Charges
) -> bool:
    """Lower the request's ceiling when a budget of its caller says so; whether it did.

    Raises BudgetSpent when nothing may be bought any more, or not what is asked for.
    """
    budgets = await charges.budgets(record.caller)
    if not budgets:
        return False
    worst = max(budgets, key=lambda budget: budget.share)
    if worst.share >= 1:
        record.budget_step = EXHAUSTED
        raise charges.spent(worst)
    if record.chat.dialect == "vectors":
        return False  # no other tier makes the same
    step = step_of(worst, snapshot.catalog)
    step = fitting(step, budgets, record, route, snapshot.catalog)
    if step is None:
        return False
    record.budget_step = step.name
    spent = round(worst.share, 4)
    record.decide("budget", step.reason, allowed=step.name, spent_share=spent)
    if step.tier >= route.ceiling:
        return False
    if route.pinned:
        raise above(step, route, worst, charges)
    record.chat.max_tier = max(step.tier, route.floor)
    return True


def step_of(worst: Budget, catalog: Catalog) -> Step | None:
    """By the share of the budget that is spent."""
    policy, rule = catalog.policy, worst.mark.rule
    ranks = [tier.rank for tier in catalog.tiers]
    told = f"{worst.share:.1%} of the {rule.period}'s budget of {rule.owner} is spent"
    if not ranks:
        return None
    if worst.share >= policy.budget_cheapest_share:
        return Step(CHEAPEST, ranks[0], f"{told}: the cheapest tier only.")
    if worst.share >= policy.budget_cap_share:
        tier = policy.budget_cap_tier or (ranks[-2] if len(ranks) > 1 else ranks[0])
        return Step(CAPPED, tier, f"{told}: at most tier {tier}.")
    return None


def fitting(
    step: Step | None,
    budgets: list[Budget],
    record: RequestRecord,
    route: Route,
    catalog: Catalog,
) -> Step | None:
    """No tier that may cost more than what is left, when a lower one fits."""
    if route.pinned:
        return step
    chat = record.chat
    left = min(budget.left for budget in budgets)
    ceiling = min(route.ceiling, step.tier) if step else route.ceiling
    allowed = [t.rank for t in catalog.tiers if route.floor <= t.rank <= ceiling]
    fits = [rank for rank in allowed if most_of(rank, chat, catalog) <= left]
    if not allowed or fits and fits[-1] == allowed[-1]:
        return step
    rank = fits[-1] if fits else allowed[0]
    reason = f"In a tier above {rank} this request may cost more than is left."
    return Step(step.name if step else CAPPED, rank, reason)


def most_of(rank: int, chat: ChatRequest, catalog: Catalog) -> int:
    """What the dearest backend of a tier may charge for a request."""
    features = features_of(chat)
    costs = (
        most_nano(most_tokens(backend, chat, features, catalog.policy), backend.price)
        for backend in catalog.by_tier[rank]
    )
    return max(costs, default=0)


def above(step: Step, route: Route, worst: Budget, charges: Charges) -> BudgetSpent:
    """The request names what the budget doesn't allow any more."""
    return BudgetSpent(
        f"{step.reason} {route.reasons[0]} {charges.anew(worst.mark)}",
        retry_after=charges.seconds_left(worst.mark),
        should_retry=False,
        param="model",
    )


def apart(keys: CacheKeys, caller: Caller) -> CacheKeys:
    """A call that a key pays from a limit of its own is shared with nobody: its end is
    not the end of another key's budget."""
    own = f"key:{caller.key_id}"
    if keys.sharing is None or all(rule.subject != own for rule in caller.rules):
        return keys
    return keys._replace(sharing=keys.sharing + own.encode())
