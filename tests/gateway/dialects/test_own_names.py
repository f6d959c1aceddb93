"""Fields that errors name, as clients of each dialect call them."""

import pytest

from gateway.dialects.own_names import in_own_words
from gateway.errors import ContextTooLong, GatewayError, UpstreamRefused
from routing.chat import ChatRequest

TOO_LARGE = "max_completion_tokens is too large: 90000."


def asked(dialect: str) -> ChatRequest:
    body = {"messages": [{"role": "user", "content": "Hi"}]}
    original = {"input": "Hi"} if dialect == "responses" else None
    return ChatRequest(body, "", "", dialect=dialect, original=original)


@pytest.mark.parametrize(
    ("dialect", "param"),
    [
        ("openai", "max_completion_tokens"),
        ("responses", "max_output_tokens"),
        ("anthropic", "max_tokens"),
        ("text", "max_tokens"),
    ],
)
def test_what_a_provider_refused_is_told_by_the_clients_name(dialect, param):
    error = UpstreamRefused(TOO_LARGE, status=422, param="max_completion_tokens")

    own = in_own_words(error, asked(dialect))

    assert (own.param, own.status, own.code) == (param, 422, error.code)
    assert own.message == f"{param} is too large: 90000."
    # Others who wait for the same call are told of it as well.
    assert (error.param, error.message) == ("max_completion_tokens", TOO_LARGE)


@pytest.mark.parametrize(
    ("dialect", "param"),
    [
        ("openai", "messages"),
        ("responses", "input"),
        ("anthropic", "messages"),
        ("text", "prompt"),
        ("vectors", "input"),
    ],
)
def test_so_is_what_is_too_long(dialect, param):
    error = ContextTooLong("It is too long.", param="messages")

    assert in_own_words(error, asked(dialect)).param == param


def test_an_error_that_names_nothing_stays_as_it_is():
    error = GatewayError("The gateway failed at top_p.")

    assert in_own_words(error, asked("responses")) is error
