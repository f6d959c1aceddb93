"""Requests that the OpenAPI document allows, and such that it forbids, by the hundred:
never a 500, never an error that is no JSON, never an answer it doesn't promise."""

from collections.abc import Iterator

import orjson
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.api.openapi import document
from tests.faultllm import ThreadedFaultLLM
from tests.instance import Instance

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
VECTORS = """
  - {{name: vectors, provider: openai-compatible, model: text-embedding-3-small,
     base_url: "{url}", api_key: $TEST_PROVIDER_KEY, cost_per_1k_in: 0.00002,
     cost_per_1k_out: 0, max_tokens: 8000, tier: 1}}
"""
SCHEMA = schemathesis.openapi.from_dict(orjson.loads(document()))
OPERATIONS = {each.ok().label: each.ok() for each in SCHEMA.get_all_operations()}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ThreadedFaultLLM() as upstream:
        folder = tmp_path_factory.mktemp("operations")
        instance = Instance(folder, upstream.url, VECTORS.format(url=upstream.url))
        with instance.serving() as url:
            yield url


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def try_out(
    label: str, url: str, session: requests.Session, examples: int, mode: GenerationMode
) -> None:
    seen: list[int] = []

    @given(case=OPERATIONS[label].as_strategy(generation_mode=mode))
    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def attempt(case: Case) -> None:
        response = case.call(base_url=url, session=session, timeout=30)
        seen.append(response.status_code)
        case.validate_response(response, checks=CHECKS)
        if response.status_code >= 400:
            error = orjson.loads(response.content)["error"]
            assert error["message"]
            assert response.status_code != 500
        assert response.headers["x-request-id"]

    attempt()
    assert seen


@pytest.mark.parametrize("label", OPERATIONS)
def test_what_is_allowed_is_answered_as_promised(
    url: str, session: requests.Session, label: str
):
    try_out(label, url, session, 4, GenerationMode.POSITIVE)


@pytest.mark.parametrize("label", [each for each in OPERATIONS if "POST" in each])
def test_what_is_forbidden_is_told_in_json(
    url: str, session: requests.Session, label: str
):
    try_out(label, url, session, 4, GenerationMode.NEGATIVE)


ALL = [(each, GenerationMode.POSITIVE) for each in OPERATIONS]
# A GET without parameters leaves nothing to get wrong.
ALL += [(e, GenerationMode.NEGATIVE) for e in OPERATIONS if "POST" in e or "{" in e]


@pytest.mark.slow
@pytest.mark.parametrize(("label", "mode"), ALL)
def test_many_more_of_each(
    url: str, session: requests.Session, label: str, mode: GenerationMode
):
    try_out(label, url, session, 30, mode)
