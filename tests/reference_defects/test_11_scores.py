"""Defect 11 of the reference: a score that put nearly everything into one bucket."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

from routing.classifier import classify
from routing.features import extract
from tests.faultllm import FaultLLM
from tests.harness import ask, serving, three_tiers


def prompts() -> Iterator[str]:
    """Word problems as in the set where 98 % of prompts scored the same there."""
    dice = Random(11)
    names = ["Natalia", "Weng", "Betty", "Julie", "James", "Mark", "Ken", "Alexis"]
    lines = [
        "{0} sold {1} clips in April, and half as many in May.",
        "How many did {0} sell altogether?",
        "{0} earns {1} dollars an hour and worked {2} minutes.",
        "Explain why {0} has {1} left after giving {2} away.",
        "Think step by step: how much is {1} divided by {2}?",
        "```python\ndef price(n):\n    return n * {1}\n```",
        "Analyze the trade-offs of paying {1} now or {2} later.",
        "Each of the {1} boxes holds {2} apples, and some of them are bad.",
    ]
    for _ in range(400):
        count = dice.choice([1, 2, 3, 5, 8, 20, 60])
        yield " ".join(
            dice.choice(lines).format(dice.choice(names), dice.randrange(99), count)
            for _ in range(count)
        )


def test_11_the_score_tells_requests_apart():
    scores = [
        classify(extract({"messages": [{"role": "user", "content": text}]})).value
        for text in prompts()
    ]

    commonest = max(scores.count(value) for value in set(scores))
    assert len(set(scores)) >= 6
    assert commonest < 0.5 * len(scores)


async def test_11_who_trusts_no_untrained_score_starts_at_the_baseline(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = three_tiers(upstream.url, cold_start="baseline")
    async with serving(catalog, tmp_path) as gateway:
        reply = await ask(gateway, "What is 2+2?")
        (record,) = gateway.records("request")

    assert reply.headers["x-llm-router-model"] == "large"
    texts = [d["text"] for d in record["decisions"] if d["step"] == "tier"]
    assert any("No router is trained yet" in text for text in texts)
