"""Defect 3 of the reference: a cache key that left out what changes the answer."""

from pathlib import Path

import orjson
import pytest

from tests.faultllm import FaultLLM
from tests.harness import ask, one_backend, serving
from tests.reference_defects.asking import KEYS

HISTORY = [
    {"role": "user", "content": "Name a city."},
    {"role": "assistant", "content": "Paris."},
    {"role": "user", "content": "And its river?"},
]
OTHER_HISTORY = [HISTORY[0], {"role": "assistant", "content": "London."}, HISTORY[2]]
TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"model": "small"}),
        ({}, {"temperature": 0.2}),
        ({}, {"tools": [TOOL]}),
        ({}, {"response_format": {"type": "json_object"}}),
        ({}, {"max_tokens": 5}),
        ({}, {"stop": ["."]}),
        ({}, {"seed": 1}),
        ({"messages": HISTORY}, {"messages": OTHER_HISTORY}),
        ({"messages": HISTORY}, {"messages": HISTORY[2:]}),
    ],
)
async def test_3_whatever_changes_the_answer_is_a_miss(
    upstream: FaultLLM, tmp_path: Path, one: dict, other: dict
):
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        labels = [
            (await ask(gateway, **body)).headers["x-llm-router-cache"]
            for body in (one, other, one)
        ]

    assert labels == ["MISS", "MISS", "HIT"]


async def test_3_another_tenant_is_a_miss(upstream: FaultLLM, tmp_path: Path):
    async with serving(one_backend(upstream.url), tmp_path, keys=KEYS) as gateway:
        labels = [
            (await ask(gateway, headers={"authorization": f"Bearer {key}"})).headers[
                "x-llm-router-cache"
            ]
            for key in ("one", "two", "one")
        ]

    assert labels == ["MISS", "MISS", "HIT"]


async def test_3_a_stream_is_answered_with_a_stream_on_a_hit(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        whole = await ask(gateway)
        stream = await ask(gateway, stream=True)

    assert stream.headers["x-llm-router-cache"] == "HIT"
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.events[-1] == "[DONE]"
    assert stream.content == whole.content
    first = orjson.loads(stream.events[0])
    assert first["object"] == "chat.completion.chunk"
