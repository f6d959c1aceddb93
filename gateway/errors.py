"""Every way a request can fail, as its client sees it.

    GatewayError                      status  code
    |- BadRequest                     400     invalid_request
    |  |- InvalidHttp                 400     invalid_http
    |  |- InvalidJson                 400     invalid_json
    |  |- NotExpressible              400     unsupported_parameter
    |  |- ThreadNotSupported          400     thread_unsupported_request
    |  `- ContextTooLong              400     context_length_exceeded
    |- Unauthorized                   401     invalid_api_key
    |- Forbidden                      403     permission_denied
    |- NotFound                       404     not_found
    |  |- ModelNotFound               404     model_not_found
    |  `- UnknownAddress              404     unknown_url
    |- MethodNotAllowed               405     method_not_allowed
    |- RequestTimeout                 408     request_timeout
    |- Conflict                       409     conflict
    |- RequestTooLarge                413     request_too_large
    |- UnsupportedMediaType           415     unsupported_media_type
    |- TooManyRequests                429     rate_limit_exceeded
    |  |- RateLimited                 429     rate_limit_exceeded
    |  `- BudgetSpent                 429     budget_exceeded
    |- UpstreamError                  the provider's fault
    |  |- UpstreamRefused             4xx     passed on from the provider
    |  |  |- ThoughtRefused           400     invalid_thinking
    |  |  `- SamplingRefused          400     passed on from the provider
    |  |- UpstreamRateLimited         429     rate_limited
    |  |- BadUpstreamResponse         502     bad_upstream_response
    |  |- UpstreamIncomplete          502     upstream_incomplete
    |  |- UpstreamAuthError           502     upstream_auth_error
    |  |- UpstreamModelMissing        502     upstream_model_missing
    |  |- UpstreamServerError         502     upstream_error
    |  |- UpstreamUnavailable         503     upstream_unavailable
    |  |- UpstreamOverloaded          503     upstream_overloaded
    |  `- UpstreamTimeout             504     upstream_timeout
    |- DeadlinePassed                 504     deadline_exceeded
    |- StorageFull                    503     storage_full
    |- DatabaseUnavailable            503     database_unavailable
    |- Overloaded                     503     overloaded
    |- ShuttingDown                   503     shutting_down
    `- InternalError                  500     internal_error

`api/render.py` turns these into the client's dialect. Messages tell the reader what
to do and never hold a key, an upstream address or a provider's raw body.
"""

from typing import ClassVar, Self


class GatewayError(Exception):
    """An answer other than 200. `retry_after` is in seconds, jittered by its raiser.

    `should_retry` False sends `x-should-retry: false`, which both official SDKs obey:
    trying again is useless, or might be paid for twice.
    """

    status: ClassVar[int] = 500
    code: str = "internal_error"
    type: ClassVar[str] = "api_error"
    should_retry: bool | None = None

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after: float | None = None,
        should_retry: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after = retry_after
        if should_retry is not None:
            self.should_retry = should_retry
        if code is not None:
            self.code = code

    def reworded(self, message: str, param: str | None) -> Self:
        """The same error for a client that calls the field by another name; several
        clients may have got this one."""
        twin = type(self).__new__(type(self), message)
        twin.__dict__.update(self.__dict__, message=message, param=param)
        return twin


class BadRequest(GatewayError):
    status, code, type = 400, "invalid_request", "invalid_request_error"


class InvalidHttp(BadRequest):
    code = "invalid_http"


class InvalidJson(BadRequest):
    code = "invalid_json"


class NotExpressible(BadRequest):
    code = "unsupported_parameter"


class ThreadNotSupported(BadRequest):
    """No conversation is kept at a provider: each turn may go to another one.

    Anthropic's SDK knows the code, and goes on by sending the whole history.
    """

    code = "thread_unsupported_request"


class ContextTooLong(BadRequest):
    code = "context_length_exceeded"


class Unauthorized(GatewayError):
    status, code, type = 401, "invalid_api_key", "authentication_error"
    should_retry = False


class Forbidden(GatewayError):
    status, code, type = 403, "permission_denied", "permission_error"
    should_retry = False


class NotFound(GatewayError):
    status, code, type = 404, "not_found", "not_found_error"


class ModelNotFound(NotFound):
    code = "model_not_found"


class UnknownAddress(NotFound):
    code = "unknown_url"

    def __init__(self, path: str, meant: str = "") -> None:
        advice = "See docs/api.md for what is."
        if meant:
            advice = f"Change the client's base URL so that it asks for {meant!r}."
        super().__init__(f"There is no {path[:200]!r} here. {advice}")


class MethodNotAllowed(GatewayError):
    status, code, type = 405, "method_not_allowed", "invalid_request_error"

    def __init__(self, allowed: str) -> None:
        super().__init__(f"Use {allowed} for this address.")
        self.allowed = allowed


class RequestTimeout(GatewayError):
    status, code, type = 408, "request_timeout", "timeout_error"


class Conflict(GatewayError):
    status, code, type = 409, "conflict", "conflict_error"


class RequestTooLarge(GatewayError):
    status, code, type = 413, "request_too_large", "request_too_large"


class UnsupportedMediaType(GatewayError):
    status, code, type = 415, "unsupported_media_type", "invalid_request_error"


class TooManyRequests(GatewayError):
    status, code, type = 429, "rate_limit_exceeded", "rate_limit_error"


class RateLimited(TooManyRequests):
    """A limit of requests or tokens a minute, of a key or its team."""


class BudgetSpent(TooManyRequests):
    """A budget has no room for the request: not before its next period when
    `should_retry` is False, else when calls under way may give some back."""

    code = "budget_exceeded"


class UpstreamError(GatewayError):
    """The provider's fault. `billable` says whether it may charge for the attempt."""

    status, code = 502, "upstream_error"
    billable: ClassVar[bool] = False
    # May the same request be sent to another backend without risking a double bill?
    failover: ClassVar[bool] = True


class UpstreamRefused(UpstreamError):
    """The provider says the client's request is wrong: passed on, never retried."""

    type = "invalid_request_error"
    failover = False

    def __init__(self, message: str, *, status: int, **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.status = status  # type: ignore[misc]


class ThoughtRefused(UpstreamRefused):
    """An earlier thought in the request was changed, or is another model's."""

    code = "invalid_thinking"


class SamplingRefused(UpstreamRefused):
    """The model takes no temperature, or no other value than its own."""


class UpstreamRateLimited(UpstreamError):
    status, code, type = 429, "rate_limited", "rate_limit_error"


class BadUpstreamResponse(UpstreamError):
    code = "bad_upstream_response"
    billable = True


class UpstreamIncomplete(UpstreamError):
    code = "upstream_incomplete"
    billable = True


class UpstreamAuthError(UpstreamError):
    """The provider refused the gateway's own key: the client's key is fine."""

    code = "upstream_auth_error"
    should_retry = False


class UpstreamModelMissing(UpstreamError):
    """The provider has no model of the backend's name."""

    code = "upstream_model_missing"
    should_retry = False


class UpstreamServerError(UpstreamError):
    pass


class UpstreamUnavailable(UpstreamError):
    status, code = 503, "upstream_unavailable"


class UpstreamOverloaded(UpstreamError):
    status, code, type = 503, "upstream_overloaded", "overloaded_error"


class UpstreamTimeout(UpstreamError):
    """No answer in time; the provider may have done, and billed, the work."""

    status, code, type = 504, "upstream_timeout", "timeout_error"
    should_retry = False
    billable = True
    failover = False


class DeadlinePassed(GatewayError):
    """The client said how long it would wait: trying again would not be in time."""

    status, code, type = 504, "deadline_exceeded", "timeout_error"
    should_retry = False

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"The answer was not there within {seconds:g} s, as X-LLM-Router-Timeout "
            "asks for."
        )


class StorageFull(GatewayError):
    status, code = 503, "storage_full"


class DatabaseUnavailable(GatewayError):
    status, code = 503, "database_unavailable"


class Overloaded(GatewayError):
    status, code, type = 503, "overloaded", "overloaded_error"


class ShuttingDown(GatewayError):
    status, code, type = 503, "shutting_down", "overloaded_error"


class InternalError(GatewayError):
    pass
