"""Whom to prefer among backends of equal standing: whose trail is strongest here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from routing.chat import Json
from routing.learned.features import prompt_of, row_of
from routing.learned.intents import Intents
from routing.learned.trails import Trails

EXPLORED = 0.05  # share of requests that no trail steers
SHOWN = 3  # intents in the explain view


@dataclass(frozen=True, slots=True)
class Preference:
    """The backend to prefer, and the numbers behind it."""

    backend: str
    reason: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Guide:
    """`trails` are by scope, so that nobody's votes steer another's requests; `pinned`
    are those of scopes without any."""

    intents: Intents
    trails: Mapping[str, Trails]
    pinned: Trails

    def prefer(
        self, body: Json, scope: str, tier: int, equals: Sequence[str], random: Random
    ) -> Preference | None:
        """The strongest of these backends; None without a difference, or now and then
        to let the others leave trails."""
        trails = self.trails.get(scope, self.pinned)
        if not trails.cells or random.random() < EXPLORED:
            return None
        shares = self.intents.mixture(row_of(prompt_of(body))).tolist()
        mixture = {
            kind.key: share
            for kind, share in zip(self.intents.kinds, shares, strict=True)
        }
        worth = {name: trails.worth(mixture, tier, name) for name in equals}
        best = max(worth, key=lambda name: worth[name])
        if worth[best] <= min(worth.values()):
            return None
        slugs = {kind.key: kind.slug for kind in self.intents.kinds}
        ranked = sorted(mixture, key=lambda key: -mixture[key])[:SHOWN]
        facts = {
            "intents": {slugs[key]: round(mixture[key], 3) for key in ranked},
            "worth": {name: round(value, 4) for name, value in worth.items()},
        }
        kinds = ", ".join(f"{slugs[key]} {mixture[key]:.0%}" for key in ranked)
        return Preference(
            best, f"{kinds}: {best} has served such requests best.", facts
        )
