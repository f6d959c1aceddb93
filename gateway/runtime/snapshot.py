"""A frozen copy of the configuration rows, built whole or not at all."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise

from django.db.models import F, Q

from gateway.cache import Withdrawals
from gateway.cache.key import fingerprint, narrowed
from gateway.ledger.books import Caller
from gateway.limits.books import spent_so_far
from gateway.limits.rules import Rule, of_audits, of_comparisons
from gateway.models import ApiKey, CacheLevelOff, Team
from gateway.runtime.callers import caller_of, is_limited
from gateway.runtime.checks import (
    InvalidConfiguration,
    check_fields,
    check_row,
    check_tiers,
    check_types,
)
from gateway.runtime.purges import notes_of_judge, purged_scopes, withdrawals
from gateway.runtime.routers import read_brain, read_cascades, read_guide
from routing import models as rows
from routing.catalog import Alias, Backend, Catalog, Policy, PriceList, Tier
from routing.review import address_problem, provider_key


@dataclass(frozen=True, slots=True)
class Key:
    """An API key as the request path needs it. Times are POSIX seconds."""

    caller: Caller
    expires_at: float | None = None


@dataclass(frozen=True)
class Snapshot:
    """Everything a request reads. `changes_at`: when a row takes effect by itself."""

    catalog: Catalog = field(default_factory=Catalog)
    keys: Mapping[str, Key] = field(default_factory=dict)
    fingerprint: bytes = b""
    has_keys: bool = False  # also revoked and expired ones: they end open mode
    changes_at: float | None = None
    versions: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()  # what serves, but not as an operator meant it
    # Scopes whose answers were purged: another fingerprint hides the older ones.
    purged: Mapping[str, bytes] = field(default_factory=dict)
    # (scope, level) -> why that level of the cache is off there.
    levels_off: Mapping[tuple[str, str], str] = field(default_factory=dict)
    # What the books say the budgets' counters stood at, for those that begin here.
    spent: Mapping[str, int] = field(default_factory=dict)
    # Answers of some model or age that were purged.
    withdrawals: Withdrawals = field(default_factory=Withdrawals)

    @property
    def without_price(self) -> str:
        """A sentence about the backends whose cost nobody knows; empty without any."""
        names = ", ".join(backend.name for backend in self.catalog.unpriced)
        return f"Without a price, so missing in every sum: {names}." if names else ""

    def seen_by(self, caller: Caller) -> "Snapshot":
        """What is there for a caller: itself, or with those models only it may use, and
        with the borders that its scope has voted for."""
        scope = caller.scope if caller.scope in self.catalog.voted else ""
        if not caller.models and not scope:
            return self
        key = (caller.models, scope)
        seen = self._restricted.get(key)
        if seen is None:
            seen = self._with_only(caller.models) if caller.models else self
            # Borders say who answers, not what is worth storing: a router's do not
            # count for the cache either.
            seen = replace(seen, catalog=seen.catalog.of_scope(scope))
            self._restricted[key] = seen
        return seen

    @cached_property
    def _restricted(self) -> "dict[tuple[tuple[str, ...], str], Snapshot]":
        return {}

    def _with_only(self, models: tuple[str, ...]) -> "Snapshot":
        """Its fingerprints are others, so that nothing bought from a model that is not
        allowed is found in the cache."""
        catalog = self.catalog.only(models)
        mark = "\n".join(models)
        return replace(
            self,
            catalog=catalog,
            fingerprint=narrowed(self.fingerprint, mark),
            purged={s: narrowed(found, mark) for s, found in self.purged.items()},
        )

    def fingerprint_for(self, scope: str) -> bytes:
        """What the keys of this scope's answers contain of the configuration."""
        return self.purged.get(scope, self.fingerprint)


def read_versions() -> dict[str, int]:
    """The change counters of the configuration tables."""
    return dict(rows.ConfigVersion.objects.values_list("table", "version"))


def build(now: datetime, environ: Mapping[str, str] = os.environ) -> Snapshot:
    """Read all rows. Raises InvalidConfiguration; never returns half of a change."""
    while True:
        try:
            snapshot = _read(now, environ)
        except InvalidConfiguration:
            raise
        except (TypeError, ValueError, AttributeError) as error:
            # SQLite takes any value in any column, a word for a number included.
            raise InvalidConfiguration(
                f"A configuration row can't be read: {error}."
            ) from error
        # Unchanged counters around the reads: no commit fell between them. (A read
        # transaction would do, but SQLite's would have to wait for every writer.)
        if read_versions() == snapshot.versions:
            return snapshot


def _read(now: datetime, environ: Mapping[str, str]) -> Snapshot:
    versions = read_versions()
    tiers = _tiers()
    prices, next_price = _prices(now)
    backends = tuple(
        _backend(row, prices.get(row.pk), environ)
        for row in rows.Backend.objects.select_related("tier")
    )
    catalog = Catalog(tiers, backends, _aliases(), _policy(), voted=_voted(tiers))
    brain, notes = read_brain(catalog)
    guide, doubts = read_guide(catalog.policy, now)
    cascades, more_doubts = read_cascades()
    catalog = replace(catalog, brain=brain, guide=guide, cascades=cascades)
    keys, has_keys = _keys()
    own, purged = purged_scopes(fingerprint(catalog))
    return Snapshot(
        catalog=catalog,
        keys=keys,
        fingerprint=own,
        has_keys=has_keys,
        changes_at=next_price,
        versions=versions,
        notes=(*notes, *doubts, *more_doubts, *notes_of_judge(catalog)),
        purged=purged,
        levels_off=_levels_off(),
        spent=spent_so_far(_budgets(keys, catalog.policy), now),
        withdrawals=withdrawals(now),
    )


def _budgets(keys: Mapping[str, Key], policy: Policy) -> Iterator[Rule]:
    """Those of callers, and the gateway's own."""
    for key in keys.values():
        yield from key.caller.rules
    if policy.learned_judge:
        yield of_comparisons(policy.learned_pair_budget_usd)
    if policy.cache_audit_share or policy.cache_learn_aliases:
        yield of_audits(policy.cache_audit_budget_usd)


def _tiers() -> tuple[Tier, ...]:
    found = list(rows.Tier.objects.all())
    tiers = tuple(Tier(row.rank, row.name, row.max_score) for row in found)
    for row in found:
        check_fields(row, f"Tier {row.rank}")
    check_tiers(tiers)
    return tiers


def _voted(tiers: tuple[Tier, ...]) -> dict[str, dict[int, int]]:
    """Where scopes have moved the borders of today, if these still rise."""
    bases = {tier.rank: tier.max_score for tier in tiers}
    found: dict[str, dict[int, int]] = {}
    for row in rows.VotedBorder.objects.exclude(border=F("base")):
        if bases.get(row.tier) == row.base:
            found.setdefault(row.scope, {})[row.tier] = row.border
    return {scope: moved for scope, moved in found.items() if rises(bases | moved)}


def rises(borders: Mapping[int, int | None]) -> bool:
    finite = [border for border in borders.values() if border is not None]
    return all(low < high for low, high in pairwise(finite))


def _prices(now: datetime) -> tuple[dict[int, PriceList], float | None]:
    """The price in effect per backend id, and when the next one takes effect."""
    in_effect: dict[int, PriceList] = {}
    upcoming: datetime | None = None
    for row in rows.Price.objects.order_by("effective_from"):
        check_types(row, f"Price {row.pk}")
        if row.effective_from > now:
            upcoming = upcoming or row.effective_from
            continue
        try:
            in_effect[row.backend_id] = row.value()
        except (TypeError, ValueError) as error:
            raise InvalidConfiguration(f"Price {row.pk} is invalid. {error}") from error
    return in_effect, upcoming.timestamp() if upcoming else None


def _backend(
    row: rows.Backend, price: PriceList | None, environ: Mapping[str, str]
) -> Backend:
    check_row(row, f"Backend {row.name}")
    key, keyless = provider_key(row, environ)
    return Backend(
        name=row.name,
        tier=row.tier.rank,
        provider=row.provider,
        model=row.model,
        base_url=row.base_url,
        api_key=key,
        price=price,
        context_window=row.context_window,
        max_output_tokens=row.max_output_tokens,
        max_in_flight=row.max_in_flight,
        weight=row.weight,
        state=row.state,  # type: ignore[arg-type]
        misconfigured=address_problem(row) or keyless,
        capabilities=row.capabilities,
        id=row.pk,
    )


def _aliases() -> tuple[Alias, ...]:
    return tuple(
        Alias(
            row.pattern,
            row.tier.rank if row.tier else None,
            row.backend.name if row.backend else "",
        )
        for row in rows.ModelAlias.objects.select_related("tier", "backend")
    )


def _policy() -> Policy:
    row = rows.RoutingPolicy.objects.select_related("baseline_tier").first()
    if row is None:
        return Policy()
    check_row(row, "The routing policy")
    values = {
        name: getattr(row, name)
        for name in Policy.__dataclass_fields__
        if name != "baseline_tier"
    }
    baseline = row.baseline_tier.rank if row.baseline_tier else None
    return Policy(**values, baseline_tier=baseline)


def _keys() -> tuple[dict[str, Key], bool]:
    for team in Team.objects.all():
        check_fields(team, f"Team {team.name}")
    keys: dict[str, Key] = {}
    # Judged in SQL: Django reads a malformed date as None, which would mean "valid".
    valid = ApiKey.objects.filter(revoked_at__isnull=True).select_related("team")
    for row in valid.annotate(ends=Q(expires_at__isnull=False)).iterator():
        if row.ends and row.expires_at is None:
            raise InvalidConfiguration(f"API key {row.name} ends at no valid time.")
        check_types(row, f"API key {row.pk}")
        if is_limited(row) or row.contents:
            check_fields(row, f"API key {row.name}")
        expires = row.expires_at.timestamp() if row.expires_at else None
        keys[row.digest] = Key(caller_of(row), expires)
    return keys, bool(keys) or ApiKey.objects.exists()


def _levels_off() -> dict[tuple[str, str], str]:
    found = CacheLevelOff.objects.values_list("scope", "level", "reason")
    return {(scope, level): reason for scope, level, reason in found}


def utc_now() -> datetime:
    return datetime.now(UTC)
