"""Which tier each op goes to: the cheapest assignment that meets the deadline."""

from dataclasses import dataclass

from routing.tiers import Route
from workflows_app import estimates
from workflows_app.definition import Definition
from workflows_app.estimates import Facts

Tiers = dict[str, int]


@dataclass(frozen=True, slots=True)
class Work:
    """The ops that are done, what waits for each, and what is known of them."""

    definition: Definition
    order: tuple[str, ...]
    children: dict[str, tuple[str, ...]]
    signatures: dict[str, str]
    facts: Facts

    def seconds(self, name: str, tier: int) -> float:
        if name in self.facts.cached:
            return 0.0
        tokens = estimates.output_tokens(self.definition.ops[name])
        latencies = self.facts.latencies
        return latencies.expected(self.signatures[name], tier, tokens)

    def left_s(self, tiers: Tiers) -> dict[str, float]:
        seconds = {name: self.seconds(name, tiers[name]) for name in self.order}
        return estimates.longest_from(self.children, self.order, seconds)

    def critical_path(self, left: dict[str, float]) -> tuple[str, ...]:
        """The ops of the longest way through the run."""
        below = {child for found in self.children.values() for child in found}
        starts = [name for name in self.order if name not in below]
        if not starts:
            return ()
        path = [max(starts, key=left.__getitem__)]
        while found := self.children[path[-1]]:
            path.append(max(found, key=left.__getitem__))
        return tuple(path)

    def expected(self, tiers: Tiers) -> int:
        return estimates.expected_cost(self.definition, self.order, tiers, self.facts)

    def cost(self, tiers: Tiers) -> tuple[int, int, int]:
        return estimates.cost_range(self.definition, self.order, tiers, self.facts)


def choose_tiers(
    work: Work, deadline_s: float | None, max_cost_nano: int | None
) -> tuple[Tiers, Tiers]:
    """The cheapest tiers that meet the deadline, and those it raised.

    All start at the lowest allowed; while the run is too slow, the op of the critical
    path that saves most seconds per dollar goes up, as long as the money lasts.
    """
    ops, facts = work.definition.ops, work.facts
    routes = {name: estimates.route_of(ops[name], facts) for name in work.order}
    tiers = {name: route.floor for name, route in routes.items()}
    raised: Tiers = {}
    while deadline_s is not None:
        left = work.left_s(tiers)
        path = work.critical_path(left)
        if not path or left[path[0]] <= deadline_s:
            break
        best = best_raise(work, path, routes, tiers, max_cost_nano)
        if best is None:
            break
        name, tier = best
        tiers[name] = raised[name] = tier
    return tiers, raised


def best_raise(
    work: Work,
    path: tuple[str, ...],
    routes: dict[str, Route],
    tiers: Tiers,
    max_cost_nano: int | None,
) -> tuple[str, int] | None:
    """The op of the path and its new tier that save most seconds per dollar."""
    ranks = [tier.rank for tier in work.facts.catalog.tiers]
    cost = work.expected(tiers)
    best, best_rate = None, 0.0
    for name in path:
        now = work.seconds(name, tiers[name])
        for tier in ranks:
            if not tiers[name] < tier <= routes[name].ceiling:
                continue
            saved = now - work.seconds(name, tier)
            dearer = work.expected({**tiers, name: tier})
            if max_cost_nano is not None and dearer > max_cost_nano:
                continue
            rate = saved / max(dearer - cost, 1)
            if rate > best_rate:
                best, best_rate = (name, tier), rate
    return best
