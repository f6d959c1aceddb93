"""Frozen values the request path reads: tiers, backends, prices, policy.

Rows are edited in the admin; `gateway.runtime.snapshot` turns them into these when they
change. Nothing here touches the database. Money is integer nano-USD.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from routing import capabilities
from routing.providers import PROVIDERS, Provider
from routing.secret import Secret

if TYPE_CHECKING:  # it imports numpy, which an untrained gateway does without
    from routing.learned.brain import Brain
    from routing.learned.cascades import Cascades
    from routing.learned.guide import Guide


@dataclass(frozen=True, slots=True)
class PriceList:
    """Nano-USD per million tokens, as of one effective date.

    `longer`: above so many prompt tokens, cached ones included, all tokens of a call
    cost that much instead; the highest border last.
    """

    input: int
    output: int
    cache_read: int
    cache_write: int
    longer: "tuple[tuple[int, PriceList], ...]" = ()

    @property
    def cache_write_1h(self) -> int:
        """Of what is written to be kept for an hour: twice the input price at
        Anthropic, and nobody else reports any."""
        return 2 * self.input

    @property
    def amounts(self) -> tuple[object, ...]:
        """All that it says of money: two prices with equal amounts are one price."""
        longer = tuple((above, price.amounts) for above, price in self.longer)
        return (self.input, self.output, self.cache_read, self.cache_write, *longer)

    def of(self, prompt_tokens: int) -> "PriceList":
        """The price of a call with such a prompt."""
        for above, price in reversed(self.longer):
            if prompt_tokens > above:
                return price
        return self


@dataclass(frozen=True, slots=True)
class Tier:
    """A class of equally capable backends. `max_score` is None on the last tier."""

    rank: int
    name: str
    max_score: int | None = None
    voted_from: int | None = None  # what it was before a scope's votes moved it


@dataclass(frozen=True)
class Backend:
    """One model at one provider. `tier` is the rank of its tier.

    `misconfigured` says in a sentence why it can't serve, or is empty.
    `capabilities` is what an operator says about it (routing/capabilities.py).
    `price` is None when no price row is in effect: an unpriced backend still serves
    and is reported as unpriced, never as free.
    """

    name: str
    tier: int
    provider: str = "openai-compatible"
    model: str = ""
    base_url: str = ""
    api_key: Secret = Secret()
    price: PriceList | None = None
    context_window: int | None = None
    max_output_tokens: int | None = None
    max_in_flight: int = 0  # 0: no bound of its own
    weight: float = 1.0
    state: Literal["enabled", "draining", "disabled"] = "enabled"
    misconfigured: str = ""
    capabilities: str = ""
    id: int = 0

    @cached_property
    def preset(self) -> Provider:
        return PROVIDERS[self.provider]

    @cached_property
    def cannot(self) -> frozenset[str]:
        return capabilities.cannot(self.provider, self.model, self.capabilities)

    def way_of(self, ways: tuple[str, ...]) -> str | None:
        """The first of these endpoints that it offers."""
        for way in ways:
            if way not in self.cannot:
                return way
        return None


@dataclass(frozen=True, slots=True)
class Alias:
    """A glob over model names clients may send, and the tier or backend it means."""

    pattern: str
    tier: int | None = None
    backend: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """What an operator tunes while running; see RoutingPolicy for each meaning."""

    client_model: Literal["ceiling", "pin", "route"] = "ceiling"
    baseline_tier: int | None = None  # None: the highest tier
    holdout_share: float = 0.0
    cold_start: Literal["heuristic", "baseline"] = "heuristic"
    allow_downgrade: bool = False
    cache_enabled: bool = True
    cache_matching: Literal["exact", "canonical", "jaccard"] = "canonical"
    cache_max_entries: int = 1000
    cache_max_bytes: int = 256 << 20
    cache_ttl_seconds: float = 300.0
    cache_max_ttl_seconds: float = 3600.0
    cache_similarity: float = 0.85
    cache_max_temperature: float = 0.3
    cache_stale_seconds: float = 0.0
    cache_persist: bool = False
    cache_audit_share: float = 0.01
    cache_audit_budget_usd: float = 1.0
    cache_judge: str = ""
    cache_learn_aliases: bool = False
    cache_embeddings: str = ""
    cache_max_false_hit_share: float = 0.01
    cache_min_audits: int = 300
    sharing_enabled: bool = True
    sharing_buffer_bytes: int = 1 << 20
    learned_threshold: float = 0.5
    sidecar_url: str = ""
    sidecar_weight: float = 0.7
    sidecar_budget_seconds: float = 0.05
    max_feedback: int = 10_000
    budget_cap_share: float = 0.8
    budget_cap_tier: int = 0  # 0: the second highest
    budget_cheapest_share: float = 0.95
    intents: bool = False
    cascade: Literal["none", "whole", "all"] = "none"
    cascade_band: float = 0.1
    cascade_check: Literal["form", "logprobs", "agreement", "judge"] = "form"
    cascade_confidence: float = 0.6
    cascade_judge: str = ""
    cascade_window: int = 200
    cascade_hold_seconds: float = 1.5
    max_attempts: int = 3
    retry_budget: float = 0.2
    retry_ambiguous: bool = False
    on_disconnect: Literal["cancel", "drain"] = "cancel"
    drain_seconds: float = 60.0
    connect_timeout_seconds: float = 5.0
    first_byte_timeout_seconds: float = 120.0
    read_timeout_seconds: float = 30.0
    write_timeout_seconds: float = 120.0
    stream_max_seconds: float = 3600.0
    max_answer_bytes: int = 64 << 20
    keepalive_seconds: float = 15.0
    default_max_output_tokens: int = 4096
    learned_target: Literal["max_loss", "top_share", "max_worse"] = "max_loss"
    learned_target_value: float = 0.02
    learning: Literal["none", "watch", "auto"] = "none"
    learned_exploration: float = 0.5
    learned_soft_share: float = 0.1
    learned_refit_every: int = 200
    learned_shadow_requests: int = 50
    learned_across_scopes: bool = False
    learned_judge: str = ""
    learned_pair_share: float = 0.0
    learned_pair_budget_usd: float = 1.0
    log_retention_days: int = 30
    contents: str = "metadata"
    contents_chars: int = 500
    contents_retention_days: int = 7

    def bounded_ttl(self, asked: float | None) -> float | None:
        """How long a client may have its answer kept that asks for so many seconds."""
        if asked is None:
            return None
        return min(asked, max(self.cache_ttl_seconds, self.cache_max_ttl_seconds))


@dataclass(frozen=True)
class Catalog:
    """Everything routing decides with, at one moment. Tiers are sorted by rank."""

    tiers: tuple[Tier, ...] = ()
    backends: tuple[Backend, ...] = ()
    aliases: tuple[Alias, ...] = ()
    policy: Policy = field(default_factory=Policy)
    brain: "Brain | None" = None  # None: nothing is trained, watched or learned
    guide: "Guide | None" = None  # None: intents decide nothing
    cascades: "Cascades | None" = None  # None: the policy's holds for all intents
    # By scope and tier: where its votes want the score of a tier to end.
    voted: Mapping[str, Mapping[int, int]] = field(default_factory=dict)

    def of_scope(self, scope: str) -> "Catalog":
        """With the borders between tiers that this scope's votes have moved."""
        if scope not in self.voted or self.policy.learning != "auto":
            return self
        borders = self.voted[scope]
        tiers = tuple(
            replace(tier, max_score=border, voted_from=tier.max_score)
            if (border := borders.get(tier.rank)) is not None
            else tier
            for tier in self.tiers
        )
        return replace(self, tiers=tiers, voted={})

    def only(self, models: tuple[str, ...]) -> "Catalog":
        """As if there were those backends only whose name or model matches one of the
        globs, and the tiers that have one of them."""
        backends = tuple(
            b
            for b in self.backends
            if any(fnmatchcase(b.name, m) or fnmatchcase(b.model, m) for m in models)
        )
        ranks = {backend.tier for backend in backends}
        tiers = tuple(tier for tier in self.tiers if tier.rank in ranks)
        aliases = tuple(
            alias
            for alias in self.aliases
            if not alias.backend or any(b.name == alias.backend for b in backends)
        )
        return replace(self, tiers=tiers, backends=backends, aliases=aliases)

    @cached_property
    def by_name(self) -> dict[str, Backend]:
        return {backend.name: backend for backend in self.backends}

    @cached_property
    def by_tier(self) -> dict[int, tuple[Backend, ...]]:
        """Backends of each tier rank, in configured order."""
        return {
            tier.rank: tuple(b for b in self.backends if b.tier == tier.rank)
            for tier in self.tiers
        }

    @cached_property
    def price_classes(self) -> dict[int, tuple[tuple[Backend, ...], ...]]:
        """Backends of each tier rank, those of equal price together."""
        return {
            rank: tuple(map(tuple, same_price(backends)))
            for rank, backends in self.by_tier.items()
        }

    @cached_property
    def tiers_of_model(self) -> dict[str, int]:
        """The highest tier at which each upstream model name is configured."""
        tiers: dict[str, int] = {}
        for backend in self.backends:
            tiers[backend.model] = max(tiers.get(backend.model, 0), backend.tier)
        return tiers

    @cached_property
    def baseline_prices(self) -> tuple[PriceList, ...]:
        """What serving backends of the baseline tier charge, each price once."""
        prices = {
            price.amounts: price
            for backend in self.by_tier.get(self.baseline_tier, ())
            if backend.state == "enabled" and not backend.misconfigured
            if "chat" not in backend.cannot
            if (price := backend.price)
        }
        return tuple(prices.values())

    @cached_property
    def unpriced(self) -> tuple[Backend, ...]:
        """Who serves, and nobody knows what it costs."""
        return tuple(
            backend
            for backend in self.backends
            if backend.price is None and backend.state != "disabled"
        )

    @cached_property
    def switched_off(self) -> tuple[str, ...]:
        """Who serves nobody, as it is configured."""
        off = (b for b in self.backends if b.state != "enabled" or b.misconfigured)
        return tuple(backend.name for backend in off)

    @property
    def baseline_tier(self) -> int:
        """The tier that savings are measured against."""
        if self.policy.baseline_tier is not None:
            return self.policy.baseline_tier
        return self.tiers[-1].rank if self.tiers else 0


def same_price(backends: tuple[Backend, ...]) -> list[list[Backend]]:
    """Backends grouped by what a prompt and an answer cost there."""
    classes: dict[object, list[Backend]] = {}
    for backend in backends:
        price = backend.price
        key = (price.input, price.output, price.longer) if price else None
        classes.setdefault(key, []).append(backend)
    return list(classes.values())
