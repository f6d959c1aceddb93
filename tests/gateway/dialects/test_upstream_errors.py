import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dialects.upstream_errors import stream_error
from gateway.errors import (
    BadUpstreamResponse,
    UpstreamAuthError,
    UpstreamError,
    UpstreamOverloaded,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamServerError,
    UpstreamTimeout,
)
from routing.chat import Json
from tests.gateway.dialects.upstream_answers import (
    answered,
    anthropic_body,
    openai_body,
)

CANARY = "CANARY the provider's own words"


@pytest.mark.parametrize(
    ("status", "kind", "seen_as"),
    [
        (301, BadUpstreamResponse, 502),
        (307, BadUpstreamResponse, 502),
        (204, BadUpstreamResponse, 502),
        (400, UpstreamRefused, 400),
        (401, UpstreamAuthError, 502),
        (402, UpstreamAuthError, 502),
        (403, UpstreamAuthError, 502),
        (404, UpstreamRefused, 404),
        (405, UpstreamRefused, 400),
        (408, UpstreamTimeout, 504),
        (409, UpstreamServerError, 502),
        (413, UpstreamRefused, 413),
        (422, UpstreamRefused, 422),
        (429, UpstreamRateLimited, 429),
        (500, UpstreamServerError, 502),
        (502, UpstreamServerError, 502),
        (503, UpstreamOverloaded, 503),
        (504, UpstreamTimeout, 504),
        (529, UpstreamOverloaded, 503),
        (599, UpstreamServerError, 502),
        (999, BadUpstreamResponse, 502),
    ],
)
def test_each_status_has_its_meaning(
    status: int, kind: type[UpstreamError], seen_as: int
):
    error = answered(status)

    assert type(error) is kind
    assert error.status == seen_as
    assert error.message


@pytest.mark.parametrize("status", [301, 401, 402, 403, 408, 429, 500, 503, 504, 529])
def test_only_a_refusal_repeats_the_providers_words(status: int):
    error = answered(status, openai_body(CANARY))

    assert "CANARY" not in error.message


def test_a_refusal_is_told_in_the_providers_words():
    error = answered(
        400, openai_body("Invalid value: 'x'.", "invalid_value", "messages[0].role")
    )

    assert error.message == "Invalid value: 'x'."
    assert error.code == "invalid_value"
    assert error.param == "messages[0].role"
    assert error.type == "invalid_request_error"
    assert not error.failover


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (anthropic_body("invalid_request_error", "messages.0: bad"), "messages.0: bad"),
        ({"error": "no such voice"}, "no such voice"),
        ({"object": "error", "message": "too hot", "code": 400}, "too hot"),
        ({"detail": "Not a chat model"}, "Not a chat model"),
    ],
)
def test_every_servers_shape_of_an_error_is_read(body: Json, message: str):
    error = answered(400, body)

    assert (error.message, error.code, error.param) == (
        message,
        "invalid_request",
        None,
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>CANARY</html>",
        b'{"error": {"message": "CANA',
        b'["CANARY"]',
        b'{"error":{"message":["CANARY"],"code":{},"param":[]}}',
        b'{"error":null,"detail":[{"msg":"CANARY"}]}',
        b"\xff\xfe",
    ],
)
def test_a_body_that_is_no_error_object_is_not_shown(body: bytes):
    error = answered(400, body)

    assert error.message == "The provider refused the request with status 400."
    assert (error.code, error.param) == ("invalid_request", None)


def test_an_odd_code_is_not_passed_on():
    assert answered(404, openai_body("x", "two words\n")).code == "not_found"


@pytest.mark.parametrize(
    "body",
    [
        openai_body("Too long", "context_length_exceeded"),
        openai_body("This model's maximum context length is 8192 tokens. However, ..."),
        anthropic_body(
            "invalid_request_error", "prompt is too long: 209 tokens > 200 maximum"
        ),
        anthropic_body(
            "invalid_request_error",
            "input length and `max_tokens` exceed context limit: 9 + 9 > 10",
        ),
        {"error": "the input exceeds the available context size"},
    ],
)
def test_a_prompt_that_is_too_long_has_one_code_for_all_providers(body: Json):
    assert answered(400, body).code == "context_length_exceeded"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_tells_clients_not_to_try_again(status: int):
    assert answered(status).should_retry is False


@pytest.mark.parametrize("status", [429, 503, 529, 500])
def test_the_wish_to_wait_is_kept_within_bounds(status: int):
    assert answered(status, retry_after="7").retry_after == 7
    assert answered(status, retry_after="1000000000").retry_after == 120
    assert answered(status).retry_after is None


def test_a_refusal_hides_what_belongs_to_the_operator():
    error = answered(
        400,
        openai_body(
            "Key sk-proj-abc123def456 of ops@example.com failed at "
            "https://gw.internal/v1?key=1 (10.0.0.7:8000)"
        ),
    )

    assert error.message == "Key [key] of [email] failed at [url] ([address])"


def test_a_long_message_is_cut():
    assert len(answered(400, openai_body("long words " * 9000)).message) == 1000


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (anthropic_body("overloaded_error", CANARY), UpstreamOverloaded),
        (anthropic_body("rate_limit_error", CANARY), UpstreamRateLimited),
        (anthropic_body("timeout_error", CANARY), UpstreamTimeout),
        (anthropic_body("authentication_error", CANARY), UpstreamAuthError),
        (anthropic_body("billing_error", CANARY), UpstreamAuthError),
        (anthropic_body("api_error", CANARY), UpstreamServerError),
        (anthropic_body("from_next_year", CANARY), UpstreamServerError),
        ({"error": {"type": "server_error", "code": None}}, UpstreamServerError),
        ({"error": {"code": "rate_limit_exceeded"}}, UpstreamRateLimited),
        ({"error": {"code": "insufficient_quota"}}, UpstreamRateLimited),
        (openai_body(CANARY, "invalid_api_key"), UpstreamAuthError),
        ({"error": {"message": CANARY, "code": 503}}, UpstreamOverloaded),
        ({"error": {"code": ["x"], "type": {}}}, UpstreamServerError),
        ({"error": CANARY}, UpstreamServerError),
        ({"error": True}, UpstreamServerError),
    ],
)
def test_an_error_in_a_stream_has_its_meaning(event: Json, kind: type[UpstreamError]):
    error = stream_error(event)

    assert type(error) is kind
    assert "CANARY" not in error.message


def test_a_refusal_in_a_stream_is_told():
    error = stream_error(anthropic_body("invalid_request_error", "messages.0: bad"))

    assert isinstance(error, UpstreamRefused)
    assert (error.status, error.message) == (400, "messages.0: bad")


@settings(max_examples=100, deadline=None)
@given(
    status=st.integers(100, 999),
    body=st.binary(max_size=60)
    | st.text(max_size=60).map(
        lambda t: (
            orjson.dumps({"error": {"message": t, "code": t, "param": t}})
            if t.isprintable()
            else b""
        )
    ),
    wait=st.text(max_size=12),
)
def test_whatever_comes_is_an_error_with_a_message(status: int, body: bytes, wait: str):
    error = answered(status, body, retry_after=wait)

    assert error.message
    assert 400 <= error.status < 600
