"""Keys: what must be equal for two requests to get the same answer.

A key is formed before routing, from what the client sent and from what the operator
allows, never from what the router chose. Every part is length-prefixed, so no text can
reach over into its neighbour. The client's dialect is no part: requests are compared in
the common language, and answers, kept as they were bought, are translated for whoever
asks (gateway/dialects/translation.py).
"""

import hashlib
from collections.abc import Iterator

import orjson

from routing.catalog import Catalog, Policy
from routing.chat import ChatRequest, Json

# A new number makes every older key unreachable; raise it when a key's parts change.
SCHEMA = b"llm-router cache 2"
SCHEMA_FRAMED = len(SCHEMA).to_bytes(8, "big") + SCHEMA

# Who asks, how it is delivered and what the provider files away, not what is answered.
# The model is a part of its own. `service_tier` counts: it buys another speed and
# price, and a priority request must not wait for somebody's flex call.
NOT_ABOUT_THE_ANSWER = frozenset(
    {
        "cache_control",
        "metadata",
        "model",
        "safety_identifier",
        "store",
        "stream",
        "stream_options",
        "user",
    }
)
NOT_ABOUT_THE_ANSWER_PREFIX = "prompt_cache_"
# Within messages and tools the same is said by these.
MARKS = frozenset({"cache_control", "prompt_cache_breakpoint"})
MARKS_WRITTEN = tuple(f'"{mark}":'.encode() for mark in MARKS)
MARKED = ("messages", "tools")
ANSWERING_RULES = (
    "client_model",
    "baseline_tier",
    "cold_start",
    "allow_downgrade",
    "learned_threshold",
    "learned_target",
    "learned_target_value",
    "sidecar_url",
    "sidecar_weight",
    "cascade",
    "cascade_band",
    "cascade_check",
    "cascade_confidence",
    "cascade_judge",
    "default_max_output_tokens",
)
SURELY_WHOLE = 1 << 53  # a float beyond it stands for several whole numbers
_rules: tuple[Policy | None, bytes] = (None, b"")


def exact_key(
    scope: str, chat: ChatRequest, policy: Policy, catalog_fingerprint: bytes
) -> bytes:
    """Equal for requests that ask the same of the same backends in one scope."""
    body = answering_fields(chat.body)
    kind = b"exact" if chat.ways[0] == "chat" else chat.ways[0].encode()
    asked = _without_marks(body, _json(body))
    return _digest(kind, *_route(scope, chat, policy), catalog_fingerprint, asked)


def rest_key(
    scope: str, chat: ChatRequest, policy: Policy, catalog_fingerprint: bytes
) -> bytes:
    """The exact key of everything but the text of the last message."""
    body = answering_fields(chat.body)
    *earlier, last = body["messages"]
    body["messages"] = [*earlier, {**last, "content": None}]
    asked = _without_marks(body, _json(body))
    return _digest(b"rest", *_route(scope, chat, policy), catalog_fingerprint, asked)


def canonical_key(rest: bytes, frame_digest: bytes) -> bytes:
    """Equal for two wordings of one question when all else is equal."""
    return _digest(b"canonical", rest, frame_digest)


def sharing_key(exact: bytes, stream: bool) -> bytes:
    """Calls in flight are shared by requests that also want the same delivery."""
    return exact + (b"\x01" if stream else b"\x00")


def fingerprint(catalog: Catalog) -> bytes:
    """Which models may answer and where the borders lie; once per snapshot.

    Keys, prices, weights and health are left out: they change who is chosen or what
    it costs, not what the answer is worth.
    """
    return _digest(
        b"catalog",
        _json([(tier.rank, tier.name, tier.max_score) for tier in catalog.tiers]),
        _json(
            [
                (b.name, b.tier, b.provider, b.model, b.base_url)
                for b in catalog.backends
            ]
        ),
        _json(
            [(alias.pattern, alias.tier, alias.backend) for alias in catalog.aliases]
        ),
        *([_json(catalog.cascades.own)] if catalog.cascades else ()),
    )


def after_purge(fingerprint: bytes, number: int) -> bytes:
    """Another fingerprint: nothing stored under the former one is found again."""
    return _digest(b"purge", fingerprint, str(number).encode())


def narrowed(fingerprint: bytes, models: str) -> bytes:
    """Another fingerprint for those who may use some of the models only."""
    return _digest(b"models", fingerprint, models.encode())


def answering_fields(body: Json) -> Json:
    """The fields that may change the answer; one we don't know counts."""
    return {
        name: as_json_has_it(value) if type(value) is float else value
        for name, value in body.items()
        if name not in NOT_ABOUT_THE_ANSWER
        and not name.startswith(NOT_ABOUT_THE_ANSWER_PREFIX)
    }


def as_json_has_it(value: float) -> float:
    """JSON has one kind of number: some clients write a temperature of 0 as 0.0."""
    whole = value.is_integer() and abs(value) < SURELY_WHOLE
    return int(value) if whole else value


def _route(scope: str, chat: ChatRequest, policy: Policy) -> Iterator[bytes]:
    """Who asks and in which namespace, for which model, and what that name means."""
    yield scope.encode()
    yield chat.namespace.encode()
    betas = chat.native.betas if chat.native else ()
    yield _json([chat.model, chat.pin, chat.min_tier, chat.max_tier, *betas])
    yield _rules_of(policy)


def _rules_of(policy: Policy) -> bytes:
    """What a policy says about who may answer; worked out once per policy."""
    global _rules
    known, rules = _rules
    if known is not policy:
        rules = _json([getattr(policy, name) for name in ANSWERING_RULES])
        _rules = policy, rules
    return rules


def _without_marks(body: Json, written: bytes) -> bytes:
    """The body's JSON without the marks that a provider's prompt cache goes by. Found
    in the bytes first: most bodies have none."""
    if not has_marks(written):
        return written
    lists = {name: body[name] for name in MARKED if isinstance(body.get(name), list)}
    return _json(
        {**body, **{name: list(map(unmarked, each)) for name, each in lists.items()}}
    )


def has_marks(written: bytes) -> bool:
    for mark in MARKS_WRITTEN:  # noqa: SIM110 - `any` takes twice as long
        if mark in written:
            return True
    return False


def unmarked(item: object) -> object:
    """A message or tool, with its parts, as if it had never been marked. What lies
    deeper, such as a tool's schema, is no mark."""
    if not isinstance(item, dict):
        return item
    bare = {name: value for name, value in item.items() if name not in MARKS}
    if isinstance(content := bare.get("content"), list):
        bare["content"] = [unmarked(part) for part in content]
    return bare


def _json(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _digest(*parts: bytes) -> bytes:
    framed = [SCHEMA_FRAMED]
    for part in parts:
        framed += (len(part).to_bytes(8, "big"), part)
    return hashlib.sha256(b"".join(framed)).digest()
