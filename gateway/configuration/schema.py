"""The keys of config.yaml: which column each fills, and so its type and its choices.

Ranges are not here: the models' own validators check them, as they do in the admin.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import models

from gateway.configuration.values import Kind
from gateway.models import ApiKey, Team
from routing.models import (
    Backend,
    Intent,
    ModelAlias,
    RoutingPolicy,
    Tier,
    TrailPin,
)


@dataclass(frozen=True, slots=True)
class Key:
    kind: Kind
    column: str
    choices: tuple[str, ...] = ()
    required: bool = False


Keys = dict[str, Key]


def filling(model: type[models.Model], column: str, *, required: bool = False) -> Key:
    """A key whose kind is that of the column it fills."""
    field = model._meta.get_field(column)
    choices = tuple(str(value) for value, _ in getattr(field, "choices", None) or ())
    return Key(_kind(field, choices), column, choices, required)


def _kind(field: object, choices: tuple[str, ...]) -> Kind:
    if choices:
        return Kind.CHOICE
    match field:
        case models.DecimalField():
            return Kind.USD
        case models.BooleanField():
            return Kind.FLAG
        case models.FloatField():
            return Kind.NUMBER
        case models.IntegerField() | models.ForeignKey():  # a tier is its rank
            return Kind.WHOLE
        case models.TextField():
            return Kind.LINES
    return Kind.TEXT


BACKEND: Keys = {
    "name": filling(Backend, "name", required=True),
    "provider": filling(Backend, "provider", required=True),
    "model": filling(Backend, "model", required=True),
    "base_url": filling(Backend, "base_url"),
    "api_key": Key(Kind.TEXT, "api_key_value"),  # or api_key_env, when it is $NAME
    "max_tokens": filling(Backend, "context_window"),
    "max_output_tokens": filling(Backend, "max_output_tokens"),
    "tier": filling(Backend, "tier", required=True),
    "capabilities": filling(Backend, "capabilities"),
    "weight": filling(Backend, "weight"),
    "max_in_flight": filling(Backend, "max_in_flight"),
    "state": filling(Backend, "state"),
}
PRICE: Keys = {
    "cost_per_1k_in": Key(Kind.MONEY, "input"),
    "cost_per_1k_out": Key(Kind.MONEY, "output"),
    "cost_per_1k_cache_read": Key(Kind.MONEY, "cache_read"),
    "cost_per_1k_cache_write": Key(Kind.MONEY, "cache_write"),
}
TIER: Keys = {
    "rank": filling(Tier, "rank", required=True),
    "name": Key(Kind.NAME, "name", required=True),  # by people, as those below
}
ALIAS: Keys = {
    "pattern": filling(ModelAlias, "pattern", required=True),
    "tier": filling(ModelAlias, "tier"),
    "backend": Key(Kind.TEXT, "backend"),
    "position": filling(ModelAlias, "position"),
}


LIMITS: Keys = {
    name: filling(Team, name)
    for name in (
        "requests_per_minute",
        "tokens_per_minute",
        "budget_day_usd",
        "budget_week_usd",
        "budget_month_usd",
    )
}
TEAM: Keys = {
    "name": Key(Kind.NAME, "name", required=True),
    "time_zone": filling(Team, "time_zone"),
    **LIMITS,
}
KEY: Keys = {
    "name": Key(Kind.NAME, "name", required=True),
    "team": Key(Kind.NAME, "team"),
    "models": filling(ApiKey, "allowed_models"),
    "min_tier": filling(ApiKey, "min_tier"),
    "max_tier": filling(ApiKey, "max_tier"),
    "may_pin": filling(ApiKey, "may_pin"),
    "max_in_flight": filling(ApiKey, "max_in_flight"),
    "contents": filling(ApiKey, "contents"),
    **LIMITS,
}
INTENT: Keys = {
    "slug": filling(Intent, "slug", required=True),
    "description": Key(Kind.LINES, "description"),  # a text by people, if of one line
    **{
        name: filling(Intent, name)
        for name in (
            "words",
            "cues",
            "bias",
            "active",
            "cascade",
            "cascade_check",
        )
    },
}
PIN: Keys = {
    "intent": Key(Kind.TEXT, "intent", required=True),
    "backend": filling(TrailPin, "backend", required=True),
    "scope": Key(Kind.NAME, "scope"),  # with the name of a team or key
    "value": filling(TrailPin, "value", required=True),
}


def _policy(**columns: str) -> Keys:
    return {key: filling(RoutingPolicy, column) for key, column in columns.items()}


LISTS: dict[str, Keys] = {
    "models": {**BACKEND, **PRICE},
    "tiers": TIER,
    "aliases": ALIAS,
    "teams": TEAM,
    "keys": KEY,
    "intents": INTENT,
    "intent_pins": PIN,
}
POLICY: dict[str, Keys] = {
    "routing": _policy(
        client_model="client_model",
        baseline_tier="baseline_tier",
        holdout_share="holdout_share",
        cold_start="cold_start",
        allow_downgrade="allow_downgrade",
        intents="intents",
    ),
    "cache": _policy(
        enabled="cache_enabled",
        max_size="cache_max_entries",
        ttl_sec="cache_ttl_seconds",
        max_ttl_sec="cache_max_ttl_seconds",
        similarity_thresh="cache_similarity",
        matching="cache_matching",
        max_bytes="cache_max_bytes",
        max_temperature="cache_max_temperature",
        stale_sec="cache_stale_seconds",
        persist="cache_persist",
        audit_share="cache_audit_share",
        audit_budget_usd="cache_audit_budget_usd",
        judge="cache_judge",
        learn_aliases="cache_learn_aliases",
        embeddings="cache_embeddings",
        max_false_hit_share="cache_max_false_hit_share",
        min_audits="cache_min_audits",
    ),
    "sharing": _policy(
        enabled="sharing_enabled",
        buffer_bytes="sharing_buffer_bytes",
    ),
    "learned": _policy(
        threshold="learned_threshold",
        sidecar_url="sidecar_url",
        sidecar_weight="sidecar_weight",
        sidecar_budget_sec="sidecar_budget_seconds",
        max_feedback="max_feedback",
        target="learned_target",
        target_value="learned_target_value",
        learning="learning",
        exploration="learned_exploration",
        soft_share="learned_soft_share",
        refit_every="learned_refit_every",
        shadow_requests="learned_shadow_requests",
        across_scopes="learned_across_scopes",
        judge="learned_judge",
        pair_share="learned_pair_share",
        pair_budget_usd="learned_pair_budget_usd",
    ),
    "cascade": _policy(
        mode="cascade",
        band="cascade_band",
        check="cascade_check",
        confidence="cascade_confidence",
        judge="cascade_judge",
        window="cascade_window",
        hold_sec="cascade_hold_seconds",
    ),
    "server": _policy(
        read_timeout_sec="read_timeout_seconds",
        write_timeout_sec="write_timeout_seconds",
        connect_timeout_sec="connect_timeout_seconds",
        first_byte_timeout_sec="first_byte_timeout_seconds",
        stream_max_sec="stream_max_seconds",
        keepalive_sec="keepalive_seconds",
        max_answer_bytes="max_answer_bytes",
        default_max_output_tokens="default_max_output_tokens",
        on_disconnect="on_disconnect",
        drain_sec="drain_seconds",
    ),
    "budgets": _policy(
        cap_share="budget_cap_share",
        cap_tier="budget_cap_tier",
        cheapest_share="budget_cheapest_share",
    ),
    "retries": _policy(
        max_attempts="max_attempts",
        budget="retry_budget",
        retry_ambiguous="retry_ambiguous",
    ),
    "logs": _policy(
        retention_days="log_retention_days",
        contents="contents",
        contents_chars="contents_chars",
        contents_retention_days="contents_retention_days",
    ),
}
# Read there too, and written back to the section it is listed in.
ALSO_IN: dict[str, Keys] = {
    "learned": {"cold_start": filling(RoutingPolicy, "cold_start")}
}
RULES = ("classifier", *POLICY)  # how requests are decided, and by no other row
SECTIONS = (*LISTS, *RULES)


def classifier_keys(ranks: Iterable[int]) -> Keys:
    """`tier1_max`, `tier2_max` and so on, for every tier but the highest."""
    return {f"tier{rank}_max": filling(Tier, "max_score") for rank in ranks}
