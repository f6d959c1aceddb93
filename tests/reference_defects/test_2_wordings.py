"""Defect 2 of the reference: examples that were false, and hits that were wrong."""

from pathlib import Path

import pytest

from tests.faultllm import FaultLLM
from tests.harness import ask, one_backend, serving


async def label_of_second(
    upstream: FaultLLM, folder: Path, first: str, second: str, **policy: object
) -> str:
    async with serving(one_backend(upstream.url, **policy), folder) as gateway:
        await ask(gateway, first)
        return (await ask(gateway, second)).headers["x-llm-router-cache"]


async def test_2_the_headline_example_is_a_hit(upstream: FaultLLM, tmp_path: Path):
    label = await label_of_second(
        upstream,
        tmp_path,
        "What is the capital of France?",
        "What's France's capital city?",
    )

    assert label == "HIT"


@pytest.mark.parametrize("matching", ["canonical", "jaccard"])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("What is the capital of France?", "How do I write Go code?"),
        ("Should I take aspirin?", "Should I not take aspirin?"),
        ("Convert 15 USD to EUR", "Convert 95 USD to EUR"),
        ("Does Alice owe Bob money?", "Does Bob owe Alice money?"),
        ("What is 2+2?", "What is 2+3?"),
    ],
)
async def test_2_questions_that_only_look_alike_are_no_hit(
    upstream: FaultLLM, tmp_path: Path, first: str, second: str, matching: str
):
    label = await label_of_second(
        upstream, tmp_path, first, second, cache_matching=matching
    )

    assert label == "MISS"


async def test_2_a_question_of_short_words_is_cached_too(
    upstream: FaultLLM, tmp_path: Path
):
    assert await label_of_second(upstream, tmp_path, "2+2", "2+2") == "HIT"
