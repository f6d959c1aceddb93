"""Trails in the database: nothing that workers count at once is lost."""

import threading
from contextlib import suppress
from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection
from django.utils import timezone

from routing import trails
from routing.models import Intent, IntentCheck, Lesson, RoutingPolicy, Trail, TrailPin
from tests.routing.lessons import keep_lesson

pytestmark = pytest.mark.django_db(transaction=True)
TODAY = date(2026, 11, 26)


@pytest.fixture(autouse=True)
def two_intents():
    Intent.objects.all().delete()
    Intent.objects.create(slug="code", words="python, function")
    Intent.objects.create(slug="other", bias=0.5)


def code_trail(**fields):
    return Trail.objects.get(intent__slug="code", **fields)


def test_a_good_vote_strengthens_and_a_bad_one_weighs():
    for name, quality in (("r1", 1.0), ("r2", 0.2)):
        keep_lesson(name)
        assert trails.reinforce(name, "a", 1, "haiku", quality, TODAY)

    row = code_trail()
    assert (row.votes, row.backend, row.day) == (2, "haiku", TODAY)
    assert row.weight == pytest.approx(2 * row.reward)
    by_scope, _ = trails.read_trails(TODAY)
    cell = by_scope["a"].cells[(row.intent_id, 1, "haiku")]
    assert cell.votes == 2


def test_votes_that_many_workers_count_at_once_are_all_there():
    keep_lesson("r")
    failed = []

    def vote():
        left = 10
        try:
            while left:
                # A database in memory doesn't wait for its lock: asked again.
                with suppress(OperationalError):
                    trails.reinforce("r", "a", 1, "haiku", 1.0, TODAY)
                    left -= 1
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=vote) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    row = code_trail()
    assert failed == []
    assert row.votes == 40
    assert row.reward == pytest.approx(row.weight)


def test_what_is_not_known_leaves_no_trail():
    keep_lesson("r1")
    Lesson.objects.create(
        request_id="r2", at=timezone.now(), scope="a", tier=1, chance=1, tokens=1
    )

    assert not trails.reinforce("r1", "b", 1, "haiku", 1.0, TODAY), "another's"
    assert not trails.reinforce("r2", "a", 1, "haiku", 1.0, TODAY), "no feature row"
    assert not trails.reinforce("r1", "a", 1, "", 1.0, TODAY), "no backend"
    assert not Trail.objects.exists()


def test_a_cell_is_reset_and_old_days_are_forgotten():
    keep_lesson("r")
    trails.reinforce("r", "a", 1, "haiku", 1.0, TODAY - timedelta(days=300))
    trails.reinforce("r", "a", 1, "haiku", 1.0, TODAY)
    assert code_trail().day == TODAY

    assert trails.reset("a", code_trail().intent_id, 1, "haiku") == 1
    assert not Trail.objects.filter(intent__slug="code").exists()


def test_a_scopes_own_pin_wins_over_that_for_everybody():
    keep_lesson("r")
    trails.reinforce("r", "a", 1, "haiku", 1.0, TODAY)
    code = Intent.objects.get(slug="code")
    cell = {"intent": code, "tier": 1, "backend": "haiku"}
    TrailPin.objects.create(**cell, value=0.2)
    TrailPin.objects.create(**cell, scope="b", value=0.8)

    by_scope, everybodys = trails.read_trails(TODAY)

    place = (code.pk, 1, "haiku")
    values = [by_scope[s].cells[place].value for s in "ab"]
    assert (*values, everybodys.cells[place].value) == (0.2, 0.8, 0.2)


def test_intents_are_not_switched_on_before_they_have_passed():
    policy = RoutingPolicy.load()
    policy.intents = True
    with pytest.raises(ValidationError, match="run manage.py check_intents"):
        policy.full_clean()

    IntentCheck.objects.create(rows=500, objections=["It does not beat static tiers."])
    with pytest.raises(ValidationError, match="It does not beat static tiers."):
        policy.full_clean()

    IntentCheck.objects.create(rows=500)
    policy.full_clean()


def test_words_that_cannot_be_read_are_refused_by_the_form():
    with pytest.raises(ValidationError, match="more than two words"):
        Intent(slug="long", words="one two three").full_clean()
    with pytest.raises(ValidationError, match="no cue and a number"):
        Intent(slug="long", cues="tools").full_clean()
