"""What a provider's error means to us, in either dialect.

The body of an error is shown only where the client can act on it (its request was
refused), and then without what identifies the operator's account or network.
"""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from gateway.dialects.redaction import redact
from gateway.dialects.retry_after import retry_after
from gateway.errors import (
    BadUpstreamResponse,
    SamplingRefused,
    ThoughtRefused,
    UpstreamAuthError,
    UpstreamError,
    UpstreamModelMissing,
    UpstreamOverloaded,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamServerError,
    UpstreamTimeout,
)
from routing.chat import Json

MESSAGE_CHARS = 1000
CODES = {404: "not_found", 413: "request_too_large"}
CODE = re.compile(r"[a-zA-Z][\w.-]{0,63}", re.ASCII)
CONTEXT_TOO_LONG = re.compile(
    r"maximum context length|prompt is too long|context[_ ](?:length|window|limit)"
    r"[^.]{0,40}exceed|exceed[^.]{0,60}context|too many (?:input )?tokens",
    re.IGNORECASE,
)
THINKING_REFUSED = re.compile(
    r"signature.{0,60}thinking|thinking.{0,120}(?:signature|cannot be modified)",
    re.IGNORECASE | re.DOTALL,
)
SAMPLING_REFUSED = re.compile(
    r"\b(?:temperature|top_[pk])\b.{0,80}(?:not support|n't support|unsupported|"
    r"deprecated|not (?:allowed|available|permitted)|only the default)"
    r"|unsupported (?:value|parameter).{0,20}\b(?:temperature|top_[pk])\b",
    re.IGNORECASE | re.DOTALL,
)
# Some say so with status 400, though no request of this account would do.
ACCOUNT = re.compile(r"credit balance is too low|API key not valid", re.IGNORECASE)

# A backend names a model that its provider does not have. By the first words only: what
# comes later may be the client's own. The code `model_not_found` is no proof: some
# servers say it with every 404.
MODEL_MISSING = re.compile(
    r"""(?:the\ )?(?:requested\ )?model\ ['"`]?[^\s'"`]{1,200}['"`]?\ (?:was\ |is\ )?
        (?:not\ found|does\ not\ exist)
    |   models?/\S{1,200}\ is\ not\ found
    |   model:\ \S{1,200}$
    |   model\ not\ (?:found|exist)
    |   (?:/[\w/]{1,100}:\ )?invalid\ model\b
    |   no\ endpoints\ found
    |   unable\ to\ access\ (?:non-serverless\ )?model\b
    |   the\ api\ deployment\ for\ this\ resource""",
    re.IGNORECASE | re.VERBOSE,
)

# Both dialects' words for a failure, as the status each stands for.
STATUS_OF_KIND = {
    "invalid_request_error": 400,
    "context_length_exceeded": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}


def upstream_error(
    status: int, headers: Mapping[str, str], body: bytes, now_wall: float
) -> UpstreamError:
    """The error for an answer other than 200."""
    return error_for(status, parsed(body), retry_after(headers, now_wall))


def stream_error(data: Json) -> UpstreamError:
    """The error for an error event in a stream that had begun with 200."""
    error = data.get("error")
    if not isinstance(error, dict):
        return error_for(500, data, None)
    kinds = (error.get("code"), error.get("type"))
    status = next((s for kind in kinds if (s := status_of(kind))), 500)
    return error_for(status, data, None)


def status_of(kind: Any) -> int | None:
    """Some servers say the status itself as the error's code."""
    if type(kind) is int and 400 <= kind <= 599:
        return kind
    return STATUS_OF_KIND.get(kind) if isinstance(kind, str) else None


def error_for(status: int, data: Json, wait: float | None) -> UpstreamError:
    match status:
        case 401 | 402 | 403:
            return account_refused()
        case 408 | 504:
            return UpstreamTimeout("The provider timed out.")
        case 429:
            return UpstreamRateLimited(
                "The provider limits the rate of requests. Try again later.",
                retry_after=wait,
            )
        case 503 | 529:
            return UpstreamOverloaded("The provider is overloaded.", retry_after=wait)
        case 409 | 425:  # not this request's fault: worth another try
            return UpstreamServerError("The provider could not take the request.")
        case _ if 400 <= status < 500:
            return refused(status, data)
        case _ if 500 <= status < 600:
            return UpstreamServerError("The provider failed.", retry_after=wait)
        case _:
            return BadUpstreamResponse(
                f"The provider answered with the unexpected status {status}."
            )


def account_refused() -> UpstreamAuthError:
    return UpstreamAuthError(
        "The provider refused the gateway's own key. Tell the gateway's operator.",
        should_retry=False,
    )


def refused(status: int, data: Json) -> UpstreamError:
    """The client's request is wrong, in the provider's words where it has some."""
    error = data.get("error")
    details: Json = error if isinstance(error, dict) else {}
    said = details.get("message") or data.get("message") or data.get("detail") or error
    message = said if isinstance(said, str) else ""
    if ACCOUNT.search(message):
        return account_refused()
    if MODEL_MISSING.match(message):
        return UpstreamModelMissing(
            "The provider does not have the model of this backend. "
            "Tell the gateway's operator."
        )
    code = details.get("code")
    if not isinstance(code, str) or not CODE.fullmatch(code):
        code = CODES.get(status, "invalid_request")
    if CONTEXT_TOO_LONG.search(message):
        code = "context_length_exceeded"
    param = details.get("param")
    kind = UpstreamRefused
    if SAMPLING_REFUSED.search(message):
        kind = SamplingRefused
    if THINKING_REFUSED.search(message):
        kind, code = ThoughtRefused, ThoughtRefused.code
    return kind(
        redact(message[: 2 * MESSAGE_CHARS])[:MESSAGE_CHARS]
        or f"The provider refused the request with status {status}.",
        status=status if status in (400, 404, 413, 422) else 400,
        code=code,
        param=redact(param[:200]) if isinstance(param, str) else None,
    )


def parsed(body: bytes) -> Json:
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return data if isinstance(data, dict) else {}
