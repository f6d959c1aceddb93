"""The cache browser: what is stored, why a text would hit, and purges of a part."""

import re
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import AsyncClient
from django.urls import reverse

from gateway.asgi.context import RUNTIME
from gateway.cache import Entry, Withdrawals
from gateway.models import CachePurge, StoredAnswer
from gateway.runtime.database import in_database
from gateway.runtime.purges import withdrawals
from gateway.runtime.snapshot import build, utc_now
from routing.chat import Usage
from routing.money_format import dollars
from tests.faultllm import FaultLLM
from tests.harness import Gateway, ask, one_backend, serving

URL = "/admin/gateway/cacheentry/"
QUESTION = "What is the capital of France?"
OTHER_WORDING = "What's France's capital city?"
SECRET = "whose text nobody may read here"
HOSTILE = "<script>alert(1)</script>"


class Browser(AsyncClient):
    """Speaks to Django in the gateway's process, as its own server does."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__()
        self._runtime = gateway.runtime

    def _base_scope(self, **request: object) -> dict[str, object]:
        return {**super()._base_scope(**request), RUNTIME: self._runtime}


@asynccontextmanager
async def browsing(upstream: FaultLLM, folder: Path, user, **policy: object):
    """A gateway, and its administrator's browser."""
    catalog = one_backend(upstream.url, **policy)
    async with serving(catalog, folder) as gateway:
        client = Browser(gateway)
        await client.aforce_login(user)
        yield gateway, client


@pytest.fixture
def viewer(transactional_db, django_user_model):
    user = django_user_model.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_cacheentry"))
    return user


async def page(client: AsyncClient, query: str = "") -> str:
    response = await client.get(URL + query)
    assert response.status_code == 200
    return response.content.decode()


async def post(client: AsyncClient, **data: object) -> str:
    response = await client.post(URL, data, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def rows_of(html: str) -> list[list[str]]:
    """The texts of the cells of the answers' table."""
    table = html.partition('id="entries"')[2].partition("</table>")[0]
    rows = table.partition("<tbody>")[2].split("<tr>")[1:]
    return [
        [re.sub(r"<[^>]*>|\s+", " ", cell).strip() for cell in row.split("<td>")[1:]]
        for row in rows
    ]


async def stored_id(gateway: Gateway, text: str) -> str:
    return (await ask(gateway, text)).headers["x-request-id"]


async def test_entries_are_listed_with_hits_and_dollars_and_never_their_text(
    upstream: FaultLLM, tmp_path: Path, admin_user, transactional_db
):
    async with browsing(upstream, tmp_path, admin_user) as (gateway, client):
        unused = await stored_id(gateway, f"Who is it {SECRET}?")
        used = await stored_id(gateway, QUESTION)
        for text in (QUESTION, OTHER_WORDING, QUESTION):
            await ask(gateway, text)
        cost = gateway.runtime.cache.slots()[-1].entry.cost_nano
        html = await page(client)

    first, second = rows_of(html)
    assert first[0].split()[-1] == used and second[0].split()[-1] == unused
    assert first[1:4] == ["local", "small, small", "3"]
    assert first[4] == dollars(3 * cost) and second[4] == "$0.00"
    assert first[9] == "exact, canonical"
    assert SECRET not in html and "Answer to:" not in html
    assert "2 answers in" in html


async def test_entries_are_found_by_scope_and_model(
    upstream: FaultLLM, tmp_path: Path, admin_user, transactional_db
):
    async with browsing(upstream, tmp_path, admin_user) as (gateway, client):
        await ask(gateway, QUESTION)
        here = await page(client, "?scope=local&model=small")
        elsewhere = await page(client, "?scope=team:x")
        other_model = await page(client, "?model=large")

    assert len(rows_of(here)[0]) == 10
    for html in (elsewhere, other_model):
        assert rows_of(html) == [["Nothing is stored here."]]


async def test_a_text_is_looked_up_as_a_client_would_ask_it(
    upstream: FaultLLM, tmp_path: Path, admin_user, transactional_db
):
    async with browsing(upstream, tmp_path, admin_user) as (gateway, client):
        bought = await stored_id(gateway, QUESTION)
        asked = {"do": "look", "model": "auto"}
        exact = await post(client, **asked, scope="local", text=QUESTION)
        canonical = await post(client, **asked, scope="local", text=OTHER_WORDING)
        scope = await post(client, **asked, scope="team:x", text=QUESTION)
        now = await post(client, **asked, scope="local", text="What is news today?")
        gateway.change_snapshot(levels_off={("local", "canonical"): "Often wrong."})
        off = await post(client, **asked, scope="local", text=OTHER_WORDING)
        empty = await post(client, **asked, scope="local", text="")
        hits = [(slot.served, slot.hits) for slot in gateway.runtime.cache.slots()]

    assert "<strong>Hit</strong> at the exact level" in exact and bought in exact
    assert "at the canonical level" in canonical
    assert "no stored question means this" in scope
    assert "the answer depends on the time" in now
    assert "the canonical level is off here: Often wrong." in off
    assert "This field is required" in empty
    assert hits == [(0, 0)]  # looking is no hit
    assert "Neighbours are known while the cache learns" in scope


async def test_neighbours_are_shown_with_the_guard_that_refuses_them(
    upstream: FaultLLM, tmp_path: Path, admin_user, transactional_db
):
    policy = {"cache_learn_aliases": True, "cache_judge": ""}
    async with browsing(upstream, tmp_path, admin_user, **policy) as (gateway, client):
        for text in (
            "How long should I boil an egg for a soft yolk?",
            "How long should I boil 3 eggs for a soft yolk?",
            "How long should the concealed river be?",
        ):
            await ask(gateway, text)
        html = await post(
            client,
            do="look",
            scope="local",
            model="auto",
            text="How long should I cook an egg for a soft yolk?",
        )

    near = html.partition('id="near"')[2].partition("</table>")[0]
    assert near.count("no guard refuses: a judge would be asked") == 1
    assert near.count("too far to be proposed: below 0.50") == 1
    assert "refused: numbers, signs or quotations differ" in near
    assert "a, an, egg, for, how, i, long, should, soft, yolk" in near
    for word in ("boil", "river", "concealed"):
        assert word not in near


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


def test_who_may_not_even_look_sees_nothing(client, db, django_user_model):
    assert client.get(URL).status_code == 302
    client.force_login(django_user_model.objects.create_user("x", is_staff=True))
    assert client.get(URL).status_code == 403


def test_without_a_runtime_the_page_says_so(admin_client):
    assert reverse("admin:gateway_cacheentry_changelist") == URL
    html = admin_client.get(URL).content.decode()
    assert "This process serves no requests" in html


async def test_hostile_names_are_escaped_everywhere(
    upstream: FaultLLM, tmp_path: Path, admin_user, transactional_db
):
    async with browsing(upstream, tmp_path, admin_user) as (gateway, client):
        cache = gateway.runtime.cache
        entry = Entry(b"{}", Usage(1, 1), HOSTILE, HOSTILE, 1, 1, 1, HOSTILE, at=1.0)
        cache.restore((b"k" * 32,), HOSTILE, entry, 0.0, 1e9)
        looked = {"do": "look", "scope": HOSTILE, "model": HOSTILE, "text": HOSTILE}
        pages = [
            await page(client),
            await page(client, f"?scope={HOSTILE}&model={HOSTILE}&page=7"),
            await post(client, **looked),
            await post(client, do="choose", entry=[f"{HOSTILE} {HOSTILE}"]),
            await post(client, do="purge", scope=HOSTILE, model=HOSTILE),
            await post(client, do="confirmed", entry=[f"{HOSTILE} {HOSTILE}"]),
        ]

    for html in pages:
        assert HOSTILE not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in pages[0]
