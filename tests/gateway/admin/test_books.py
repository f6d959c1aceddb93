from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gateway.models import Attempt, RequestLog, UsageTotal
from routing.models import Backend, Price, Tier
from tests.gateway.admin.rows import request_row

pytestmark = pytest.mark.django_db

REQUESTS, ATTEMPTS = "/admin/gateway/requestlog/", "/admin/gateway/attempt/"


def shown(response) -> list[str]:
    return [row.request_id for row in response.context["cl"].result_list]


def test_pages_go_from_newest_to_oldest_and_rows_that_arrive_shift_nothing(
    admin_client,
):
    RequestLog.objects.bulk_create(request_row(number) for number in range(120))

    first = admin_client.get(REQUESTS)
    RequestLog.objects.bulk_create(request_row(number) for number in range(120, 130))
    older = first.context["cl"].result_list[-1].pk
    assert f'href="?p={older}"' in first.content.decode()
    second = admin_client.get(f"{REQUESTS}?p={older}")

    assert shown(first) == [f"req_{n:04}" for n in range(119, 69, -1)]
    assert shown(second) == [f"req_{n:04}" for n in range(69, 19, -1)]


@pytest.mark.parametrize("page", ["-5", "0", str(10**30), "x"])
def test_a_made_up_page_number_is_no_error(admin_client, page):
    RequestLog.objects.bulk_create([request_row(1)])

    assert shown(admin_client.get(f"{REQUESTS}?p={page}")) == ["req_0001"]


@pytest.mark.parametrize(
    "query", ["", "?result=failed", "?when=day", "?o=3", "?cache=HIT"]
)
@pytest.mark.parametrize("url", [REQUESTS, ATTEMPTS])
def test_the_lists_never_count_nor_skip_rows(admin_client, url, query):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = admin_client.get(url + query, follow=True)

    assert response.status_code == 200
    said = " ".join(query["sql"] for query in queries)
    assert "COUNT(" not in said
    assert "DISTINCT" not in said
    assert "OFFSET" not in said


def test_the_lists_read_no_row_one_by_one(admin_client):
    RequestLog.objects.bulk_create(request_row(number) for number in range(10))
    with CaptureQueriesContext(connection) as few:
        admin_client.get(REQUESTS)
    RequestLog.objects.bulk_create(request_row(number) for number in range(10, 50))
    with CaptureQueriesContext(connection) as many:
        admin_client.get(REQUESTS)

    assert len(many) == len(few)


def test_a_request_is_found_by_its_whole_id_through_an_index(admin_client):
    RequestLog.objects.bulk_create(request_row(number) for number in range(3))

    assert shown(admin_client.get(f"{REQUESTS}?q=req_0001")) == ["req_0001"]
    assert shown(admin_client.get(f"{REQUESTS}?q=req_000")) == []
    plan = RequestLog.objects.filter(request_id__exact="x").explain()
    assert "INDEX" in plan.upper()


def test_filters_narrow_the_list(admin_client):
    old = timezone.now() - timedelta(days=2)
    RequestLog.objects.bulk_create(
        [
            request_row(1, error_code="upstream_error"),
            request_row(2),
            request_row(3),
        ]
    )
    RequestLog.objects.filter(request_id="req_0002").update(cache="HIT", at=old)

    assert shown(admin_client.get(f"{REQUESTS}?result=failed")) == ["req_0001"]
    assert shown(admin_client.get(f"{REQUESTS}?cache=HIT")) == ["req_0002"]
    assert shown(admin_client.get(f"{REQUESTS}?when=day")) == ["req_0003", "req_0001"]
    assert len(shown(admin_client.get(f"{REQUESTS}?when=nonsense"))) == 3


def test_the_page_of_a_request_tells_its_decisions_and_its_calls(admin_client):
    log = request_row(
        1,
        cost_nano=4_200_000,
        saved_nano=2_500_000_000,
        decisions=[
            {"step": "classify", "text": "score 15: short question"},
            {"step": "tier", "text": "tier 1 is enough"},
        ],
    )
    log.save()
    Attempt.objects.create(
        attempt_id="a1",
        request_id="req_0001",
        at=log.at,
        scope="key:1",
        backend="haiku",
        provider="anthropic",
        model="claude-haiku",
        tier=1,
        state="billed",
        price={"input": 800_000_000, "output": 4_000_000_000},
        cost_nano=4_200_000,
    )

    page = admin_client.get(f"{REQUESTS}{log.pk}/change/").content.decode()

    assert page.index("score 15: short question") < page.index("tier 1 is enough")
    assert "claude-haiku" in page
    assert "$0.0042" in page
    assert "$2.50" in page
    attempt = admin_client.get(f"{ATTEMPTS}{Attempt.objects.get().pk}/change/")
    assert "input 0.80, output 4.00" in attempt.content.decode()
    assert "price id" not in attempt.content.decode()


def test_the_page_of_a_request_that_is_gone_leads_back(admin_client):
    response = admin_client.get(f"{REQUESTS}999/change/", follow=True)

    assert response.redirect_chain[0][0] == "/admin/"


@pytest.mark.parametrize("model", [RequestLog, Attempt, UsageTotal])
def test_the_books_are_read_only(admin_client, model):
    base = f"/admin/gateway/{model._meta.model_name}/"

    assert admin_client.get(f"{base}add/").status_code == 403
    assert admin_client.post(f"{base}add/", {}).status_code == 403


def test_a_row_of_the_books_is_neither_changed_nor_deleted(admin_client):
    log = request_row(1)
    log.save()

    change = admin_client.post(f"{REQUESTS}{log.pk}/change/", {"status": "500"})
    delete = admin_client.post(f"{REQUESTS}{log.pk}/delete/", {"post": "yes"})

    assert (change.status_code, delete.status_code) == (403, 403)
    assert RequestLog.objects.get().status == 200


def test_each_filter_leaves_what_it_says(admin_client):
    rows = [
        request_row(1, key_name="ci", tags=["nightly"], tier=1, score=10),
        request_row(2, team="red", tags=['a "b" \\'], backend="opus", tier=3, score=90),
        request_row(3, cost_nano=2_000_000_000, latency_ms=70_000.0),
    ]
    rows[0].status, rows[1].status = 502, 429
    rows[2].at = datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC)
    RequestLog.objects.bulk_create(rows)

    for query, found in {
        "key=ci": [1],
        "team=red": [2],
        "tag=nightly": [1],
        "tag=night": [],
        "tag=a+%22b%22+%5C": [2],
        "backend=opus": [2],
        "tier=3": [2],
        "tier=x": [3, 2, 1],
        "status=5xx": [1],
        "status=4xx": [2],
        "cost=0": [2, 1],
        "cost=1": [3],
        "latency=60": [3],
        "score=80-100": [2],
        "when=2026-03-01": [3],
        "when=2026-02-30": [3, 2, 1],
        "when=9999-12-31": [3, 2, 1],
        "score=80-100&team=red": [2],
    }.items():
        numbers = [
            int(id_[-1]) for id_ in shown(admin_client.get(f"{REQUESTS}?{query}"))
        ]
        assert numbers == found, query


def test_the_page_of_a_request_adds_the_bill_up_and_names_the_other_backends(
    admin_client,
):
    for rank, name, price in ((1, "haiku", 10**9), (3, "opus", 15 * 10**9)):
        tier = Tier.objects.create(
            rank=rank, name=name, max_score=30 if rank == 1 else None
        )
        backend = Backend.objects.create(name=name, tier=tier, provider="ollama")
        Price.objects.create(
            backend=backend,
            effective_from=datetime(2026, 1, 1, tzinfo=UTC),
            **dict.fromkeys(("input", "output", "cache_read", "cache_write"), price),
        )
    log = request_row(1, key_name="laptop", backend="opus", cost_nano=15_000_000)
    log.prompt_tokens, log.completion_tokens = 900, 100
    log.saved_nano = 7_000_000
    log.save()
    Attempt.objects.create(
        attempt_id="a1",
        request_id="req_0001",
        at=log.at,
        scope="key:1",
        backend="opus",
        provider="ollama",
        model="opus",
        tier=3,
        state="billed",
        prompt_tokens=900,
        completion_tokens=100,
        price={"input": 15 * 10**9, "output": 15 * 10**9},
        cost_nano=15_000_000,
    )

    context = admin_client.get(f"{REQUESTS}{log.pk}/change/").context

    bill = [[*map(str, row[1:])] for row in context["bill"]["rows"]]
    assert bill == [
        ["prompt tokens", "900", "15.00", "$0.0135"],
        ["answer tokens", "100", "15.00", "$0.0015"],
        ["Paid", "", "", "$0.015"],
        ["On the baseline tier", "", "", "$0.022"],
        ["Saved", "", "", "$0.007"],
    ]
    others = [(row[0], row[2], row[4]) for row in context["candidates"]["rows"]]
    assert others == [("haiku", "-", "$0.001"), ("opus", "answered", "$0.015")]

    log.facts = {"tokens": 900, "out": ["haiku"]}
    log.save()
    context = admin_client.get(f"{REQUESTS}{log.pk}/change/").context
    then = [row[2] for row in context["candidates"]["rows"]]
    assert then == ["down, full or limited", "answered"]
    assert context["steps"][0].text.startswith("The key laptop")
