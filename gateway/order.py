"""What is bought and for whom, and what everyone who reads the answer is told."""

from dataclasses import dataclass, field

from gateway.cache import CacheKeys, Entry
from gateway.ledger.books import RequestRecord
from gateway.runtime.snapshot import Snapshot
from routing.catalog import Policy
from routing.chat import Usage
from routing.providers import Dialect
from routing.tiers import Route


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be bought, for whom, and what the client's wishes allow."""

    record: RequestRecord
    route: Route
    keys: CacheKeys
    snapshot: Snapshot

    @property
    def policy(self) -> Policy:
        return self.snapshot.catalog.policy


@dataclass(slots=True)
class Receipt:
    """What a purchase tells everyone who reads it. `usage` is final at its end,
    `dialect` is the one the answer comes in, `entry` the answer as it was kept."""

    request_id: str
    score: int | None
    tier: int
    backend: str
    model: str
    dialect: Dialect
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    entry: Entry | None = None
