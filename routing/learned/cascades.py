"""The cascade of each kind of request, for intents that have rules of their own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from routing.catalog import Policy
from routing.chat import Json
from routing.learned.features import Row, prompt_of, row_of
from routing.learned.intents import Intents


@dataclass(frozen=True, slots=True)
class Cascades:
    """`own` is by the intent's slug, and by the policy's column what it has instead."""

    intents: Intents
    own: Mapping[str, Mapping[str, Any]]

    def leading(self, body: Json) -> str:
        """The intent with the largest share of a request."""
        return self.leads(row_of(prompt_of(body)))

    def leads(self, row: Row) -> str:
        return self.intents.kinds[int(self.intents.mixture(row).argmax())].slug

    def rules(self, slug: str, policy: Policy) -> Policy:
        """The policy for requests that this intent leads."""
        own = self.own.get(slug)
        return replace(policy, **own) if own else policy
