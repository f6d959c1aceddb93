"""What a provider's failure says about the health of its backend."""

from gateway.errors import (
    BadUpstreamResponse,
    UpstreamAuthError,
    UpstreamError,
    UpstreamIncomplete,
    UpstreamModelMissing,
    UpstreamOverloaded,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from routing.health import Outcome


def outcome_of(error: UpstreamError, way: str = "chat") -> Outcome:
    """`way` is the endpoint that failed, by the names of routing/capabilities.py."""
    match error:
        case UpstreamRefused():
            return Outcome.CLIENT_ERROR
        case UpstreamRateLimited() | UpstreamOverloaded():
            return Outcome.RATE_LIMITED  # it asks to be left alone for a while
        case UpstreamAuthError():
            return Outcome.AUTH
        case UpstreamModelMissing() if way != "chat":
            return Outcome.CLIENT_ERROR  # for all we know it answers chats
        case UpstreamModelMissing():
            return Outcome.MODEL_MISSING
        case UpstreamTimeout():
            return Outcome.TIMEOUT
        case UpstreamUnavailable():
            return Outcome.CONNECT_ERROR
        case BadUpstreamResponse() | UpstreamIncomplete():
            return Outcome.BAD_RESPONSE
        case _:
            return Outcome.SERVER_ERROR
