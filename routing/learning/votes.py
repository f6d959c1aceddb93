"""From rows of the database to evidence: votes, and what their requests looked like."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from django.db.models import Max, QuerySet

from routing.learned.evidence import Evidence, Judgement
from routing.learned.features import Row
from routing.models import Feedback, Lesson

STEP = 500
EVERYBODY = ""


def votes_of(scope: str) -> QuerySet[Feedback]:
    """Votes that count, newest first: on requests that are known here."""
    votes = Feedback.objects.exclude(request_id="").order_by("-id")
    return votes if scope == EVERYBODY else votes.filter(scope=scope)


def newest_vote(scope: str) -> int:
    return votes_of(scope).aggregate(newest=Max("id"))["newest"] or 0


def evidence_of(scope: str, most: int) -> list[Evidence]:
    """What the newest votes say, oldest first; votes without a lesson say nothing."""
    by_scope: dict[str, list[Evidence]] = defaultdict(list)
    for vote, lesson in with_lessons(list(votes_of(scope)[:most])):
        if (found := evidence(vote, lesson)) is not None:
            by_scope[vote.scope].append(found)
    return [each for found in balanced(by_scope) for each in reversed(found)]


def with_lessons(votes: Sequence[Feedback]) -> Iterator[tuple[Feedback, Lesson]]:
    for start in range(0, len(votes), STEP):
        part = votes[start : start + STEP]
        ids = [vote.request_id for vote in part]
        lessons = {
            (lesson.request_id, lesson.scope): lesson
            for lesson in Lesson.objects.filter(request_id__in=ids)
        }
        for vote in part:
            # Of the voter's own scope: nobody judges another's request.
            if lesson := lessons.get((vote.request_id, vote.scope)):
                yield vote, lesson


def evidence(vote: Feedback, lesson: Lesson) -> Evidence | None:
    try:
        row = Row.unpack(bytes(lesson.row))
    except ValueError:  # of an earlier version of the features
        return None
    if not 0 < lesson.chance <= 1:
        return None
    quality = min(max(vote.quality, 0.0), 1.0)
    judged = {lesson.tier: Judgement(quality)}
    return Evidence(row, lesson.tier, lesson.chance, vote.score * 100, judged)


def balanced(by_scope: dict[str, list[Evidence]]) -> list[list[Evidence]]:
    """No scope counts for more than all the others together."""
    total = sum(map(len, by_scope.values()))
    result = []
    for found in by_scope.values():
        others = total - len(found)
        share = min(1.0, others / len(found)) if others else 1.0
        result.append(found if share == 1.0 else [trusted(e, share) for e in found])
    return result


def trusted(evidence: Evidence, share: float) -> Evidence:
    judged = {
        tier: replace(judgement, trust=judgement.trust * share)
        for tier, judgement in evidence.judged.items()
    }
    return replace(evidence, judged=judged)
