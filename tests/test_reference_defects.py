"""One regression test for each defect that the reference implementation had.

Numbered as in its list: 1 sharing, 2 examples of the cache, 3 the cache key, 4 LRU,
5 choice of a backend, 6 marking down, 7 streaming, 8 costs, 11 the score.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from random import Random

import httpx
import orjson
import pytest

from gateway.cache.store import AnswerStore, Entry
from gateway.ledger.books import Caller
from routing.chat import Usage
from routing.classifier import classify
from routing.features import extract
from tests.faultllm import FaultLLM
from tests.harness import PRICES, Gateway, Reply, ask, one_backend, serving, three_tiers

KEYS = {
    "one": Caller(scope="key:1", key_name="one", key_id=1),
    "two": Caller(scope="key:2", key_name="two", key_id=2),
}


# --- 1: a deduplicator that was never called ------------------------------------------


async def at_once(
    gateway: Gateway, upstream: FaultLLM, bodies: list[dict], calls: int
) -> list[Reply]:
    """These requests, all under way before the provider answers its `calls`."""
    asked = []
    for body in bodies:
        asked.append(asyncio.create_task(ask(gateway, **body)))
        await gateway.called(len(asked))
    await upstream.until(lambda: upstream.holding == calls)
    upstream.release()
    return await asyncio.gather(*asked)


@pytest.mark.parametrize("stream", [False, True])
async def test_1_identical_requests_at_once_make_one_call(
    upstream: FaultLLM, tmp_path: Path, stream: bool
):
    catalog = one_backend(upstream.url, "fault/hold")
    async with serving(catalog, tmp_path) as gateway:
        replies = await at_once(gateway, upstream, [{"stream": stream}] * 5, 1)

    assert len({reply.content for reply in replies}) == 1
    assert len(upstream.attempts) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"model": "small"},
        {"temperature": 0.1},
        {"max_tokens": 7},
        {"headers": {"authorization": "Bearer two"}},
    ],
)
async def test_1_requests_that_differ_are_not_shared(
    upstream: FaultLLM, tmp_path: Path, other: dict
):
    catalog = one_backend(upstream.url, "fault/hold")
    async with serving(catalog, tmp_path, keys=KEYS) as gateway:
        mine = {"headers": {"authorization": "Bearer one"}}
        replies = await at_once(gateway, upstream, [mine, {**mine, **other}], 2)

    assert [reply.status for reply in replies] == [200, 200]
    assert len(upstream.attempts) == 2


async def test_1_a_leader_that_crashes_leaves_nothing_behind(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        pool, gateway.runtime.pool = gateway.runtime.pool, None  # a bug of ours
        crashed = await asyncio.gather(*(ask(gateway) for _ in range(3)))
        left = len(gateway.runtime.inflight)
        gateway.runtime.pool = pool
        after = await ask(gateway)

    assert {reply.status for reply in crashed} == {500}
    assert left == 0
    assert after.status == 200


@pytest.mark.slow
async def test_1_who_waits_long_still_makes_no_call_of_his_own(
    upstream: FaultLLM, tmp_path: Path
):
    """There a waiter gave up after five seconds and asked again, at full price."""
    catalog = one_backend(upstream.url, "fault/delay-6s")
    async with serving(catalog, tmp_path) as gateway:
        replies = await asyncio.gather(*(ask(gateway) for _ in range(3)))

    assert [reply.status for reply in replies] == [200] * 3
    assert len(upstream.attempts) == 1


# --- 2: examples that were false, and hits that were wrong ----------------------------


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


# --- 3: a key that left out what changes the answer -----------------------------------

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


# --- 4: an LRU that was a FIFO and never forgot ---------------------------------------


def entry(text: str) -> Entry:
    return Entry(text.encode(), Usage(), "b", "m", 1, 5, 0, text, 0.0)


def store_of(max_entries: int) -> AnswerStore:
    return AnswerStore(max_entries, 1 << 20, 100.0, Random(1), lambda _: None)


def kept(store: AnswerStore, keys: str, now: float = 0.0) -> str:
    """Those of the keys that are stored, found without being used."""
    return "".join(key for key in keys if key.encode() in store._by_key)


def test_4_what_was_read_last_stays_longest():
    store = store_of(3)
    for key in "abc":
        store.put((key.encode(),), "s", entry(key), 0.0)
    store.get(b"a", 0.0)
    store.put((b"d",), "s", entry("d"), 0.0)

    assert kept(store, "abcd") == "acd"


def test_4_storing_a_key_again_makes_no_second_place_for_it():
    store = store_of(2)
    for _ in range(10):
        store.put((b"a",), "s", entry("a"), 0.0)
    store.put((b"b",), "s", entry("b"), 0.0)

    assert len(store) == 2
    assert kept(store, "ab") == "ab"
    assert store.evictions == 0


def test_4_what_expired_makes_room_without_being_asked_for():
    store = store_of(1000)
    for number in range(8):
        store.put((b"%d" % number,), "s", entry("old"), 0.0)
    store.put((b"new",), "s", entry("new"), 1000.0)

    assert len(store) == 1
    assert store.expirations == 8


# --- 5: an idle expensive model before a busy cheap one -------------------------------


async def test_5_a_busy_cheap_backend_is_asked_before_an_idle_dear_one(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        upstream.script = ["hold"] * 20
        calls = [
            asyncio.create_task(ask(gateway, f"Simple question {n}")) for n in range(20)
        ]
        await upstream.until(lambda: upstream.holding == 20)
        upstream.release()
        replies = await asyncio.gather(*calls)

    assert {reply.headers["x-llm-router-model"] for reply in replies} == {"small"}
    assert {attempt.model for attempt in upstream.attempts} == {"small"}


# --- 6: down by a client's doing, and down for ever -----------------------------------


async def test_6_clients_who_hang_up_mark_nobody_down(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = one_backend(upstream.url, "fault/hold")
    async with serving(catalog, tmp_path) as gateway:
        for number in range(8):
            call = asyncio.create_task(ask(gateway, f"{number}"))
            await upstream.until(lambda seen=number: len(upstream.attempts) > seen)
            call.cancel()
            await gateway.settled()
        (row,) = gateway.runtime.pool.status(gateway.runtime.snapshot.catalog)

    assert row["errors"] == 0
    assert row["status"] in ("starting", "healthy")


@pytest.mark.parametrize("status", [400, 404, 413, 422])
async def test_6_a_clients_own_mistake_marks_nobody_down(
    upstream: FaultLLM, tmp_path: Path, status: int
):
    catalog = one_backend(upstream.url)
    async with serving(catalog, tmp_path) as gateway:
        upstream.always = f"status-{status}"
        for number in range(8):
            await ask(gateway, f"{number}")
        upstream.always = ""
        good = await ask(gateway)
        (row,) = gateway.runtime.pool.status(gateway.runtime.snapshot.catalog)

    assert good.status == 200
    assert row["status"] == "healthy"


async def test_6_down_is_not_for_ever(upstream: FaultLLM, tmp_path: Path):
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        upstream.always = "status-500"
        while status_of(gateway) != "down":
            await ask(gateway, "Down?")
        upstream.always = ""
        async with asyncio.timeout(20):
            while (await ask(gateway)).status != 200:
                await asyncio.sleep(0.05)

        assert status_of(gateway) != "down"


def status_of(gateway: Gateway) -> str:
    (row,) = gateway.runtime.pool.status(gateway.runtime.snapshot.catalog)
    return row["status"]


# --- 7: streams that were collected first, fields dropped, 429 healthy ----------------


async def test_7_the_first_words_arrive_before_the_last_are_written(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = one_backend(upstream.url, "fault/words-10+hold-after-5")
    async with serving(catalog, tmp_path) as gateway, httpx.AsyncClient() as client:
        body = {"messages": [{"role": "user", "content": "Hi"}], "stream": True}
        url = f"{gateway.url}/v1/chat/completions"
        async with client.stream("POST", url, json=body) as response:
            lines = response.aiter_lines()
            early = [await anext(lines) for _ in range(5)]
            assert upstream.holding == 1  # the rest is not written yet
            upstream.release()
            late = [line async for line in lines]

    assert any('"content":' in line for line in early)
    assert "data: [DONE]" in late


@pytest.mark.parametrize("stream", [False, True])
async def test_7_fields_nobody_here_knows_pass_both_ways(
    upstream: FaultLLM, tmp_path: Path, stream: bool
):
    fields = {"vendor_field": {"deep": [1, None]}, "reasoning_effort": "low", "seed": 3}
    catalog = one_backend(upstream.url, "fault/extra-fields")
    async with serving(catalog, tmp_path) as gateway:
        reply = await ask(gateway, stream=stream, **fields)

    sent = upstream.attempts[0].body
    assert {name: sent[name] for name in fields} == fields
    answers = [orjson.loads(e) for e in reply.events[:-1]] or [reply.json]
    known = {"id", "object", "created", "model", "choices", "usage"}
    assert any(answer.keys() - known for answer in answers)


async def test_7_a_429_is_not_health(upstream: FaultLLM, tmp_path: Path):
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        upstream.script = ["retry-after=30"]
        replaced = await ask(gateway, "first")
        spared = await ask(gateway, "second")
        small, *_ = gateway.runtime.pool.status(gateway.runtime.snapshot.catalog)

    assert small["status"] == "rate_limited"
    assert replaced.headers["x-llm-router-model"] == "medium"
    assert spared.headers["x-llm-router-model"] == "medium"
    assert [attempt.model for attempt in upstream.attempts] == [
        "small",
        "medium",
        "medium",
    ]


# --- 8: costs that were guessed, savings that were left out ---------------------------


@pytest.mark.parametrize("stream", [False, True])
async def test_8_a_request_costs_what_its_own_tokens_cost(
    upstream: FaultLLM, tmp_path: Path, stream: bool
):
    text = "word " * 300
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        await ask(gateway, text, stream=stream)
        await gateway.settled()
        (record,) = gateway.records("request")

    (bill,) = upstream.attempts
    paid = cost(1, bill.prompt_billed, bill.completion_billed)
    assert bill.prompt_billed >= 300
    assert record["cost_nano"] == paid > 0
    assert (
        record["saved_nano"]
        == cost(3, bill.prompt_billed, bill.completion_billed) - paid
    )


@pytest.mark.parametrize("again", ["HIT", "SHARED"])
async def test_8_an_answer_that_cost_nothing_saved_its_whole_price(
    upstream: FaultLLM, tmp_path: Path, again: str
):
    base = three_tiers(upstream.url)
    async with serving(base, tmp_path) as gateway:
        if again == "SHARED":
            upstream.script = ["hold"]
            await at_once(gateway, upstream, [{}, {}], 1)
        else:
            await ask(gateway)
            await ask(gateway)
        await gateway.settled()
        records = {record["cache"]: record for record in gateway.records("request")}

    (bill,) = upstream.attempts
    whole = cost(3, bill.prompt_billed, bill.completion_billed)
    assert records[again]["cost_nano"] == 0
    assert records[again]["saved_nano"] == whole
    assert records["MISS"]["cost_nano"] + records["MISS"]["saved_nano"] == whole


def cost(tier: int, prompt: int, completion: int) -> int:
    """Nano-USD of these tokens at the price of a tier."""
    price = PRICES[tier]
    return -(-(prompt * price.input + completion * price.output) // 1_000_000)


# --- 11: a score that put nearly everything into one bucket ---------------------------


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
