"""The cache browser: what is stored, and why a text would hit."""

import re
from pathlib import Path

from django.urls import reverse

from gateway.cache import Entry
from routing.chat import Usage
from routing.money_format import dollars
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

OTHER_WORDING = "What's France's capital city?"
SECRET = "whose text nobody may read here"
HOSTILE = "<script>alert(1)</script>"


def rows_of(html: str) -> list[list[str]]:
    """The texts of the cells of the answers' table."""
    table = html.partition('id="entries"')[2].partition("</table>")[0]
    rows = table.partition("<tbody>")[2].split("<tr>")[1:]
    return [
        [re.sub(r"<[^>]*>|\s+", " ", cell).strip() for cell in row.split("<td>")[1:]]
        for row in rows
    ]


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
