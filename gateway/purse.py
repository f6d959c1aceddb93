"""Money of the gateway's own: what calls beside the traffic may cost at most is set
aside from a day's budget before they are made."""

import structlog

from gateway.asking import JUDGE_TOKENS
from gateway.limits.estimates import most_nano, most_tokens
from gateway.limits.hold import Hold
from gateway.limits.rules import Rule
from gateway.runtime.runtime import Runtime
from routing.catalog import Catalog
from routing.chat import ChatRequest, Usage
from routing.features import features_of
from routing.pricing import nano_to_usd

log = structlog.get_logger("limits")


class Purse:
    """`event` is told once, when a budget is less than one of its purposes may cost."""

    def __init__(self, runtime: Runtime, event: str) -> None:
        self._runtime = runtime
        self._event = event
        self._told = False

    async def room(self, rule: Rule, *costs: int) -> list[Hold] | None:
        """A hold for each cost; None when the day's budget has no room for all."""
        if rule.limit <= 0:
            return None  # also for what has no price
        if sum(costs) > rule.limit and not self._told:
            self._told = True
            log.warning(
                self._event,
                may_cost_usd=nano_to_usd(sum(costs)),
                budget_usd=nano_to_usd(rule.limit),
            )
        holds: list[Hold] = []
        for nano in costs:
            hold = await self._runtime.charges.set_aside(rule, nano)
            if hold is None:
                give_back(holds)
                return None
            holds.append(hold)
        return holds


def give_back(holds: list[Hold]) -> None:
    """Those that nothing was asked for; the others are settled."""
    for hold in holds:
        hold.settle(0, 0)


def most_of_answer(catalog: Catalog, tier: int, chat: ChatRequest) -> tuple[int, int]:
    """What an answer of this tier's dearest backend costs at most, and its tokens."""
    features = features_of(chat)
    answers = [
        (most_tokens(backend, chat, features, catalog.policy), backend.price)
        for backend in catalog.by_tier.get(tier, ())
    ]
    nano = max((most_nano(*each) for each in answers), default=0)
    return nano, max((usage.completion for usage, _ in answers), default=0)


def most_of_look(
    catalog: Catalog, judge: str, question: ChatRequest, more_tokens: int = 0
) -> int:
    """What a judge costs at most, who reads so many tokens more than the question."""
    backend = catalog.by_name.get(judge)
    read = Usage(features_of(question).prompt_tokens + more_tokens, JUDGE_TOKENS)
    return most_nano(read, backend.price if backend else None)


def most_of_vectors(catalog: Catalog, name: str, chat: ChatRequest) -> int:
    """What the embeddings of this backend cost at most."""
    backend = catalog.by_name.get(name)
    read = Usage(features_of(chat).prompt_tokens)
    return most_nano(read, backend.price if backend else None)
