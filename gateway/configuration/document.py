"""What a configuration file says, checked; only what it says, no defaults."""

from collections.abc import Mapping
from dataclasses import dataclass

from routing.secret import Secret


@dataclass(frozen=True, slots=True)
class KeyReference:
    """Where a provider's key comes from: a variable, a literal, or (empty) nowhere."""

    env: str = ""
    literal: Secret = Secret()


@dataclass(frozen=True, slots=True)
class BackendEntry:
    """One of `models`; `columns` and `prices` hold what the file gives, by column."""

    name: str
    tier: int
    columns: Mapping[str, object]
    prices: Mapping[str, int]
    api_key: KeyReference | None = None


@dataclass(frozen=True, slots=True)
class AliasEntry:
    pattern: str
    position: int
    tier: int | None = None
    backend: str | None = None


@dataclass(frozen=True, slots=True)
class PinEntry:
    """One of `intent_pins`: what a person says of a backend for an intent."""

    intent: str
    backend: str
    scope: str
    value: float


@dataclass(frozen=True, slots=True)
class Config:
    """A whole file. `policy` is by column, without `baseline_tier` (a rank)."""

    backends: tuple[BackendEntry, ...]
    tier_names: Mapping[int, str]
    thresholds: Mapping[int, int]
    aliases: tuple[AliasEntry, ...]
    policy: Mapping[str, object]
    baseline_tier: int | None = None
    notes: tuple[str, ...] = ()
    teams: tuple[Mapping[str, object], ...] = ()  # by column
    keys: tuple[Mapping[str, object], ...] = ()
    intents: tuple[Mapping[str, object], ...] = ()
    pins: tuple[PinEntry, ...] = ()
    lists: frozenset[str] = frozenset()  # the sections that are there, if empty

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(backend.name for backend in self.backends)

    @property
    def ranks(self) -> tuple[int, ...]:
        return tuple(sorted({backend.tier for backend in self.backends}))
