"""What routing saved, worked out a second time from what the provider saw.

An instance is asked over HTTP; its answers fail, are retried, asked for again, voted
down. The oracle knows the provider's own journal, the prices of the configuration and
what the client did. It shares no code with the books.
"""

import re
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from random import Random
from statistics import mean, variance

import httpx
import pytest

from tests.faultllm import ThreadedFaultLLM
from tests.instance import Instance
from tests.operators import log_in_without_browser, make_administrator

CONFIG = """
routing: {holdout_share: 0.05}
cache: {judge: large, audit_share: 1, audit_budget_usd: 100}
"""
# Dollars per million tokens, in and out.
PRICES = {"small": (1.0, 5.0), "medium": (3.0, 15.0), "large": (15.0, 75.0)}
QUESTIONS = 420
WORDS = ("apple", "bridge", "candle", "desert", "engine", "forest", "garden")


def cost_of(attempt) -> float:
    """In dollars, as the provider would charge it."""
    price_in, price_out = PRICES[attempt.model]
    tokens = attempt.prompt_billed * price_in + attempt.completion_billed * price_out
    return tokens / 1e6


class Client:
    """Asks, and remembers what it did."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=60)
        self.answered: dict[str, bool] = {}  # by request id
        self.voted: set[str] = set()
        self.again: set[str] = set()  # those whose question came again

    def ask(self, text: str, **more: object) -> str:
        body = {
            "model": "auto",
            "messages": [{"role": "user", "content": text}],
            "temperature": 0.9,  # never cached, so a repetition is bought
            "max_tokens": 50,
            **more,
        }
        reply = self.http.post("/v1/chat/completions", json=body)
        request_id = reply.headers["x-request-id"]
        self.answered[request_id] = reply.status_code == 200
        return request_id

    def vote_down(self, request_id: str) -> None:
        vote = {"request_id": request_id, "thumb": "down"}
        if self.http.post("/v1/feedback", json=vote).status_code == 200:
            self.voted.add(request_id)


def live(client: Client, upstream: ThreadedFaultLLM, random: Random) -> None:
    """A day of somebody who is not always content."""
    for number in range(QUESTIONS):
        text = f"Tell a story of {number} {random.choice(WORDS)}s {number * 7}."
        chance = random.random()
        if chance < 0.05:
            upstream.script = ["status-500"]  # it is tried again elsewhere
        elif chance < 0.08:
            upstream.script = ["status-400"]  # and this is nobody's to mend
        request_id = client.ask(text, stream=random.random() < 0.3)
        upstream.script = []
        if not client.answered[request_id]:
            continue
        if random.random() < 0.12:
            again = client.ask(text)
            client.again.add(request_id)
            if random.random() < 0.3:
                client.ask(text)
                client.again.add(again)
        if random.random() < 0.15:
            client.vote_down(request_id)


def settled(client: Client) -> dict:
    """The report once nothing is added to it any more."""
    seen: list[dict] = []
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        seen.append(client.http.get("/stats").json()["measured_savings"])
        if len(seen) > 8 and all(each == seen[-1] for each in seen[-8:]):
            return seen[-1]
        time.sleep(0.5)
    raise AssertionError(seen[-2:])


@pytest.mark.slow
def test_the_report_is_what_an_oracle_finds(
    threaded_upstream: ThreadedFaultLLM, tmp_path: Path
):
    instance = Instance(tmp_path, threaded_upstream.url, extra_config=CONFIG)
    with instance.serving() as url, ExitStack() as closing:
        make_administrator(instance)
        client = Client(url)
        closing.callback(client.http.close)
        live(client, threaded_upstream, Random(11))
        # Two wordings of one question: the hit is audited, which is deciding.
        for words in ("What is the capital of Peru?", "What's the capital of Peru?"):
            client.ask(words, temperature=0)
        threaded_upstream.script = []
        told = settled(client)
        arms = {
            request_id: client.http.get(f"/v1/requests/{request_id}").json()["arm"]
            for request_id in client.answered
        }
        with httpx.Client(base_url=url) as browser:
            log_in_without_browser(browser)
            shown = browser.get("/admin/gateway/measuredday/").text

    spent: dict[str, float] = defaultdict(float)
    for attempt in threaded_upstream.attempts:
        spent[attempt.attempt_id.rsplit("-", 1)[0]] += cost_of(attempt)
    deciding = sum(usd for name, usd in spent.items() if name not in client.answered)
    groups = {
        arm: [name for name, group in arms.items() if group == arm]
        for arm in ("routed", "holdout")
    }

    assert told["deciding_usd"] == pytest.approx(deciding)
    for arm, names in groups.items():
        costs = [spent[name] for name in names]
        liked = [
            name
            for name in names
            if client.answered[name]
            and name not in client.again
            and name not in client.voted
        ]
        margin = 1.96 * (variance(costs) / len(costs)) ** 0.5
        found = told[arm]
        assert found["requests"] == len(names)
        assert found["mean_cost_usd"] == pytest.approx(mean(costs), rel=1e-6)
        assert found["mean_cost_95_usd"] == pytest.approx(
            [mean(costs) - margin, mean(costs) + margin], rel=1e-5
        )
        assert found["accepted"] == len(liked)
        assert found["cost_per_accepted_usd"] == pytest.approx(
            sum(costs) / len(liked), rel=1e-6
        )
        assert f"<td>{len(liked)}</td>" in re.sub(r"\s+", "", shown)
    routed, held = ([spent[n] for n in groups[arm]] for arm in ("routed", "holdout"))
    saved = len(routed) * (mean(held) - mean(routed)) - deciding
    margin = len(routed) * 1.96
    margin *= (variance(held) / len(held) + variance(routed) / len(routed)) ** 0.5
    assert told["measured_saved_usd"] == pytest.approx(saved, rel=1e-6)
    assert told["measured_saved_95_usd"] == pytest.approx(
        [saved - margin, saved + margin], rel=1e-5
    )
    # The day had all of it.
    both = client.again & client.voted
    failed = [name for name, fine in client.answered.items() if not fine]
    retried = [a for a in threaded_upstream.attempts if a.attempt_id.endswith("-2")]
    assert both and failed and retried and deciding
    assert len(held) >= 10
