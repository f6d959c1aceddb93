"""S5: a key reaches no model that it may not use."""

import httpx

from gateway.ledger.books import Caller
from tests.faultllm import FaultLLM
from tests.harness import ask, serving, three_tiers

KEYS = {
    "sk-all": Caller("team:t", "all", "t", 1),
    "sk-small": Caller("team:t", "small", "t", 2, models=("sm*",)),
}
SMALL = {"authorization": "Bearer sk-small"}
ALL = {"authorization": "Bearer sk-all"}


async def test_no_name_no_pin_and_no_score_leads_to_another_model(
    upstream: FaultLLM, tmp_path
):
    async with serving(three_tiers(upstream.url), tmp_path, keys=KEYS) as gateway:
        hard = "Prove step by step that there are infinitely many primes. " * 200
        routed = await ask(gateway, hard, headers=SMALL)
        named = await ask(gateway, model="large", headers=SMALL)
        tier = await ask(gateway, model="tier-3", headers=SMALL)
        pinned = await ask(gateway, headers={**SMALL, "x-llm-router-pin": "large"})
        async with httpx.AsyncClient(verify=False) as client:
            listed = await client.get(f"{gateway.url}/v1/models", headers=SMALL)

    assert routed.headers["x-llm-router-model"] == "small"
    assert [reply.status for reply in (named, tier, pinned)] == [404] * 3
    assert "large" not in listed.text
    assert len(upstream.attempts) == 1


async def test_no_stored_answer_of_another_model_is_given(upstream: FaultLLM, tmp_path):
    async with serving(three_tiers(upstream.url), tmp_path, keys=KEYS) as gateway:
        first = await ask(gateway, "Hi", headers=ALL)
        second = await ask(gateway, "Hi", headers=SMALL)
        third = await ask(gateway, "Hi", headers=SMALL)

    shown = [reply.headers["x-llm-router-cache"] for reply in (first, second, third)]
    assert shown == ["MISS", "MISS", "HIT"]
