import numpy as np
import pytest
from django.db import IntegrityError, transaction

from routing.learned.brain import Brain
from routing.learned.evidence import MOST_WEIGHT, Judgement, labelled
from routing.learning.votes import evidence, evidence_of, newest_pair, newest_vote
from routing.models import Feedback, Lesson
from routing.models import Judgement as RowOfJudgement
from tests.harness import three_tiers
from tests.routing.learning.traffic import vote

pytestmark = pytest.mark.django_db
LEARNING = Brain(learning=True, exploration=1.0)
CATALOG = three_tiers("http://x")


def test_a_vote_is_evidence_with_its_lesson():
    vote(LEARNING, CATALOG, 3)

    found = evidence_of("key:1", 100)

    assert [each.tier for each in found] == list(
        Lesson.objects.order_by("-id").values_list("tier", flat=True)
    )
    for each, feedback in zip(found, Feedback.objects.order_by("-id"), strict=True):
        assert each.chance == pytest.approx(1 / 3)
        assert each.judged == {each.tier: Judgement(feedback.quality)}
        assert each.heuristic == pytest.approx(feedback.score * 100)
    assert newest_vote("key:1") == Feedback.objects.latest("id").id
    assert len(evidence_of("key:1", 2)) == 2


def test_a_vote_on_anothers_request_or_on_none_is_no_evidence():
    vote(LEARNING, CATALOG, 4)
    first, second, third, _ = Feedback.objects.order_by("id")
    Feedback.objects.filter(pk=first.pk).update(scope="key:2")
    Feedback.objects.filter(pk=second.pk).update(request_id="")
    Lesson.objects.filter(request_id=third.request_id).update(row=b"noise")

    assert len(evidence_of("key:1", 100)) == 1
    assert evidence_of("key:2", 100) == []


def test_across_scopes_the_loudest_counts_as_much_as_all_others():
    vote(LEARNING, CATALOG, 30, scope="key:1")
    vote(LEARNING, CATALOG, 10, scope="key:2")

    trusts = [j.trust for e in evidence_of("", 100) for j in e.judged.values()]

    assert sum(trust for trust in trusts if trust < 1) == pytest.approx(10)
    assert trusts.count(1.0) == 10


def test_a_vote_is_clamped_whatever_a_row_says():
    """Quality to what a quality can be, and a rare tier's vote to five usual ones."""
    vote(LEARNING, CATALOG, 60)
    rows = list(Feedback.objects.order_by("id"))
    with pytest.raises(IntegrityError), transaction.atomic():
        Feedback.objects.filter(pk=rows[0].pk).update(quality=1000.0)
    Lesson.objects.filter(request_id=rows[1].request_id).update(chance=1e-9)
    lessons = {lesson.request_id: lesson for lesson in Lesson.objects.all()}
    high, low = (
        Feedback(scope="key:1", score=0.1, quality=q) for q in (1000.0, -1000.0)
    )
    lesson = lessons[rows[0].request_id]

    assert evidence(high, lesson).judged == {lesson.tier: Judgement(1.0)}
    assert evidence(low, lesson).judged == {lesson.tier: Judgement(0.0)}
    told = labelled(evidence_of("key:1", 100), [1, 2, 3])
    assert np.nanmax(told.weight) == MOST_WEIGHT
    assert MOST_WEIGHT == 5.0


def judged(**fields) -> RowOfJudgement:
    row = Lesson.objects.first().row
    made = RowOfJudgement(
        request_id="pair", scope="key:1", cheap_tier=1, baseline_tier=3, tokens=1
    )
    for name, value in {"row": row, "verdict": "worse", **fields}.items():
        setattr(made, name, value)
    made.save()
    return made


@pytest.mark.parametrize(
    ("verdict", "cheap", "dear"),
    [("worse", 0.0, 1.0), ("equal", 0.5, 0.5), ("better", 1.0, 0.0)],
)
def test_a_comparison_judges_both_tiers(verdict, cheap, dear):
    vote(LEARNING, CATALOG, 1)
    judged(verdict=verdict)

    *_, found = evidence_of("key:1", 100)

    assert found.judged == {1: Judgement(cheap), 3: Judgement(dear)}
    assert len(evidence_of("key:2", 100)) == 0
    assert newest_pair("key:1") > 0 == newest_pair("key:2")


def test_doubted_answers_count_a_little_and_never_more_than_what_was_judged():
    vote(LEARNING, CATALOG, 40)
    Feedback.objects.filter(pk__in=Feedback.objects.values("pk")[:34]).delete()
    unvoted = Lesson.objects.order_by("id")[6:]
    for lesson in unvoted[:20]:
        Lesson.objects.filter(pk=lesson.pk).update(doubt="It refuses.")

    found = evidence_of("key:1", 100)

    seen = [j for each in found for j in each.judged.values() if j.trust < 1]
    assert len(found) == 12
    assert [each.quality for each in seen] == [0.0] * 3 + [1.0] * 3
    assert {each.trust for each in seen} == {0.1}


def test_a_vote_stands_above_what_its_answer_looked_like():
    vote(LEARNING, CATALOG, 8)
    Lesson.objects.update(doubt="It refuses.")

    found = evidence_of("key:1", 100)

    assert len(found) == 8
    assert all(j.trust == 1 for each in found for j in each.judged.values())
