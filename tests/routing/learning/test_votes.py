import pytest

from routing.learned.brain import Brain
from routing.learned.evidence import Judgement
from routing.learning.votes import evidence_of, newest_vote
from routing.models import Feedback, Lesson
from tests.harness import three_tiers
from tests.routing.learning.traffic import vote

pytestmark = pytest.mark.django_db
LEARNING = Brain(learning=True, exploration=1.0)
CATALOG = three_tiers("http://x")


def test_a_vote_is_evidence_with_its_lesson():
    vote(LEARNING, CATALOG, 3)

    found = evidence_of("key:1", 100)

    assert [each.tier for each in found] == list(
        Lesson.objects.order_by("id").values_list("tier", flat=True)
    )
    for each, feedback in zip(found, Feedback.objects.order_by("id"), strict=True):
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
