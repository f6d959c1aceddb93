"""Cheap first by kind: an intent's own cascade holds for the requests that it leads."""

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.cache.key import fingerprint
from routing.catalog import Catalog, Policy
from routing.learned.cascades import Cascades
from routing.learned.intents import Intents, Kind
from tests.faultllm import FaultLLM
from tests.harness import TIERS, ask, backend, serving

KINDS = Intents([Kind(1, "code", "python"), Kind(2, "other", bias=0.5)])
CODE, OTHER = "a python function", "good morning"
REFUSES = "fault/say=I can't help with that."


def catalog(url: str, own: dict[str, dict[str, str]], **policy: object) -> Catalog:
    backends = (
        backend("small", 1, url, model=REFUSES),
        backend("medium", 2, url, model="medium"),
    )
    rules = Policy(cascade_band=0.5, **policy)
    return Catalog(TIERS, backends, policy=rules, cascades=Cascades(KINDS, own))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("policy", "own", "checked"),
    [
        ("none", {"code": {"cascade": "all"}}, [CODE]),
        ("all", {"code": {"cascade": "none"}}, [OTHER]),
        ("none", {"other": {"cascade_check": "form"}}, []),
        ("all", {"other": {"cascade_check": "form"}}, [CODE, OTHER]),
    ],
)
async def test_the_leading_intent_decides_whether_an_answer_is_checked(
    upstream: FaultLLM, tmp_path: Path, policy, own, checked, stream
):
    given = catalog(upstream.url, own, cascade=policy, cache_enabled=False)
    async with serving(given, tmp_path) as gateway:
        replies = {
            text: await ask(gateway, text, stream=stream) for text in (CODE, OTHER)
        }
        await gateway.settled()
        records = gateway.records("request")

    for record, (text, reply) in zip(records, replies.items(), strict=True):
        refused = "help with that" in reply.text
        assert refused == (text not in checked)
        plans = [s for s in record["decisions"] if s["step"] == "cascade"]
        assert bool(plans) == (text in checked)
        if plans:
            assert plans[0]["intent"] == ("code" if text == CODE else "other")
            assert record["attempts"] == 2


async def test_an_intents_own_check_is_the_one_that_is_made(
    upstream: FaultLLM, tmp_path: Path
):
    own = {"code": {"cascade": "all", "cascade_check": "agreement"}}
    given = catalog(upstream.url, own, cache_enabled=False)
    words = replace(given.backends[0], model="fault/words-60")
    given = replace(given, backends=(words, given.backends[1]))
    async with serving(given, tmp_path) as gateway:
        await ask(gateway, CODE)
        await gateway.settled()
        [record] = gateway.records("request")

    [step] = [s for s in record["decisions"] if s["step"] == "cascade_check"]
    assert step["check"] == "agreement"
    assert record["attempts"] == 2  # the second sample is on the request's bill


def test_answers_kept_under_other_rules_are_not_found_again():
    plain = Catalog(TIERS)
    checked = replace(plain, cascades=Cascades(KINDS, {"code": {"cascade": "all"}}))

    assert fingerprint(plain) != fingerprint(checked)
