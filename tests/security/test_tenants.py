"""S5, S20: nothing of one tenant is seen, counted or answered for another."""

import asyncio
import inspect
import time
from pathlib import Path

import httpx
import pytest

from config.api_urls import urlpatterns
from gateway.cache.key import exact_key, rest_key
from gateway.ledger.books import Caller
from routing.chat import ChatRequest
from tests.faultllm import FaultLLM
from tests.harness import Gateway, Reply, ask, one_backend, serving
from tests.security.conftest import TwoTenants

KEYS = {
    "red-1": Caller(scope="team:red", key_name="red-1", team="red", key_id=1),
    "red-2": Caller(scope="team:red", key_name="red-2", team="red", key_id=2),
    "blue": Caller(scope="team:blue", key_name="blue", team="blue", key_id=3),
    "alone": Caller(scope="key:4", key_name="alone", key_id=4),
}
STRANGERS = ["blue", "alone"]


@pytest.fixture(scope="module")
def request_of_red(tenants: TwoTenants) -> str:
    """The id of a request of the red team that is in the books."""
    answer = tenants.ask(tenants.red, "A question only the red team asks")
    request_id = answer.headers["x-request-id"]
    with tenants.client(tenants.red) as client:
        assert client.get(f"/v1/requests/{request_id}").status_code == 200
    return request_id


def test_s5_a_request_is_explained_to_its_own_tenant_only(
    tenants: TwoTenants, request_of_red: str
):
    with tenants.client(tenants.blue) as client:
        of_another = client.get(f"/v1/requests/{request_of_red}")
        of_nobody = client.get(f"/v1/requests/req_{'0' * 24}")

    assert of_another.status_code == of_nobody.status_code == 404
    assert of_another.content == of_nobody.content


def test_s5_nobody_votes_on_the_request_of_another(
    tenants: TwoTenants, request_of_red: str
):
    vote = {"request_id": request_of_red, "quality": 0}
    unknown = {"request_id": f"req_{'0' * 24}", "quality": 0}
    with tenants.client(tenants.blue) as client:
        of_another = client.post("/v1/feedback", json=vote)
        of_nobody = client.post("/v1/feedback", json=unknown)
    stored = tenants.instance.query(
        "SELECT count(*) FROM routing_feedback WHERE request_id = ?", [request_of_red]
    )

    assert of_another.status_code == of_nobody.status_code == 404
    assert of_another.content == of_nobody.content
    assert stored == [(0,)]


def test_s5_a_request_id_gives_no_right_through_another_door(
    tenants: TwoTenants, request_of_red: str
):
    ways = [request_of_red.upper(), f"{request_of_red}%00", f"{request_of_red}%20"]
    with tenants.client(tenants.blue) as client:
        answers = [client.get(f"/v1/requests/{way}") for way in ways]
        header = client.get("/v1/models", headers={"x-request-id": request_of_red})

    assert {answer.status_code for answer in answers} == {404}
    assert header.headers["x-request-id"] != request_of_red


def test_s5_everybody_sees_own_numbers_only(tenants: TwoTenants):
    told = tenants.ask(tenants.red, f"The last one not to count: {time.time()}")
    with tenants.client(tenants.red) as client:  # once it is in the books, all are
        client.get(f"/v1/requests/{told.headers['x-request-id']}").raise_for_status()
    before = numbers(tenants)
    for number in range(3):
        tenants.ask(tenants.red, f"Counted for red: {number} {time.time()}")
    after = numbers(tenants)
    deadline = time.monotonic() + 10
    while after[0] < before[0] + 3 and time.monotonic() < deadline:
        time.sleep(0.05)
        after = numbers(tenants)

    assert after[0] == before[0] + 3
    assert after[1] == before[1]


def numbers(tenants: TwoTenants) -> tuple[int, int]:
    """How many requests each tenant is told it has made."""
    told = []
    for key in (tenants.red, tenants.blue):
        with tenants.client(key) as client:
            told.append(client.get("/stats").json()["total_requests"])
    return told[0], told[1]


def test_s5_another_tenants_question_is_no_hit(tenants: TwoTenants):
    text = f"What is the capital of France? {time.time()}"
    labels = [
        tenants.ask(key, text).headers["x-llm-router-cache"]
        for key in (tenants.red, tenants.red, tenants.blue, tenants.blue)
    ]

    assert labels == ["MISS", "HIT", "MISS", "HIT"]


def test_s5_no_endpoint_has_an_id_without_a_test_here():
    """Whoever adds an address with an id in it adds its two-tenant test."""
    with_id = {str(p.pattern) for p in urlpatterns if "<" in str(p.pattern)}
    assert with_id == {
        "v1/models/<path:model>",
        "v1/requests/<str:request_id>",
        "v1/workflows/batches/<str:batch_id>",
        "v1/workflows/batches/<str:batch_id>/cancel",
        "v1/workflows/runs/<str:run_id>",
        "v1/workflows/runs/<str:run_id>/cancel",
        "v1/workflows/runs/<str:run_id>/events",
    }


def test_s5_a_run_is_seen_and_cancelled_by_its_own_tenant_only(tenants: TwoTenants):
    workflow = {"end_ops": ["a"], "ops": {"a": {"prompt": "What only red asks"}}}
    with tenants.client(tenants.red) as client:
        answer = client.post("/v1/workflows", json={"input": "", "workflow": workflow})
        run_id = answer.json()["run_id"]
        assert client.get(f"/v1/workflows/runs/{run_id}").status_code == 200
        of_own = client.post(f"/v1/workflows/runs/{run_id}/cancel", json={})
        assert of_own.json() == {"run_id": run_id, "status": "succeeded"}
    is_hidden(tenants, "runs", run_id, f"run_{'0' * 24}")


def test_s5_a_batch_is_seen_and_cancelled_by_its_own_tenant_only(tenants: TwoTenants):
    workflow = {"end_ops": ["a"], "ops": {"a": {"prompt": "What only red asks"}}}
    with tenants.client(tenants.red) as client:
        answer = client.post(
            "/v1/workflows/batch", json={"inputs": ["x"], "workflow": workflow}
        )
        batch_id = answer.json()["batch_id"]
        assert client.get(f"/v1/workflows/batches/{batch_id}").status_code == 200
    is_hidden(tenants, "batches", batch_id, f"batch_{'0' * 24}")


DOORS = {
    "runs": (("GET", "", None), ("GET", "/events", None), ("POST", "/cancel", {})),
    "batches": (("GET", "", None), ("POST", "/cancel", {})),
}


def is_hidden(tenants: TwoTenants, kind: str, id_: str, nobodys: str) -> None:
    """Blue can't tell red's from one that doesn't exist."""
    with tenants.client(tenants.blue) as client:
        for method, path, body in DOORS[kind]:
            of_another, of_nobody = (
                client.request(method, f"/v1/workflows/{kind}/{each}{path}", json=body)
                for each in (id_, nobodys)
            )
            assert of_another.status_code == of_nobody.status_code == 404
            assert of_another.content == of_nobody.content


async def ask_as(gateway: Gateway, key: str, text: str, **body: object) -> Reply:
    return await ask(gateway, text, headers={"authorization": f"Bearer {key}"}, **body)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("matching", ["exact", "canonical", "jaccard"])
async def test_s20_an_answer_is_cached_for_its_scope_alone(
    upstream: FaultLLM, tmp_path: Path, matching: str, stream: bool
):
    first, reworded = "What is the capital of France?", "What's France's capital city?"
    if matching == "exact":
        reworded = first
    catalog = one_backend(upstream.url, cache_matching=matching, cache_similarity=0.6)
    async with serving(catalog, tmp_path, keys=KEYS) as gateway:
        mine = await ask_as(gateway, "red-1", first, stream=stream)
        of_my_team = await ask_as(gateway, "red-2", reworded, stream=stream)
        theirs = [
            await ask_as(gateway, stranger, reworded, stream=stream)
            for stranger in STRANGERS
        ]

    assert of_my_team.headers["x-llm-router-cache"] == "HIT"
    assert of_my_team.content == mine.content
    assert len({mine.content, *(reply.content for reply in theirs)}) == 3
    for reply in theirs:
        assert reply.headers["x-llm-router-cache"] == "MISS"
        assert "x-llm-router-cache-level" not in reply.headers


@pytest.mark.parametrize("stream", [False, True])
async def test_s20_a_call_in_flight_is_shared_within_its_scope_alone(
    upstream: FaultLLM, tmp_path: Path, stream: bool
):
    catalog = one_backend(upstream.url, "fault/hold")
    async with serving(catalog, tmp_path, keys=KEYS) as gateway:
        calls = []
        for key in ("red-1", "red-2", *STRANGERS):
            asked = ask_as(gateway, key, "At once?", stream=stream)
            calls.append(asyncio.create_task(asked))
            await gateway.called(len(calls))
        await upstream.until(lambda: upstream.holding == 3)
        upstream.release()
        replies = await asyncio.gather(*calls)

    labels = [reply.headers["x-llm-router-cache"] for reply in replies]
    assert labels == ["MISS", "SHARED", "MISS", "MISS"]
    assert replies[0].content == replies[1].content
    assert len({reply.content for reply in replies}) == len(upstream.attempts) == 3


async def test_s20_a_stream_half_told_is_not_joined_from_another_scope(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = one_backend(upstream.url, "fault/words-20+hold-after-8")
    async with serving(catalog, tmp_path, keys=KEYS) as gateway:
        mine = asyncio.create_task(ask_as(gateway, "red-1", "Tell", stream=True))
        await upstream.until(lambda: upstream.holding == 1)
        theirs = asyncio.create_task(ask_as(gateway, "blue", "Tell", stream=True))
        await upstream.until(lambda: upstream.holding == 2)
        upstream.release()
        replies = await asyncio.gather(mine, theirs)

    assert [reply.headers["x-llm-router-cache"] for reply in replies] == ["MISS"] * 2
    assert len(upstream.attempts) == 2


@pytest.mark.parametrize("make", [exact_key, rest_key])
def test_s20_a_key_cannot_be_made_without_a_scope(make):
    first, *_ = inspect.signature(make).parameters.values()

    assert (first.name, first.default) == ("scope", inspect.Parameter.empty)
    with pytest.raises(TypeError):
        make(chat=ChatRequest({"messages": []}, "s", "r"))
    with pytest.raises(TypeError):
        ChatRequest(body={"messages": []}, request_id="r")
    with pytest.raises(TypeError):
        Caller()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-llm-router-scope", "team:red"),
        ("x-llm-router-team", "red"),
        ("x-team", "red"),
        ("cookie", "team=red"),
    ],
)
async def test_s20_no_header_moves_a_caller_into_another_scope(
    upstream: FaultLLM, tmp_path: Path, name: str, value: str
):
    async with serving(one_backend(upstream.url), tmp_path, keys=KEYS) as gateway:
        await ask_as(gateway, "red-1", "Mine?")
        headers = {"authorization": "Bearer blue", name: value}
        theirs = await ask(gateway, "Mine?", headers=headers, user="red-1")

    assert theirs.headers["x-llm-router-cache"] == "MISS"


async def test_s5_two_keys_of_one_team_are_told_apart_in_the_books(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(one_backend(upstream.url), tmp_path, keys=KEYS) as gateway:
        for key in KEYS:
            await ask_as(gateway, key, "Whose?")
        records = gateway.records("request")

    told = [(r["key_name"], r["team"], r["scope"]) for r in records]
    assert told == [(c.key_name, c.team, c.scope) for c in KEYS.values()]


async def test_s5_metrics_hold_no_text_of_anybody(upstream: FaultLLM, tmp_path: Path):
    text = "a-word-nobody-else-says"
    async with serving(one_backend(upstream.url), tmp_path, keys=KEYS) as gateway:
        await ask_as(gateway, "red-1", text)
        async with httpx.AsyncClient() as client:
            bearer = {"authorization": "Bearer blue"}
            pages = [
                (await client.get(gateway.url + path, headers=bearer)).text
                for path in ("/metrics", "/v1/backends", "/v1/models", "/stats")
            ]

    told = "".join(pages)
    assert "small" in told
    # Nor do they say where the provider is, and what opens it.
    for hidden in (text, upstream.url, f":{upstream.port}", "upstream-key"):
        assert hidden not in told
