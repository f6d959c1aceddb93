"""Learned aliases as rows: what every worker hears of them, and what undoes them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from gateway import aliases
from gateway.aliases import AliasReader, Known
from gateway.api.feedback import store
from gateway.models import LearnedAlias, RequestLog
from gateway.runtime.database import in_database
from tests.harness import Clock

ROOT, OTHER, THIRD = b"r" * 32, b"o" * 32, b"t" * 32


def learn(wording: bytes = OTHER, *, same: bool = True, most: int = 100) -> Known:
    return aliases.learn(
        "team:a",
        wording,
        ROOT,
        same=same,
        similarity=0.7,
        judged_by="req-judge",
        most=most,
    )


def test_a_judgement_is_kept_once_with_what_it_says(db):
    assert learn() == Known({OTHER: ROOT}, frozenset())
    assert learn(same=False) == Known({OTHER: ROOT}, frozenset())  # the first one holds
    assert learn(THIRD, same=False).refused == {(THIRD, ROOT)}


def test_a_judgement_expires(db):
    learn()
    LearnedAlias.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert aliases.read() == Known({}, frozenset())
    learn(THIRD)
    assert [row.wording for row in LearnedAlias.objects.all()] == [THIRD.hex()]


def test_judgements_are_bounded_the_oldest_leave(db):
    for number in range(5):
        learn(b"%032d" % number, most=3)
    kept = LearnedAlias.objects.order_by("pk").values_list("wording", flat=True)
    assert list(kept) == [(b"%032d" % number).hex() for number in (2, 3, 4)]


def test_a_refusal_takes_the_whole_class_of_its_scope_only(db):
    learn()
    learn(THIRD)
    assert aliases.refuse("team:b", OTHER.hex(), "a vote").roots
    known = aliases.refuse("team:a", THIRD.hex(), "a vote")
    assert known == Known({}, frozenset({(OTHER, ROOT), (THIRD, ROOT)}))
    assert {row.judged_by for row in LearnedAlias.objects.all()} == {"a vote"}


def test_a_reader_hears_of_what_is_learned_refused_and_deleted(db):
    heard: list[Known] = []
    reader = AliasReader(heard.append, Clock())
    reader.look()
    assert heard == []
    learn()
    reader.look()
    reader.look()
    assert heard == [Known({OTHER: ROOT}, frozenset())]
    aliases.refuse("team:a", OTHER.hex(), "a vote")
    reader.look()
    assert heard[-1].refused
    LearnedAlias.objects.all().delete()
    reader.look()
    assert heard[-1] == Known({}, frozenset())
    assert len(heard) == 3


def test_a_reader_hears_of_what_expired(db):
    heard: list[Known] = []
    clock = Clock()
    reader = AliasReader(heard.append, clock)
    learn()
    reader.look()
    LearnedAlias.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    clock.now += aliases.REREAD_SECONDS + 1
    reader.look()
    assert heard[-1] == Known({}, frozenset())


@pytest.mark.parametrize(("quality", "same"), [(0.1, False), (0.9, True)])
async def test_a_bad_vote_on_a_hit_by_an_alias_undoes_it(
    transactional_db, quality: float, same: bool
):
    def prepare() -> None:
        learn()
        RequestLog.objects.create(
            request_id="req-1",
            answered_by="req-0",
            at=timezone.now(),
            scope="team:a",
            status=200,
            cache="HIT",
            cache_level="alias",
            decisions=["odd", {"step": "cache", "wording": OTHER.hex()}],
        )

    await in_database(prepare)
    vote = {"request_id": "req-1", "quality": quality}
    _, bad_answer = await store(vote, "team:a")

    assert bad_answer == ("" if same else "req-0")
    kept = await in_database(lambda: [row.same for row in LearnedAlias.objects.all()])
    assert kept == [same]
