"""Models that refuse to be told how to draw their tokens."""

from pathlib import Path

import pytest
from anthropic import AsyncAnthropic

from gateway.refusals import Refusals, samples
from routing.catalog import Backend, Catalog, Tier
from routing.chat import ChatRequest, Native
from tests.faultllm import FaultLLM
from tests.harness import ask, backend, one_backend, serving

BOTH = pytest.mark.parametrize("provider", ["openai-compatible", "anthropic"])


@BOTH
@pytest.mark.parametrize("stream", [False, True])
async def test_a_model_that_takes_no_temperature_answers_without(
    upstream: FaultLLM, tmp_path: Path, provider: str, stream: bool
):
    only = backend(
        "only", 1, upstream.url, provider=provider, model="fault/no-sampling"
    )
    async with serving(Catalog((Tier(1, "a"),), (only,)), tmp_path) as gateway:
        first = await ask(gateway, temperature=0, stream=stream)
        second = await ask(gateway, "Ho", temperature=0.2, top_p=0.5, stream=stream)
        await gateway.settled()
        requests = gateway.records("request")
        attempts = gateway.records("attempt")

    assert (first.status, second.status) == (200, 200)
    assert second.content.startswith("Answer to: Ho")
    # Refused once and for nothing; from then on it is known.
    assert [attempt["state"] for attempt in attempts] == ["free", "billed", "billed"]
    told = [step["text"] for step in requests[-1]["decisions"]]
    assert "only takes no temperature: it was left out." in told
    assert "only takes no top_p: it was left out." in told


async def test_anthropic_s_own_client_too(upstream: FaultLLM, tmp_path: Path):
    only = backend(
        "only", 1, upstream.url, provider="anthropic", model="fault/no-sampling"
    )
    catalog = Catalog((Tier(1, "a"),), (only,))
    version = {"anthropic-version": "2023-06-01"}
    async with (
        serving(catalog, tmp_path) as gateway,
        AsyncAnthropic(
            base_url=gateway.url, api_key="any", default_headers=version
        ) as client,
    ):
        answer = await client.messages.create(
            model="auto",
            max_tokens=20,
            messages=[{"role": "user", "content": "Hi"}],
            extra_body={"top_k": 5},
        )

    assert answer.stop_reason == "end_turn"
    assert len(upstream.attempts) == 2


async def test_a_refusal_of_something_else_is_the_client_s(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = one_backend(upstream.url, "fault/status-400")
    async with serving(catalog, tmp_path) as gateway:
        reply = await ask(gateway, temperature=0)

    assert reply.status == 400
    assert len(upstream.attempts) == 1


@pytest.mark.parametrize(
    ("body", "native", "found"),
    [
        ({}, None, False),
        ({"temperature": None}, None, False),
        ({"temperature": 0}, None, True),
        ({"top_p": 1}, None, True),
        ({}, {"top_k": 5}, True),
        ({"stop": ["temperature"]}, None, False),
    ],
)
def test_who_says_how_to_draw_tokens(body, native, found):
    chat = ChatRequest(body, "a", "r")
    if native:
        chat.native = Native(native, "2023-06-01")

    assert samples(chat) is found


def test_what_a_model_refused_holds_for_the_model_and_no_other():
    refusals = Refusals()
    one, twin = (Backend(name, 1, "openai", "m", capabilities="") for name in "ab")
    other = Backend("c", 1, "openai", "n", capabilities="+sampling")
    refusals.note(one)

    assert "sampling" in refusals.fitted(one).cannot
    assert "sampling" in refusals.fitted(twin).cannot
    assert refusals.fitted(other) is other
    refusals.note(other)
    assert "sampling" in refusals.fitted(other).cannot
