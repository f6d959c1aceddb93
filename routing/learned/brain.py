"""What routers say about a request: the active one, the watched one, and chance.

While learning is on, tiers are drawn with known probabilities, because what is never
tried is never known; the row and the probability go with the request as its lesson.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from routing.chat import Features, Json
from routing.learned.features import Row, prompt_of, row_of
from routing.learned.router import Estimate, Router, draw, gain_of
from routing.pricing import nano_to_usd
from routing.tiers import Proposal


@dataclass(frozen=True, slots=True)
class Brain:
    """`exploration` is the share of requests whose tier is drawn at random while no
    router decides yet; `learning` tells whether anything is drawn at all. `own` are
    the brains of scopes that have routers of their own."""

    router: Router | None = None
    shadow: Router | None = None
    learning: bool = False
    exploration: float = 0.0
    own: "Mapping[str, Brain]" = field(default_factory=dict)

    @property
    def deciding(self) -> list[Router]:
        """The routers that decide, for everybody and for single scopes."""
        found = [brain.router for brain in (self, *self.own.values()) if brain.router]
        return list({router.version: router for router in found}.values())

    def of(self, scope: str) -> "Brain":
        """The one that decides for this scope."""
        return self.own.get(scope, self)

    def named(self, scope: str) -> "Brain":
        """The one that a command means: without a name, everybody's or the only one."""
        if scope or self.router is not None or len(self.own) != 1:
            return self.of(scope)
        return next(iter(self.own.values()))

    def propose(
        self,
        body: Json,
        features: Features,
        allowed: Sequence[int],
        fallback: int,
        random: Random,
    ) -> Proposal:
        """The tier of a request; `fallback` is whom the heuristic would take."""
        row = row_of(prompt_of(body))
        proposal = self._choose(row, features, allowed, fallback, random)
        if self.shadow is not None:
            proposal.shadow = view(self.shadow, row, features, allowed)
        if self.learning:
            proposal.lesson = lesson(row, proposal, features)
        return proposal

    def _choose(
        self,
        row: Row,
        features: Features,
        allowed: Sequence[int],
        fallback: int,
        random: Random,
    ) -> Proposal:
        router = self.router
        estimates, intents = judged(router, row, features) if router else ((), {})
        best = router.decide(estimates, allowed) if router else None
        if router is None or best is None:
            return self._untrained(allowed, fallback, random)
        facts = {"best": best, **facts_of(router, estimates, intents)}
        placed = None
        if list(allowed) == router.tiers:  # else it says more of the bounds
            placed = router.place(estimates, best)
        expected = tuple((each.tier, each.expected) for each in estimates)
        if not self.learning:
            text = reason(router, estimates, best)
            return Proposal(best, text, facts, expected=expected, placed=placed)
        chances = router.chances(estimates, allowed)
        tier = draw(chances, random)
        text = reason(router, estimates, best)
        if tier != best:
            text += f" To learn, tier {tier} is tried (chance {chances[tier]:.2f})."
        return Proposal(
            tier,
            text,
            facts | {"chance": chances[tier]},
            chances[tier],
            expected=expected,
            drawn=None if tier == best else tier,
            placed=placed,
        )

    def _untrained(
        self, allowed: Sequence[int], fallback: int, random: Random
    ) -> Proposal:
        if not self.learning or fallback not in allowed:
            return Proposal(None)
        share = self.exploration / len(allowed)
        chances = {
            tier: share + (tier == fallback) * (1 - self.exploration)
            for tier in allowed
        }
        tier = draw(chances, random)
        chance = chances[tier]
        if tier == fallback:
            return Proposal(None, chance=chance)
        text = f"To learn, tier {tier} is tried (chance {chance:.2f})."
        return Proposal(tier, text, {"chance": chance}, chance, drawn=tier)


def view(
    router: Router, row: Row, features: Features, allowed: Sequence[int]
) -> dict[str, Any]:
    """What a router that does not decide would have chosen."""
    estimates, intents = judged(router, row, features)
    facts = facts_of(router, estimates, intents)
    return {"tier": router.decide(estimates, allowed), **facts}


def judged(
    router: Router, row: Row, features: Features
) -> tuple[tuple[Estimate, ...], dict[str, float]]:
    """What each tier promises, and the intents that this was told by."""
    dense = router.model.dense
    read = dense.of(row)
    return router.judge(row, features, read), dense.told(read)


def facts_of(
    router: Router, estimates: Sequence[Estimate], intents: Mapping[str, float]
) -> dict[str, Any]:
    """Every number of the decision, for the explain view."""
    return {
        "router": router.version,
        "quality_per_nano_usd": router.outlook.rate,
        "gain": round(gain_of(estimates), 6),
        "intents": dict(intents),
        "tiers": [each.facts() for each in estimates],
    }


def reason(router: Router, estimates: Sequence[Estimate], best: int) -> str:
    parts = ", ".join(
        f"tier {each.tier} {each.quality:.2f} for ${nano_to_usd(each.cost):.6f}"
        for each in estimates
    )
    return f"Router {router.version} expects of {parts}: {router.why(estimates, best)}."


def lesson(row: Row, proposal: Proposal, features: Features) -> dict[str, Any]:
    """What is kept with the request to learn from; the tier follows when it is sure."""
    facts, shadow = proposal.facts, proposal.shadow or {}
    return {
        "row": base64.b64encode(row.pack()).decode(),
        "chance": proposal.chance,
        "tokens": features.prompt_tokens,
        "router": facts.get("router"),
        "gain": facts.get("gain"),
        "shadow": shadow.get("router"),
        "shadow_tier": shadow.get("tier"),
        "shadow_gain": shadow.get("gain"),
    }
