"""What a request may match by, at each level of the cache."""

from typing import NamedTuple

from gateway.cache.canonical import frame, refusal
from gateway.cache.jaccard import WordSet, word_set_of
from gateway.cache.key import canonical_key, exact_key, rest_key, sharing_key
from gateway.cache.neighbours import Question, question_of
from gateway.cache.policy import Reuse, decide, question
from routing.catalog import Catalog, Policy
from routing.chat import ChatRequest


class CacheKeys(NamedTuple):
    """Everything a request may match by; None where it may not.

    `reason` is the rule that took a level away, "" when none did. `rest` is all of the
    request but the text of its question; `words` and `similarity` act within it, and
    so does `question`, by which other wordings are learned when the policy says so.
    `identity` is the exact key even where nothing may match by it.
    `seconds` is how long the client wants its answer kept, None as the policy says.

    A tuple, as each request makes several: a frozen dataclass takes five times as long.
    """

    scope: str
    reuse: Reuse
    identity: bytes
    reason: str = ""
    exact: bytes | None = None
    sharing: bytes | None = None
    rest: bytes | None = None
    canonical: bytes | None = None
    alias: bytes | None = None
    question: Question | None = None
    words: WordSet | None = None
    similarity: float = 1.0
    seconds: float | None = None


def keys_of(chat: ChatRequest, catalog: Catalog, fingerprint: bytes) -> CacheKeys:
    """What this request may match as it was sent, before it is routed."""
    policy, scope = catalog.policy, chat.scope
    reuse = decide(chat, policy)
    exact = exact_key(scope, chat, policy, fingerprint)
    return CacheKeys(
        scope,
        reuse,
        exact,
        reason=reuse.reason,
        exact=exact if reuse.exact else None,
        sharing=sharing_key(exact, chat.stream) if reuse.share else None,
        seconds=policy.bounded_ttl(chat.cache_ttl),
    )


def with_meaning(
    keys: CacheKeys, chat: ChatRequest, policy: Policy, fingerprint: bytes
) -> CacheKeys:
    """Add what other wordings of the same question are matched by."""
    text = question(chat.body) or ""
    framed = frame(text)
    if framed is None:
        return keys._replace(reason=keys.reason or refusal(text))
    rest = rest_key(keys.scope, chat, policy, fingerprint)
    similar = policy.cache_matching == "jaccard"
    return keys._replace(
        rest=rest,
        canonical=canonical_key(rest, framed.digest),
        question=question_of(text) if policy.cache_learn_aliases else None,
        words=word_set_of(text, framed) if similar else None,
        similarity=policy.cache_similarity,
    )
