"""The request all parts of the gateway speak about, in one common language."""

from dataclasses import dataclass, field
from typing import Any

from routing.providers import Dialect

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Native:
    """A request of Anthropic's Messages API in its client's own words.

    A provider that speaks the same gets `body` as it is. `inexpressible` names each
    field the common language has no word for, with the reason; `notes` is for people,
    about what an answer in another dialect goes without.
    """

    body: Json
    version: str
    betas: tuple[str, ...] = ()
    inexpressible: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class ChatRequest:
    """A chat completion as its client asked for it.

    `body` is OpenAI's chat-completion body with unknown fields kept; a client of
    another dialect has been translated into it, and `native` holds the original. Both
    have been validated, and are read, never changed: providers copy what they send.

    `scope` is who may share its answers (a key's team, else the key).
    `prefer` is the backend to ask among equals, `exact_only` forbids answers to other
    wordings, and with `one_bill` no other backend is asked after one that may charge.
    `shared_prefix` is how many characters its system text and first message have in
    common, from their beginning, with other requests that are made now.
    `model` is the name the client sent, or "auto". `pin`, `max_tier` come from headers
    the key allows; `no_cache`/`no_store` from Cache-Control. `cache_ttl` is how many
    seconds the answer may be reused, None as the policy says; `namespace` is a part of
    the scope's cache by itself. `session` names the conversation; "" means that its
    first turns do. `timeout` is how many seconds its client waits for the answer, from
    the request's arrival to the answer's end. A `dry_run` asks for the decision alone.
    `ways` are the endpoints of a provider that it can be sent to, best first, by the
    names of routing/capabilities.py. The body of embeddings is OpenAI's for them.
    `original` is the client's own body when it came in neither of the chat dialects,
    `beyond` the field in it that no chat has, and why, when there is one.
    """

    body: Json
    scope: str
    request_id: str
    model: str = "auto"
    stream: bool = False
    include_usage: bool = False
    dialect: Dialect = "openai"
    ways: tuple[str, ...] = ("chat",)
    original: Json | None = field(default=None, repr=False)
    beyond: tuple[str, str] | None = None
    native: Native | None = field(default=None, repr=False)
    pin: str = ""
    min_tier: int | None = None
    max_tier: int | None = None
    no_cache: bool = False
    no_store: bool = False
    allow_sampled_reuse: bool = False
    cache_ttl: float | None = None
    timeout: float | None = None
    namespace: str = ""
    session: str = ""
    dry_run: bool = False
    tags: tuple[str, ...] = ()
    prefer: str = ""
    exact_only: bool = False
    one_bill: bool = False
    shared_prefix: int = 0
    features: "Features | None" = field(default=None, repr=False)


@dataclass(slots=True)
class Features:
    """What one pass over the messages counted; no text is kept.

    `prompt_tokens` is an estimate (characters / 4) of everything sent upstream,
    `longest` of the longest input where each has to fit by itself, `max_output` the
    answer's limit that the client gave, or 0.
    """

    prompt_tokens: int = 0
    longest: int = 0
    max_output: int = 0
    turns: int = 0
    system_chars: int = 0
    json_mode: bool = False
    tools: int = 0
    code: bool = False
    reasoning_cues: tuple[str, ...] = ()
    needs: frozenset[str] = frozenset()
    ways: tuple[str, ...] = ("chat",)  # as in ChatRequest


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer, in OpenAI's meaning: cached and cache_write are parts of
    prompt, reasoning is a part of completion, cache_write_1h the part of cache_write
    that is to be kept for an hour."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0
    estimated: bool = False
    cache_write_1h: int = 0
