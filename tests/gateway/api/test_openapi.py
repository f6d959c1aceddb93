"""`GET /v1/openapi.json` says what the urls, the guard and the views say."""

import re
from pathlib import Path

import httpx
import orjson
import pytest
from drf_spectacular.validation import validate_schema

from config.api_urls import urlpatterns
from gateway.api.openapi import document
from gateway.asgi import routes
from gateway.ledger.books import Caller
from routing.catalog import Catalog
from tests.harness import serving

METHODS = ("get", "post", "put", "patch", "delete")


def described() -> dict[tuple[str, str], dict]:
    paths = orjson.loads(document())["paths"]
    return {(m, path): one for path, all in paths.items() for m, one in all.items()}


def addresses() -> dict[tuple[str, str], type]:
    """Every method of every address that a view handles."""
    found = {}
    for pattern in urlpatterns:
        path = "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern))
        view = pattern.callback.cls
        found |= {(m, path): view for m in METHODS if hasattr(view, m)}
    return found


def test_the_document_has_every_address_and_no_other():
    assert described().keys() == addresses().keys()
    assert len(described()) > 20


def test_every_view_says_what_each_of_its_methods_does():
    for (method, path), view in addresses().items():
        assert method in view.describes, path
        assert set(view.describes) <= {m for m in METHODS if hasattr(view, m)}


@pytest.mark.parametrize(("method", "path"), sorted(addresses()))
def test_the_guard_lets_through_what_the_document_promises(method: str, path: str):
    operation = described()[method, path]
    route = routes.find(re.sub(r"\{\w+\}", "x", path))

    assert method.upper() in route.methods
    assert (operation["security"] == [{}]) is route.public
    assert operation["summary"]
    assert "default" in operation["responses"]
    assert ("requestBody" in operation) is (
        method == "post" and not path.endswith("/cancel")
    )


def test_it_is_valid_openapi():
    schema = orjson.loads(document())

    validate_schema(schema)
    assert schema["openapi"].startswith("3.1")
    ids = [operation["operationId"] for operation in described().values()]
    assert len(set(ids)) == len(ids)


async def test_it_is_served_to_whoever_has_a_key(tmp_path: Path):
    keys = {"key": Caller("team")}
    async with (
        serving(Catalog(), tmp_path, keys=keys) as gateway,
        httpx.AsyncClient(verify=False) as client,
    ):
        url = f"{gateway.url}/v1/openapi.json"
        refused = await client.get(url)
        reply = await client.get(url, headers={"x-api-key": "key"})

    assert refused.status_code == 401
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.content == document()
