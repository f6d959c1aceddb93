"""A real instance: answers that survive a restart, are purged, and are taken back."""

import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.faultllm import ThreadedFaultLLM
from tests.instance import Instance
from tests.redis_server import RedisServer

pytestmark = pytest.mark.slow
QUESTION = "What is the capital of France?"
OTHER_WORDING = "What's France's capital city?"
EGG = "How long should I boil an egg for a soft yolk?"
COOKED = "How long should I cook an egg for a soft yolk?"
LEVEL = "x-llm-router-cache-level"
LEARNING = """\
  - {{name: judge, provider: openai-compatible, model: fault/say=YES, tier: 3,
     base_url: "{url}", api_key: $TEST_PROVIDER_KEY}}
cache: {{learn_aliases: true, judge: judge, audit_share: 0}}
"""
PERSIST = "\ncache: {persist: true}\n"


def ask(url: str, text: str = QUESTION) -> httpx.Response:
    body = {"messages": [{"role": "user", "content": text}]}
    # Each on a connection of its own: with several workers on any of them.
    return httpx.post(f"{url}/v1/chat/completions", json=body, timeout=20)


def kind(response: httpx.Response) -> str:
    assert response.status_code == 200
    return response.headers["x-llm-router-cache"]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_answers_survive_a_restart_when_the_operator_wants_it(
    threaded_upstream: ThreadedFaultLLM, tmp_path: Path
):
    instance = Instance(tmp_path, threaded_upstream.url, extra_config=PERSIST)
    with instance.serving() as url:
        bought = ask(url)
    with instance.serving() as url:
        again, other = ask(url), ask(url, OTHER_WORDING)
        wait_until_logged(instance, other)
        vote = {"request_id": other.headers["x-request-id"], "quality": 0}
        said = httpx.post(f"{url}/v1/feedback", json=vote)
    with instance.serving() as url:
        after_feedback = ask(url)

    assert (kind(bought), kind(again), kind(other)) == ("MISS", "HIT", "HIT")
    assert again.json() == bought.json()
    assert said.status_code == 200
    assert kind(after_feedback) == "MISS"


def wait_until_logged(instance: Instance, response: httpx.Response) -> None:
    id_ = response.headers["x-request-id"]
    sql = "SELECT 1 FROM gateway_requestlog WHERE request_id = ?"
    wait_for(lambda: bool(instance.query(sql, [id_])))


def purge(instance: Instance, scope: str, **only: object) -> None:
    """Only the row: what a worker must hear of, whoever wrote it."""
    done = instance.manage(
        "shell",
        "-c",
        "from gateway.models import CachePurge;"
        f"CachePurge.objects.create(scope={scope!r}, **{only!r})",
    )
    assert done.returncode == 0, done.stderr


def test_a_purge_is_seen_within_a_second_and_only_by_its_scope(
    threaded_upstream: ThreadedFaultLLM, tmp_path: Path
):
    instance = Instance(tmp_path, threaded_upstream.url)
    with instance.serving() as url:
        ask(url)
        purge(instance, "team:other")
        time.sleep(1.0)
        untouched = ask(url)
        purge(instance, "local")
        time.sleep(1.0)
        purged = ask(url)
        ask(url, "2+2")
        purge(instance, "")
        time.sleep(1.0)
        all_purged = ask(url, "2+2")

    assert [kind(r) for r in (untouched, purged, all_purged)] == ["HIT", "MISS", "MISS"]


@pytest.mark.service
def test_a_purge_by_model_reaches_every_worker_redis_and_the_database(
    threaded_upstream: ThreadedFaultLLM, redis: RedisServer, tmp_path: Path
):
    instance = Instance(tmp_path, threaded_upstream.url, extra_config=PERSIST)
    environ = {"REDIS_URL": redis.url, "LLM_ROUTER_REDIS_TIMEOUT_MS": "2000"}
    with instance.serving("--workers", "2", **environ) as url:
        ask(url)
        hits = [ask(url) for _ in range(12)]
        purge(instance, "local", model="large")
        time.sleep(1.0)
        untouched = [ask(url) for _ in range(12)]
        purge(instance, "", model="small")
        time.sleep(1.0)
        purged = [ask(url) for _ in range(12)]
        assert threaded_upstream.total == 2
        purge(instance, "local", model="small", older_than_seconds=3600)
        time.sleep(1.0)
        young = [ask(url) for _ in range(12)]
        wait_until_logged(instance, young[-1])
    purge(instance, "local", model="small")
    with instance.serving(**environ) as url:
        after_restart = ask(url)

    for replies in (hits, untouched, young):
        assert {kind(reply) for reply in replies} == {"HIT"}
    assert [kind(reply) for reply in purged].count("MISS") == 1
    # Not from the database, nor from Redis, which outlived the gateway.
    assert kind(after_restart) == "MISS"


def bought_by_both(url: str) -> None:
    """Which of two workers takes a request is the kernel's choice."""
    misses = 0
    for _ in range(500):
        misses += kind(ask(url, EGG)) == "MISS"
        if misses == 2:
            return
    raise AssertionError("One worker took all of 500 requests.")


def test_what_one_worker_learned_another_one_serves(
    threaded_upstream: ThreadedFaultLLM, tmp_path: Path
):
    url = threaded_upstream.url
    instance = Instance(tmp_path, url, extra_config=LEARNING.format(url=url))
    with instance.serving("--workers", "2") as url:
        bought_by_both(url)
        sql = "SELECT same FROM gateway_learnedalias"
        deadline = time.monotonic() + 20
        while not instance.query(sql):
            assert time.monotonic() < deadline
            ask(url, COOKED)
        time.sleep(1.0)
        purge(instance, "", older_than_seconds=0)
        time.sleep(1.0)
        bought_by_both(url)
        levels = [ask(url, COOKED).headers.get(LEVEL) for _ in range(8)]

    assert instance.query(sql) == [(1,)]
    assert set(levels) == {"alias"}


@pytest.mark.service
def test_two_workers_share_answers_purges_and_complaints_through_redis(
    threaded_upstream: ThreadedFaultLLM, redis: RedisServer, tmp_path: Path
):
    instance = Instance(tmp_path, threaded_upstream.url)
    environ = {"REDIS_URL": redis.url, "LLM_ROUTER_REDIS_TIMEOUT_MS": "2000"}
    with instance.serving("--workers", "2", **environ) as url:
        first = ask(url)
        hits = [ask(url) for _ in range(12)]
        assert threaded_upstream.total == 1
        wait_until_logged(instance, hits[-1])
        bad = {"request_id": hits[-1].headers["x-request-id"], "quality": 0.1}
        assert httpx.post(f"{url}/v1/feedback", json=bad).status_code == 200
        time.sleep(1.0)
        after = [ask(url) for _ in range(12)]
        assert threaded_upstream.total == 2
        purge(instance, "local")
        time.sleep(1.0)
        purged = [ask(url) for _ in range(12)]

    assert kind(first) == "MISS"
    assert {kind(reply) for reply in hits} == {"HIT"}
    assert [kind(reply) for reply in after].count("MISS") == 1
    assert [kind(reply) for reply in purged].count("MISS") == 1
    assert threaded_upstream.total == 3


@pytest.mark.service
def test_l13_a_redis_that_freezes_under_load_costs_no_request(
    threaded_upstream: ThreadedFaultLLM, redis: RedisServer, tmp_path: Path
):
    instance = Instance(tmp_path, threaded_upstream.url)
    environ = {"REDIS_URL": redis.url, "LLM_ROUTER_REDIS_TIMEOUT_MS": "500"}
    with instance.serving("--workers", "2", **environ) as url:
        ask(url)
        redis.freeze()
        began = time.monotonic()
        frozen = [ask(url, f"Is {number} a prime number?") for number in range(40)]
        took = time.monotonic() - began
        redis.thaw()
        time.sleep(2.0)
        ask(url, "Is 7919 a prime number?")
        hits = [ask(url, "Is 7919 a prime number?") for _ in range(12)]

    assert {reply.status_code for reply in frozen} == {200}
    assert took < 20  # two workers, one time-out each; a second for each would be 40
    assert {kind(reply) for reply in hits} == {"HIT"}
