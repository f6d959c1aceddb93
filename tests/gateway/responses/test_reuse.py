"""Answers of `POST /v1/responses` are shared with the other APIs."""

import asyncio
from pathlib import Path

import pytest

from tests.faultllm import FaultLLM
from tests.gateway.responses.asking import (
    ORIGINS,
    SAID,
    catalog,
    events,
    plain,
    rebuilt,
    respond,
)
from tests.harness import ask, serving


@pytest.mark.parametrize("origin", ORIGINS)
async def test_one_answer_serves_responses_and_chats_whole_and_streamed(
    upstream: FaultLLM, tmp_path: Path, origin: str
):
    async with serving(catalog(upstream.url, origin), tmp_path) as gateway:
        chat = await ask(gateway, "Hi there")
        item = {"role": "user", "content": [{"type": "input_text", "text": "Hi there"}]}
        whole = await respond(gateway)
        streamed = await respond(gateway, [item], stream=True)

    assert whole.headers["x-llm-router-cache"] == "HIT"
    assert streamed.headers["x-llm-router-cache"] == "HIT"
    assert whole.json["output"][0]["content"][0]["text"] == chat.content
    told = events(streamed)
    assert plain(rebuilt(told)) == plain(whole.json)
    assert told[-1]["response"]["usage"] == whole.json["usage"]
    assert len(upstream.attempts) == 1


async def test_equal_requests_of_three_apis_share_one_call(
    upstream: FaultLLM, tmp_path: Path
):
    upstream.script = ["hold"]
    async with serving(catalog(upstream.url), tmp_path) as gateway:
        calls = [
            asyncio.create_task(call)
            for call in (
                respond(gateway, stream=True),
                respond(gateway, stream=True),
                ask(gateway, "Hi there", stream=True),
            )
        ]
        await gateway.called(3)
        await upstream.until(lambda: upstream.holding == 1)
        upstream.release()
        one, two, chat = await asyncio.gather(*calls)

    assert plain(events(one)[-1]["response"]) == plain(events(two)[-1]["response"])
    assert chat.content == SAID
    assert len(upstream.attempts) == 1
