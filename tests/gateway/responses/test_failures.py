"""What goes wrong behind `POST /v1/responses`."""

from pathlib import Path

import openai
import pytest

from routing.catalog import Catalog
from tests.faultllm import FaultLLM
from tests.gateway.responses.asking import ORIGINS, catalog, events, respond
from tests.gateway.sdk import client_of
from tests.harness import TIERS, backend, serving


@pytest.mark.parametrize("origin", [*ORIGINS, "native"])
@pytest.mark.parametrize(
    "script", ["error-event-at-6", "end-after-6", "fin-without-done", "rst-after-6"]
)
async def test_a_failure_after_the_first_byte_ends_as_a_failed_response(
    upstream: FaultLLM, tmp_path: Path, origin: str, script: str
):
    upstream.always = f"words-20+{script}"
    only = catalog(upstream.url, origin, max_attempts=1)
    body = {"truncation": "auto"} if origin == "native" else {}
    async with serving(only, tmp_path) as gateway:
        reply = await respond(gateway, stream=True, **body)

    told = events(reply)
    numbers = [event["sequence_number"] for event in told]
    assert numbers == sorted(set(numbers))
    assert [event["type"] for event in told[-2:]] == ["error", "response.failed"]
    assert told[-2]["error"]["message"] == told[-2]["message"]
    assert told[-2]["message"] == told[-1]["response"]["error"]["message"]
    assert told[-1]["response"]["status"] == "failed"
    assert told[-1]["response"]["id"] == told[0]["response"]["id"]
    assert told[-1]["response"]["error"]["code"] == "server_error"
    assert gateway.records("request")[0]["outcome"] == "error"


async def test_the_sdk_raises_when_a_response_fails(upstream: FaultLLM, tmp_path: Path):
    upstream.always = "words-20+end-after-6"
    async with (
        serving(catalog(upstream.url, max_attempts=1), tmp_path) as gateway,
        client_of(gateway) as ai,
    ):
        stream = await ai.responses.create(model="small", input="Hi", stream=True)
        with pytest.raises(openai.APIError) as caught:
            async for _ in stream:
                pass

    assert caught.value.message == "The provider's stream ended too early."
    assert caught.value.code == "upstream_incomplete"


async def test_the_sdk_raises_when_a_response_fails_before_it_begins(
    upstream: FaultLLM, tmp_path: Path
):
    upstream.always = "hold+status-500"
    only = catalog(upstream.url, max_attempts=1, keepalive_seconds=0.01)
    async with serving(only, tmp_path) as gateway, client_of(gateway) as ai:
        stream = await ai.responses.create(model="small", input="Hi", stream=True)
        upstream.release()
        with pytest.raises(openai.APIError) as caught:
            async for _ in stream:
                pass

    assert caught.value.code == "upstream_error"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_failure_before_the_first_byte_goes_to_another_backend(
    upstream: FaultLLM, tmp_path: Path, stream: bool
):
    two = Catalog(
        TIERS[:1],
        (
            backend("claude", 1, upstream.url, provider="anthropic"),
            backend("gpt", 1, upstream.url),
        ),
    )
    upstream.script = ["status-500", "ok"]
    async with serving(two, tmp_path) as gateway:
        reply = await respond(gateway, stream=stream)

    assert reply.status == 200
    if stream:
        kinds = [event["type"] for event in events(reply)]
        assert kinds.count("response.created") == 1
        assert kinds[-1] == "response.completed"
    assert len(upstream.attempts) == 2


@pytest.mark.parametrize("origin", [*ORIGINS, "native"])
@pytest.mark.parametrize("script", ["html-200", "empty-200", "half-json"])
async def test_what_is_no_answer_is_a_502(
    upstream: FaultLLM, tmp_path: Path, origin: str, script: str
):
    upstream.always = script
    body = {"truncation": "auto"} if origin == "native" else {}
    only = catalog(upstream.url, origin, max_attempts=1)
    async with serving(only, tmp_path) as gateway, client_of(gateway) as ai:
        with pytest.raises(openai.InternalServerError) as caught:
            await ai.responses.create(model="small", input="Hi", **body)

    assert caught.value.code == "bad_upstream_response"
