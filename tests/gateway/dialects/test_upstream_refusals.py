"""Whose fault a refusal is, by the provider's own words."""

import pytest

from gateway.errors import (
    SamplingRefused,
    UpstreamAuthError,
    UpstreamModelMissing,
    UpstreamRefused,
)
from routing.chat import Json
from tests.gateway.dialects.upstream_answers import (
    answered,
    anthropic_body,
    openai_body,
)


@pytest.mark.parametrize(
    "message",
    [
        "Your credit balance is too low to access the Anthropic API.",
        "API key not valid. Please pass a valid API key.",
    ],
)
def test_an_account_that_is_refused_with_400_is_not_the_clients_fault(message: str):
    error = answered(400, anthropic_body("invalid_request_error", message))

    assert isinstance(error, UpstreamAuthError)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, openai_body("The model `m` does not exist.", "model_not_found")),
        (
            404,
            openai_body(
                "The API deployment for this resource does not exist.",
                "DeploymentNotFound",
            ),
        ),
        (404, anthropic_body("not_found_error", "model: claude-none")),
        (404, {"error": {"message": 'model "m" not found, try pulling it first'}}),
        (404, {"object": "error", "message": "The model `m` does not exist."}),
        (404, {"error": {"message": "models/m is not found for API version v1"}}),
        (404, {"error": {"message": "No endpoints found for m.", "code": 404}}),
        (404, {"error": "Model not found"}),
        (400, openai_body("Model Not Exist")),
        (400, {"object": "error", "message": "Invalid model: m"}),
        (400, openai_body("/chat/completions: Invalid model name passed in model=m")),
    ],
)
def test_a_model_that_is_not_there_is_the_operators_to_mend(status: int, body: Json):
    error = answered(status, body)

    assert isinstance(error, UpstreamModelMissing)
    assert error.failover
    assert error.should_retry is False


@pytest.mark.parametrize(
    "message",
    [
        "No such File object: file-1",
        "Vector store with id 'The model x does not exist' not found.",
        "Container 'model: x' not found",
        "Prompt with id 'x' not found.",
        "Not Found",
    ],
)
def test_what_the_client_named_and_is_not_there_stays_the_clients_error(message: str):
    error = answered(404, openai_body(message))

    assert (type(error), error.status) == (UpstreamRefused, 404)
    assert error.message == message


@pytest.mark.parametrize(
    ("message", "refused"),
    [
        (
            "Unsupported parameter: 'temperature' is not supported with this model.",
            True,
        ),
        (
            "Unsupported value: 'temperature' does not support 0.2 with this model. "
            "Only the default (1) value is supported.",
            True,
        ),
        ("`temperature` is deprecated for this model.", True),
        ("top_k: not allowed for this model", True),
        ("This model doesn't allow it: top_p isn't supported.", True),
        ("temperature: must be between 0 and 1", False),
        ("The temperature in Paris is 3 degrees.", False),
        ("Unsupported parameter: 'logprobs'", False),
        ("stop_p is not supported", False),
    ],
)
def test_a_model_that_takes_no_sampling_parameter_is_told_from_others(
    message: str, refused: bool
):
    error = answered(400, openai_body(message, "unsupported_value", "temperature"))

    assert isinstance(error, SamplingRefused) is refused
    assert (error.status, error.code) == (400, "unsupported_value")
