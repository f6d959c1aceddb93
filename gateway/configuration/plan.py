"""What a configuration would change in the database. Reads rows, writes none.

A key that the file doesn't have keeps the value of the database, so a short file
never undoes in silence what an operator tuned in the admin.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from gateway.configuration.access_plan import key_notes, plan_keys, plan_teams
from gateway.configuration.aliases import FAMILIES, families
from gateway.configuration.backend_plan import plan_backend
from gateway.configuration.difference import (
    Change,
    Outcome,
    Plan,
    assign,
    change_of,
    is_new,
)
from gateway.configuration.document import AliasEntry, Config
from gateway.configuration.intent_plan import pin_notes, plan_intents, plan_pins
from gateway.configuration.problems import ConfigurationError, suggestion
from gateway.configuration.schema import ALIAS, BACKEND, POLICY, TIER, filling
from gateway.configuration.tiers import not_rising, thresholds
from gateway.models import ApiKey, Team
from routing.known_prices import known_prices
from routing.models import Backend, Intent, ModelAlias, Price, RoutingPolicy, Tier
from routing.models.policy import BACKEND_NAMES
from routing.money_format import exact_dollars
from routing.price_refresh import from_tables
from routing.review import misconfiguration, price_in_effect


def plan(
    config: Config, now: datetime, *, prune: bool = False, seed: bool = True
) -> Plan:
    """Compare `config` with the rows.

    `prune` disables the backends that the file doesn't have and, where it has such a
    list, intents as well, and deletes aliases. `seed` gives families of model names a
    meaning while there are no aliases at all, and backends without any price those that
    are known.
    """
    tiers = {tier.rank: tier for tier in Tier.objects.all()}
    stored = Backend.objects.select_related("tier").prefetch_related("prices")
    backends = {row.name: row for row in stored}
    missing = [backends[name] for name in sorted(backends.keys() - config.names)]
    policy = RoutingPolicy.objects.filter(pk=1).first() or RoutingPolicy(pk=1)

    teams = {row.name: row for row in Team.objects.all()}
    keys = {row.name: row for row in ApiKey.objects.select_related("team")}

    changes = list(_tiers(config, tiers))
    for entry in config.backends:
        row = backends.setdefault(entry.name, Backend(name=entry.name))
        tier = tiers[entry.tier]
        changes.append(plan_backend(entry, row, tier, now, seed=seed))
    changes += _missing_backends(missing, prune)
    changes += _aliases(config, tiers, backends, seed, prune)
    changes += plan_teams(config, teams)
    changes += plan_keys(config, teams, keys)
    changes.append(_policy(config, tiers, policy))
    usable = {name: key for name, key in keys.items() if not key.revoked_at}
    intents = {row.slug: row for row in Intent.objects.all()}
    changes += plan_intents(config, intents, prune=prune)
    changes += plan_pins(config, intents, backends, usable)
    notes = (
        *config.notes,
        *key_notes(config, keys),
        *pin_notes(config, usable),
        *_key_notes(config, backends),
        *_price_notes(changes, config, backends, now),
        *(_other_prices(config, backends, now) if seed else ()),
        *_similarity_note(config, policy),
        *_judge_notes(config, backends),
    )
    return Plan(tuple(changes), notes)


def _tiers(config: Config, tiers: dict[int, Tier]) -> Iterator[Change]:
    """Adds the tiers that are new to `tiers`."""
    kept = {rank: tier.max_score for rank, tier in tiers.items()}
    bounds = thresholds(sorted({*tiers, *config.ranks}), config.thresholds, kept)
    if sentence := not_rising(bounds):
        raise ConfigurationError([f"With the tiers of the database, {sentence}."])
    for rank, max_score in bounds.items():
        row = tiers.setdefault(rank, Tier(rank=rank))
        values: dict[str, object] = {"max_score": max_score}
        if is_new(row) or rank in config.tier_names:
            values["name"] = config.tier_names.get(rank, f"tier-{rank}")
        keys = {**TIER, f"tier{rank}_max": filling(Tier, "max_score")}
        yield change_of(f"tier {rank}", row, assign(row, values, keys))


def _missing_backends(rows: list[Backend], prune: bool) -> Iterator[Change]:
    """Backends of the database alone; those already disabled are no news."""
    for row in rows:
        if row.state == Backend.State.DISABLED:
            continue
        label = f"backend {row.name}"
        if prune:
            details = assign(row, {"state": Backend.State.DISABLED}, BACKEND)
            yield Change(label, Outcome.NOT_IN_FILE, tuple(details), (row,))
        else:
            yield Change(label, Outcome.NOT_IN_FILE)


def _aliases(
    config: Config,
    tiers: Mapping[int, Tier],
    backends: Mapping[str, Backend],
    seed: bool,
    prune: bool,
) -> Iterator[Change]:
    stored = ModelAlias.objects.select_related("tier", "backend")
    rows = {row.pattern: row for row in stored}
    wanted = {entry.pattern: entry for entry in config.aliases}
    whole = prune and "aliases" in config.lists
    # Families go into an empty table only: one that was deleted stays deleted.
    if seed and not rows and not whole:
        wanted = {family.pattern: family for family in families(config)} | wanted
    for entry in wanted.values():
        row = rows.get(entry.pattern) or ModelAlias(pattern=entry.pattern)
        yield _alias(entry, row, tiers, backends)
    for pattern in sorted(rows.keys() - wanted.keys()):
        gone = (rows[pattern],) if whole else ()
        if gone or pattern not in FAMILIES:
            yield Change(f"alias {pattern}", Outcome.NOT_IN_FILE, gone=gone)


def _alias(
    entry: AliasEntry,
    row: ModelAlias,
    tiers: Mapping[int, Tier],
    backends: Mapping[str, Backend],
) -> Change:
    values = {
        "position": entry.position,
        "tier": None if entry.tier is None else tiers[entry.tier],
        "backend": None if entry.backend is None else backends[entry.backend],
    }
    return change_of(f"alias {entry.pattern}", row, assign(row, values, ALIAS))


def _policy(config: Config, tiers: Mapping[int, Tier], row: RoutingPolicy) -> Change:
    values = dict(config.policy)
    if config.baseline_tier is not None:
        values["baseline_tier"] = tiers[config.baseline_tier]
    keys = {
        f"{section}.{key}": rule
        for section, rules in POLICY.items()
        for key, rule in rules.items()
    }
    return change_of("policy", row, assign(row, values, keys))


def _key_notes(config: Config, backends: Mapping[str, Backend]) -> Iterator[str]:
    for name in config.names:
        row = backends[name]
        # Unset variables are in the notes of the file already, once per variable.
        if not row.api_key_env and (problem := misconfiguration(row, {})):
            yield f"{name} gets no requests yet: {problem}"


def _price_notes(
    changes: list[Change],
    config: Config,
    backends: Mapping[str, Backend],
    now: datetime,
) -> Iterator[str]:
    seeded = {
        row.backend.name: row.source
        for change in changes
        for row in change.rows
        if isinstance(row, Price) and from_tables(row)
    }
    for entry in config.backends:
        row = backends[entry.name]
        if source := seeded.get(entry.name):
            yield f"{entry.name} has its price from {source}"
        elif not entry.prices and (is_new(row) or not price_in_effect(row, now)):
            yield f"{entry.name} has no price; its costs are counted as unpriced"


def _other_prices(
    config: Config, backends: Mapping[str, Backend], now: datetime
) -> Iterator[str]:
    """The file's price is used, and may be out of date."""
    for entry in config.backends:
        row = backends[entry.name]
        known = known_prices(row.provider, row.base_url, row.model, now)
        if not (entry.prices and known):
            continue
        given = entry.prices["input"], entry.prices["output"]
        price = known[0].price
        if given != (price.input, price.output):
            yield (
                f"{entry.name} costs {_in_and_out(*given)} by the file, which is used; "
                f"{known[0].source} says {_in_and_out(price.input, price.output)}"
            )


def _in_and_out(price_in: int, price_out: int) -> str:
    return f"${exact_dollars(price_in)} in, ${exact_dollars(price_out)} out"


def _similarity_note(config: Config, policy: RoutingPolicy) -> Iterator[str]:
    jaccard = policy.cache_matching == RoutingPolicy.Matching.JACCARD
    if "cache_similarity" in config.policy and not jaccard:
        yield (
            "cache.similarity_thresh acts in jaccard matching only; cache.matching is "
            f"{policy.cache_matching}"
        )


def _judge_notes(config: Config, backends: Mapping[str, Backend]) -> Iterator[str]:
    """No error: a backend may come later, and a dump has what the database has."""
    for section, rules in POLICY.items():
        for key, rule in rules.items():
            name = config.policy.get(rule.column)
            if rule.column in BACKEND_NAMES and name and str(name) not in backends:
                told = suggestion(str(name), backends)
                yield f"{section}.{key} is {name}, which is no backend{told}"
