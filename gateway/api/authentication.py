"""Who asks: an API key, or nobody in open mode on one's own machine."""

from collections.abc import Mapping

from gateway.errors import Forbidden, Unauthorized
from gateway.key_rows import digest_of
from gateway.ledger.books import LOCAL_SCOPE, Caller
from gateway.runtime.snapshot import Snapshot

LOCAL = Caller(scope=LOCAL_SCOPE, key_name="open mode")
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
FORWARDED = (b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip")
Headers = Mapping[bytes, bytes]


def authenticate(
    headers: Headers, snapshot: Snapshot, *, loopback: bool, now_wall: float
) -> Caller:
    """The caller of a request. Raises the same 401 for every key that is not valid."""
    if snapshot.has_keys:
        return _holder(presented(headers), snapshot, now_wall)
    if _is_local(headers, loopback):
        return LOCAL
    raise Unauthorized(
        "An API key is required: the gateway is open only to this machine, and only "
        "while it has no key. Create one with: manage.py create_key NAME",
        should_retry=False,
    )


def presented(headers: Headers) -> str:
    """The key in `Authorization: Bearer` or `x-api-key`, or an empty string."""
    authorization = headers.get(b"authorization", b"")
    if authorization[:7].lower() == b"bearer ":
        return authorization[7:].strip().decode("latin-1")
    return headers.get(b"x-api-key", b"").decode("latin-1")


def _holder(secret: str, snapshot: Snapshot, now_wall: float) -> Caller:
    # Looked up by the full digest: how far a guess is right can't be timed.
    key = snapshot.keys.get(digest_of(secret)) if secret else None
    if key is None or (key.expires_at is not None and key.expires_at <= now_wall):
        raise Unauthorized(
            "The API key is missing or not valid. Send it as "
            "'Authorization: Bearer KEY' or 'x-api-key: KEY'.",
            should_retry=False,
        )
    return key.caller


def _is_local(headers: Headers, loopback: bool) -> bool:
    """Is this certainly somebody on this machine, not a page or a proxy?"""
    host = headers.get(b"host", b"").decode("latin-1").lower()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    forwarded = any(header in headers for header in FORWARDED)
    return loopback and name in LOOPBACK_HOSTS and not forwarded


def may_override(caller: Caller, header: str) -> None:
    """Raise unless the key may choose backends and tiers itself."""
    if not caller.may_pin:
        raise Forbidden(f"This key may not use {header}.", should_retry=False)
