"""Which backend makes the vectors, and what is said where none can."""

from pathlib import Path

import openai
import pytest

from gateway.ledger.books import Caller
from routing.catalog import Alias, Catalog
from tests.faultllm import FaultLLM
from tests.gateway.embedding import MODEL, catalog, embed
from tests.gateway.sdk import client_of
from tests.harness import TIERS, backend, serving


async def test_a_failure_goes_to_another_backend_with_the_same_model_only(
    upstream: FaultLLM, tmp_path: Path
):
    other = backend("other", 1, upstream.url, model="bge-m3")
    upstream.script = ["status-500", "ok"]
    async with serving(catalog(upstream.url, other), tmp_path) as gateway:
        reply = await embed(gateway)

    assert reply.status == 200
    assert reply.headers["x-llm-router-model"] == "spare"
    assert {attempt.model for attempt in upstream.attempts} == {MODEL}


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("html-200", "bad_upstream_response"),
        ("empty-200", "bad_upstream_response"),
        ("half-json", "bad_upstream_response"),
        ("cut-at-byte-300", "upstream_incomplete"),
        ("status-500", "upstream_error"),
    ],
)
async def test_what_a_provider_gets_wrong_is_told_and_never_kept(
    upstream: FaultLLM, tmp_path: Path, script: str, code: str
):
    upstream.always = script
    async with serving(catalog(upstream.url, max_attempts=1), tmp_path) as gateway:
        failed = await embed(gateway)
        upstream.always = ""
        gateway.runtime.pool.sync(gateway.runtime.snapshot.catalog)
        again = await embed(gateway)

    assert (failed.status, failed.error["code"]) == (502, code)
    assert again.headers["x-llm-router-cache"] == "MISS"


@pytest.mark.parametrize("name", ["auto", "small", "tier-1", "gpt-9"])
async def test_a_name_without_vectors_is_a_404_that_says_what_there_is(
    upstream: FaultLLM, tmp_path: Path, name: str
):
    async with serving(catalog(upstream.url), tmp_path) as gateway:
        reply = await embed(gateway, model=name)

    assert (reply.status, reply.error["code"]) == (404, "model_not_found")
    assert reply.error["message"].endswith(f"There is: {MODEL}, vectors, spare.")
    assert upstream.attempts == []


async def test_without_any_backend_for_them_it_says_so(
    upstream: FaultLLM, tmp_path: Path
):
    only = Catalog(TIERS, (backend("small", 1, upstream.url),))
    async with serving(only, tmp_path) as gateway, client_of(gateway) as ai:
        with pytest.raises(openai.NotFoundError, match="No backend here offers"):
            await ai.embeddings.create(model=MODEL, input="Hi")


async def test_an_alias_for_a_backend_names_its_model(
    upstream: FaultLLM, tmp_path: Path
):
    alias = Alias("text-embedding-*", backend="vectors")
    async with serving(catalog(upstream.url, aliases=(alias,)), tmp_path) as gateway:
        reply = await embed(gateway, model="text-embedding-ada-002")

    assert reply.headers["x-llm-router-model"] == "vectors"
    assert upstream.attempts[0].model == MODEL


async def test_a_ceiling_holds_for_vectors_too(upstream: FaultLLM, tmp_path: Path):
    async with serving(catalog(upstream.url), tmp_path) as gateway:
        below = await embed(
            gateway, model="spare", headers={"x-llm-router-max-tier": "1"}
        )

    assert (below.status, below.error["code"]) == (403, "permission_denied")


async def test_chat_never_goes_to_a_model_for_vectors(
    upstream: FaultLLM, tmp_path: Path
):
    async with (
        serving(catalog(upstream.url), tmp_path) as gateway,
        client_of(gateway) as ai,
    ):
        with pytest.raises(openai.BadRequestError, match="doesn't offer chat"):
            await ai.chat.completions.create(
                model="vectors", messages=[{"role": "user", "content": "Hi"}]
            )


async def test_each_input_has_to_fit_by_itself(upstream: FaultLLM, tmp_path: Path):
    narrow = backend("narrow", 1, upstream.url, model="bge-m3", context_window=10)
    async with serving(catalog(upstream.url, narrow), tmp_path) as gateway:
        many = await embed(gateway, ["x" * 40] * 50, model="bge-m3")
        long = await embed(gateway, ["x", "x" * 44], model="bge-m3")

    assert many.status == 200
    assert (long.status, long.error["code"]) == (400, "context_length_exceeded")


async def test_a_pin_chooses_among_backends_with_vectors(
    upstream: FaultLLM, tmp_path: Path
):
    keys = {"free": Caller("a"), "bound": Caller("b", may_pin=False)}
    async with serving(catalog(upstream.url), tmp_path, keys=keys) as gateway:
        replies = [
            await embed(gateway, model=model, headers={**pin, "x-api-key": key})
            for key, model, pin in (
                ("free", MODEL, {"x-llm-router-pin": "spare"}),
                ("free", MODEL, {"x-llm-router-pin": "large"}),
                ("bound", MODEL, {"x-llm-router-pin": "spare"}),
                ("bound", "spare", {}),
                ("bound", MODEL, {}),
            )
        ]

    assert [reply.status for reply in replies] == [200, 404, 403, 403, 200]
    assert replies[0].headers["x-llm-router-model"] == "spare"
