"""A dry run: what a request would do now, and why. No provider hears of it, and nothing
is stored, spent or counted."""

import orjson

from gateway.cache import Hit
from gateway.deciding import choose_tier
from gateway.errors import NotExpressible
from gateway.ledger.books import saving, saving_of_vectors
from gateway.order import Order
from gateway.providers import wire_format
from gateway.purchase import STAYS, staying
from gateway.runtime.runtime import Runtime
from gateway.steering import Course, steer
from routing.candidates import Candidate, Standing, expected_output, tiers_to_try
from routing.catalog import PriceList
from routing.chat import Features, Json, Usage
from routing.classifier import classify
from routing.features import features_of
from routing.pricing import cost_nano, nano_to_usd


async def describe(order: Order, hit: Hit | None, runtime: Runtime) -> bytes:
    """The decision as JSON: where the answer would come from, and whom a purchase
    would ask. The sidecar, when there is one, is asked: the tier hangs on its word."""
    record = order.record
    features = features_of(record.chat)
    choice = await choose_tier(order, features, runtime)
    course = await steer(order, choice, features, runtime)
    market = Market(order, course, features, runtime)
    if hit is None and runtime.inflight.has_place(order.keys.sharing):
        record.cache = "SHARED"
    if hit:
        record.cache, record.cache_level = "HIT", hit.level
        record.decide("cache", hit.reason, level=hit.level, similarity=hit.similarity)
    record.tier = course.choice.tier
    if market.best:
        record.backend = market.best.backend.name
        record.tier = market.best.backend.tier
        record.decide("backend", f"{record.backend}: {market.best.reason}")
    return orjson.dumps(
        {
            "object": "llm_router.dry_run",
            "request_id": record.chat.request_id,
            "model_asked": record.chat.model,
            "cache": cache_of(order, hit),
            "score": None if record.score is None else score_of(features),
            "tier": record.tier,
            "backend": record.backend or None,
            "candidates": market.candidates(),
            "estimate": market.estimate(hit),
            "decisions": record.decisions,
        }
    )


def score_of(features: Features) -> Json:
    score = classify(features)
    signals = [
        {"name": each.name, "points": each.points, "reason": each.reason}
        for each in score.signals
    ]
    return {"value": score.value, "signals": signals}


def cache_of(order: Order, hit: Hit | None) -> Json:
    """What the look-up found, and whether the answer would be kept."""
    found: Json = {
        "result": order.record.cache,
        "reason": hit.reason if hit else order.keys.reason,
        "would_store": hit is None and order.keys.reuse.store,
    }
    if hit:
        entry = hit.entry
        found |= {"level": hit.level, "similarity": hit.similarity, "stale": hit.stale}
        found |= {"answered_by": entry.request_id, "backend": entry.backend}
    return found


class Market:
    """The backends as one request finds them. `best` is the one it would ask."""

    def __init__(
        self, order: Order, course: Course, features: Features, runtime: Runtime
    ) -> None:
        self._order = order
        self._course = course
        self._choice = choice = course.choice
        self._catalog = order.snapshot.catalog
        self._usage = Usage(
            prompt=features.prompt_tokens,
            completion=expected_output(features),
            estimated=True,
        )
        self._tiers = tiers_to_try(self._catalog, choice.tier, order.route)
        self._standings = runtime.pool.survey(self._catalog, features)
        self._unfit: dict[str, str] = {}
        self.best = self._pick(features, runtime)

    def _pick(self, features: Features, runtime: Runtime) -> Candidate | None:
        """As a purchase would, over those that can't say what the request says."""
        chat, policy = self._order.record.chat, self._order.policy
        while True:
            found = runtime.pool.candidates(
                self._catalog,
                self._choice,
                self._order.route,
                features,
                self._unfit,
                self._course.prefer,
            )
            if home := staying(
                self._order, self._course, features, self._unfit, runtime
            ):
                found = [Candidate(home, STAYS)]
            if not found or not found[-1].usable:
                return None
            backend = found[-1].backend
            wire = wire_format(backend, features.ways)
            try:
                asked = runtime.refusals.fitted(backend)
                wire.prepare(asked, chat, policy, runtime.thoughts.of(backend))
            except NotExpressible as error:
                self._unfit[backend.name] = error.message
            else:
                return found[-1]

    def candidates(self) -> list[Json]:
        """Every backend: the one to ask, then by tier as they would be tried, the
        cheapest first; those that are out of the question are last."""
        rows = [self._row(each) for each in self._standings]
        unpriced = float("inf")

        def place(row: Json) -> tuple[bool, int, float]:
            tier, cost = row["tier"], row["expected_cost_usd"]
            order = self._tiers.index(tier) if tier in self._tiers else len(self._tiers)
            return not row["chosen"], order, unpriced if cost is None else cost

        return sorted(rows, key=place)

    def _row(self, standing: Standing) -> Json:
        backend = standing.backend
        cost = self._cost(backend.price)
        return {
            "backend": backend.name,
            "tier": backend.tier,
            "provider": backend.provider,
            "model": backend.model,
            "chosen": bool(self.best and self.best.backend is backend),
            "reason": self._reason(standing),
            "health": standing.health,
            "in_flight": standing.in_flight,
            "price_usd_per_million": price_of(backend.price),
            "expected_cost_usd": usd(cost),
        }

    def _reason(self, standing: Standing) -> str:
        """Why this backend, or why not."""
        backend, best = standing.backend, self.best
        if best and best.backend is backend:
            return best.reason
        if self._order.route.backend not in ("", backend.name):
            return f"Only {self._order.route.backend} is allowed."
        if backend.tier not in self._tiers:
            return f"Its tier is not tried for a request of tier {self._choice.tier}."
        if standing.blocked:
            return standing.blocked.reason
        if reason := self._unfit.get(backend.name):
            return reason
        if best is None or backend.tier != best.backend.tier:
            return f"Tier {self._choice.tier} is tried before it."
        if backend.price is None:
            return "It has no price: it comes last in its tier."
        if self._cost(backend.price) == self._cost(best.backend.price):
            return "It costs the same; the other should answer sooner."
        return "It costs more than the one that would be asked."

    def _cost(self, price: PriceList | None) -> int | None:
        return None if price is None else cost_nano(self._usage, price)

    def _saved(self, usage: Usage, cost: int) -> int:
        record = self._order.record
        if record.chat.dialect == "vectors":
            backend = self._catalog.by_name.get(record.backend)
            return saving_of_vectors(usage, cost, backend)
        return saving(usage, cost, self._catalog)

    def estimate(self, hit: Hit | None) -> Json:
        """Tokens and dollars; None where there is no price, nothing for a hit."""
        usage = hit.entry.usage if hit else self._usage
        cost = 0 if self._order.record.cache in ("HIT", "SHARED") else None
        if cost is None and self.best:
            cost = self._cost(self.best.backend.price)
        saved = None if cost is None else self._saved(usage, cost)
        return {
            "prompt_tokens": usage.prompt,
            "completion_tokens": usage.completion,
            "cost_usd": usd(cost),
            "cost_nano_usd": cost,
            "saved_usd": usd(saved),
            "saved_nano_usd": saved,
        }


def price_of(price: PriceList | None) -> Json | None:
    if price is None:
        return None
    return {
        "input": usd(price.input),
        "output": usd(price.output),
        "cache_read": usd(price.cache_read),
        "cache_write": usd(price.cache_write),
    }


def usd(nano: int | None) -> float | None:
    return None if nano is None else nano_to_usd(nano)
