"""A scope's votes on the borders between tiers, from a vote to a request's tier."""

import time
from dataclasses import replace

import httpx

from gateway.ledger.books import Caller
from gateway.whatif.replay import Decided, Replay, features_of
from tests.gateway.learning import CONFIG
from tests.harness import ask, serving, three_tiers
from tests.instance import Instance

KEYS = {name: Caller(f"team:{name}") for name in ("web", "near", "other")}


async def test_only_the_scope_that_voted_is_routed_by_it_and_told_so(
    upstream, tmp_path
):
    plain = three_tiers(upstream.url, learning="auto", cascade="whole")
    catalog = replace(plain, voted={"team:web": {1: 2}, "team:near": {1: 7}})
    async with serving(catalog, tmp_path, keys=KEYS) as gateway:
        for key in KEYS:
            await ask(gateway, "Say hello", headers={"authorization": f"Bearer {key}"})
        web, near, other = gateway.records("request")

    assert [record["tier"] for record in (web, near, other)] == [2, 1, 1]
    [told] = [step["text"] for step in web["decisions"] if step["step"] == "tier"]
    assert "This scope's votes end tier 1 at 2, not at 30." in told
    assert not any("votes" in step["text"] for step in other["decisions"])
    [uncertain] = [s["text"] for s in near["decisions"] if s["step"] == "cascade"]
    assert "near the border of 7" in uncertain
    for record in (web, near, other):
        names = ("scope", "dialect", "model_asked", "score", "backend", "arm", "facts")
        facts = features_of(record["facts"])
        again = Replay(catalog).decide(Decided(*map(record.get, names), facts))
        assert again.tier == record["tier"]


def test_votes_in_the_reference_form_move_the_border_of_their_own_scope(
    threaded_upstream, tmp_path
):
    learning = "learning: auto, exploration: 0, refit_every: 100"
    config = CONFIG.replace("learning: auto", learning)
    config = config.replace("cold_start: baseline", "cold_start: heuristic")
    instance = Instance(tmp_path, threaded_upstream.url)
    instance.config.write_text(config.format(url=threaded_upstream.url))

    with (
        instance.serving() as url,
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        said = {"messages": [{"role": "user", "content": "Say hello"}]}

        def tier() -> str:
            reply = client.post("/v1/chat/completions", json=said).raise_for_status()
            return reply.headers["x-llm-router-tier"]

        assert tier() == "1"
        for _ in range(250):
            for rank, quality in ((1, 0.1), (2, 0.9)):
                vote = {"score": 0.05, "tier": rank, "quality": quality}
                client.post("/v1/feedback", json=vote).raise_for_status()
        deadline = time.monotonic() + 60
        while tier() == "1":
            assert time.monotonic() < deadline, instance.log[-2000:]
            time.sleep(0.2)

    rows = instance.query("SELECT scope, tier, base, border FROM routing_votedborder")
    assert rows == [("local", 1, 50, 0)]
    assert instance.query("SELECT count(*) FROM routing_routermodel") == [(0,)]
