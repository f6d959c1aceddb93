"""The cache browser: answers are purged, those ticked or all of a kind."""

from pathlib import Path

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission

from gateway.cache import Withdrawals
from gateway.models import CachePurge, StoredAnswer
from gateway.runtime.database import in_database
from gateway.runtime.purges import withdrawals
from gateway.runtime.snapshot import build, utc_now
from tests.faultllm import FaultLLM
from tests.gateway.admin.browsing import (
    QUESTION,
    URL,
    browsing,
    page,
    post,
    stored_id,
)
from tests.harness import ask


@pytest.fixture
def viewer(transactional_db, django_user_model):
    user = django_user_model.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_cacheentry"))
    return user


async def test_ticked_answers_go_after_a_confirmation_and_are_logged(
    upstream: FaultLLM, tmp_path: Path, admin_user, transactional_db
):
    async with browsing(upstream, tmp_path, admin_user) as (gateway, client):
        going, staying = [await stored_id(gateway, text) for text in (QUESTION, "2+2")]
        await in_database(keep, "local", going)
        await in_database(keep, "local", staying)
        entry = f"{going} local"
        asked = await post(client, do="choose", entry=[entry])
        assert f"local, the answer to {going}" in asked
        assert "In the memory of this process: 1." in asked
        assert len(gateway.runtime.cache.slots()) == 2  # nothing has gone yet
        nothing = await post(client, do="choose")
        done = await post(client, do="confirmed", entry=[entry])
        left = [slot.entry.request_id for slot in gateway.runtime.cache.slots()]

    assert "Tick the answers that shall go." in nothing
    assert "Purged: within a second by every worker." in done
    assert left == [staying]
    rows, kept, logged, known = await in_database(state)
    assert rows == [("local", going, "", None)]
    assert kept == [staying]
    assert logged == [f"Purged local, the answer to {going}."]
    assert known.requests == {("local", going)}


def keep(scope: str, request_id: str, model: str = "small", at: float = 5.0) -> None:
    StoredAnswer.objects.create(
        key=f"{request_id}{model}"[-64:],
        scope=scope,
        request_id=request_id,
        entry={"model": model, "backend": "b", "at": at},
        expires_at=9e9,
    )


def state() -> tuple[list, list, list, Withdrawals]:
    purges = CachePurge.objects.order_by("pk")
    names = ("scope", "request_id", "model", "older_than_seconds")
    return (
        list(purges.values_list(*names)),
        list(StoredAnswer.objects.values_list("request_id", flat=True)),
        list(LogEntry.objects.values_list("change_message", flat=True)),
        withdrawals(utc_now()),
    )


async def test_a_purge_by_model_and_age_takes_what_it_says_and_no_more(
    upstream: FaultLLM, tmp_path: Path, admin_user, transactional_db
):
    async with browsing(upstream, tmp_path, admin_user) as (gateway, client):
        await ask(gateway, QUESTION)
        for number, model in enumerate(("small", "large")):
            await in_database(keep, "local", f"req-{number}", model)
        old = {"model": "small", "older_than_seconds": "3600"}
        asked = await post(client, do="purge", **old)
        assert "every scope, answers of small, older than 3,600 s" in asked
        await post(client, do="confirmed", **old)
        young = len(gateway.runtime.cache.slots())
        assert (await in_database(state))[1] == ["req-1"]
        await post(client, do="confirmed", model="small")
        assert gateway.runtime.cache.slots() == []
        bad = await post(client, do="purge", older_than_seconds="-1")
        again = await ask(gateway, QUESTION)
        hit = await ask(gateway, QUESTION)

    assert young == 1
    assert "greater than or equal to 0" in bad
    assert again.headers["x-llm-router-cache"] == "MISS"
    assert hit.headers["x-llm-router-cache"] == "HIT"  # bought after the purge
    (rule,) = (await in_database(state))[3].rules  # the later one covers both
    assert (rule.scope, rule.model) == ("", "small")


async def test_nothing_given_is_a_purge_of_everything(
    upstream: FaultLLM, tmp_path: Path, admin_user, transactional_db
):
    before = await in_database(build, utc_now())
    async with browsing(upstream, tmp_path, admin_user) as (gateway, client):
        await ask(gateway, QUESTION)
        asked = await post(client, do="purge")
        await post(client, do="confirmed")
        left = gateway.runtime.cache.slots()

    assert ">every scope<" in asked
    assert left == []
    after = await in_database(build, utc_now())
    assert after.fingerprint != before.fingerprint
    assert not after.withdrawals


async def test_who_may_only_look_can_purge_nothing(
    upstream: FaultLLM, tmp_path: Path, viewer
):
    async with browsing(upstream, tmp_path, viewer) as (gateway, client):
        bought = await stored_id(gateway, QUESTION)
        html = await page(client)
        for data in (
            {"do": "choose", "entry": f"{bought} local"},
            {"do": "purge", "scope": "local"},
            {"do": "confirmed", "scope": "local"},
        ):
            assert (await client.post(URL, data)).status_code == 403
        left = len(gateway.runtime.cache.slots())

    assert bought in html and "Purge" not in html.partition('id="entries"')[2]
    assert left == 1
    assert not await in_database(CachePurge.objects.exists)
