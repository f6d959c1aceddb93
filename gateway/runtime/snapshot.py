"""A frozen copy of the configuration rows, built whole or not at all."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from math import isfinite

from django.core.exceptions import ValidationError
from django.db.models import CharField, IntegerField, Model, Q

from gateway.cache import Withdrawals
from gateway.cache.key import fingerprint, narrowed
from gateway.ledger.books import Caller
from gateway.limits.books import spent_so_far
from gateway.models import ApiKey, CacheLevelOff, Team
from gateway.runtime.callers import caller_of, is_limited
from gateway.runtime.purges import notes_of_judge, purged_scopes, withdrawals
from gateway.runtime.routers import read_brain, read_guide
from routing import models as rows
from routing.catalog import Alias, Backend, Catalog, Policy, PriceList, Tier
from routing.review import provider_key


class InvalidConfiguration(ValueError):
    """The rows contradict each other; the message tells an operator what to mend."""


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

    def seen_by(self, caller: Caller) -> "Snapshot":
        """What is there for a caller: itself, or with those models only it may use."""
        if not caller.models:
            return self
        seen = self._restricted.get(caller.models)
        if seen is None:
            seen = self._restricted[caller.models] = self._with(caller.models)
        return seen

    @cached_property
    def _restricted(self) -> dict[tuple[str, ...], "Snapshot"]:
        return {}

    def _with(self, models: tuple[str, ...]) -> "Snapshot":
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
    catalog = Catalog(tiers, backends, _aliases(), _policy())
    brain, notes = read_brain(catalog)
    guide, doubts = read_guide(catalog.policy, now)
    catalog = replace(catalog, brain=brain, guide=guide)
    keys, has_keys = _keys()
    own, purged = purged_scopes(fingerprint(catalog))
    return Snapshot(
        catalog,
        keys,
        own,
        has_keys,
        next_price,
        versions,
        (*notes, *doubts, *notes_of_judge(catalog)),
        purged,
        _levels_off(),
        spent_so_far((rule for key in keys.values() for rule in key.caller.rules), now),
        withdrawals(now),
    )


def _tiers() -> tuple[Tier, ...]:
    found = list(rows.Tier.objects.all())
    tiers = tuple(Tier(row.rank, row.name, row.max_score) for row in found)
    for row in found:
        check_fields(row, f"Tier {row.rank}")
    check_tiers(tiers)
    return tiers


def check_tiers(tiers: tuple[Tier, ...]) -> None:
    """Thresholds must rise from tier to tier; only the last has none."""
    previous = -1
    for tier in tiers[:-1]:
        if tier.max_score is None:
            raise InvalidConfiguration(
                f"Tier {tier.rank} has no highest score, but it is not the last tier."
            )
        if tier.max_score <= previous:
            raise InvalidConfiguration(
                f"Tier {tier.rank} ends at score {tier.max_score}, which is not above "
                f"the tier below it ({previous})."
            )
        previous = tier.max_score


def check_row(row: Model, name: str) -> None:
    """Refuse what the admin's form would have refused, whoever wrote the row."""
    check_fields(row, name)
    with refusing(name):
        row.clean()


def check_fields(row: Model, name: str) -> None:
    """The part of it that looks at each value alone."""
    relations = [field.name for field in row._meta.fields if field.is_relation]
    with refusing(name):
        row.clean_fields(exclude=relations)
    for column, value in vars(row).items():
        if isinstance(value, float) and not isfinite(value):
            raise InvalidConfiguration(f"{name} is invalid. {column}: {value}.")


@contextmanager
def refusing(name: str) -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        problems = " ".join(
            f"{field}: {' '.join(messages)}"
            for field, messages in error.message_dict.items()
        )
        raise InvalidConfiguration(f"{name} is invalid. {problems}") from error


def check_types(row: Model, name: str) -> None:
    """SQLite keeps a word in a column of numbers. Cheap: there may be many rows."""
    for column in row._meta.concrete_fields:
        value = getattr(row, column.attname)
        if isinstance(column, CharField):
            fits = isinstance(value, str)
        else:
            fits = not isinstance(column, IntegerField) or isinstance(value, int)
        if not fits and value is not None:
            problem = f"{column.name}: {value!r} is of the wrong type."
            raise InvalidConfiguration(f"{name} is invalid. {problem}")


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
    key, trouble = provider_key(row, environ)
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
        misconfigured=trouble,
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
    rows = CacheLevelOff.objects.values_list("scope", "level", "reason")
    return {(scope, level): reason for scope, level, reason in rows}


def utc_now() -> datetime:
    return datetime.now(UTC)
