"""A miss tells which stored question stands next to it, and what keeps them apart."""

from pathlib import Path

from tests.faultllm import FaultLLM
from tests.gateway.alias_learning.asking import (
    COOKED,
    EGG,
    ask_both,
    catalog_of,
    learning,
)


def said_of_the_cache(gateway) -> list[dict]:
    asked = [
        r for r in gateway.records("request") if r["endpoint"] == "chat.completions"
    ]
    return [
        step for each in asked for step in each["decisions"] if step["step"] == "cache"
    ]


async def told(upstream: FaultLLM, folder: Path, *texts: str, **policy: object):
    catalog = catalog_of(upstream.url, judge="fault/say=NO", **policy)
    async with learning(catalog, folder) as (gateway, _):
        await ask_both(gateway, *texts)
        first = gateway.records("request")[0]["request_id"]
        return first, said_of_the_cache(gateway)


async def test_the_nearest_is_named_with_its_similarity(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    bought, (alone, beside) = await told(upstream, tmp_path, EGG, COOKED)

    assert alone["text"] == "No stored answer is used."
    assert "nearest" not in alone
    assert beside["nearest"] == bought
    assert 0.5 <= beside["similarity"] < 1
    assert beside["text"].endswith(
        f"The nearest is {beside['similarity']:.2f} alike; "
        "no guard refuses: a judge would be asked."
    )


async def test_the_guard_that_refuses_it_is_named(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    wording = "How long should I boil {} fresh brown eggs for a soft and runny yolk?"
    texts = (wording.format(7), wording.format(9))
    bought, (_, beside) = await told(upstream, tmp_path, *texts)

    assert beside["nearest"] == bought
    assert "refused: numbers, signs or quotations differ." in beside["text"]


async def test_without_an_index_nothing_is_looked_for(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    _, (_, beside) = await told(
        upstream, tmp_path, EGG, COOKED, cache_learn_aliases=False
    )

    assert beside == {"step": "cache", "text": "No stored answer is used."}
