"""From rows of the database to evidence: votes, and what their requests looked like."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from django.db.models import Max, QuerySet

from routing.learned.evidence import Evidence
from routing.learned.evidence import Judgement as Judged
from routing.learned.features import Row
from routing.models import Feedback, Judgement, Lesson

STEP = 500
# Of what was seen without being told: it teaches a little and proves nothing. There is
# never more of it than of votes and paired judgements.
SEEN_TRUST = 0.1
# What a comparison says of the cheaper answer's quality and of the dearer one's.
VERDICTS = {
    Judgement.Verdict.WORSE: (0.0, 1.0),
    Judgement.Verdict.EQUAL: (0.5, 0.5),
    Judgement.Verdict.BETTER: (1.0, 0.0),
}
EVERYBODY = ""


def votes_of(scope: str) -> QuerySet[Feedback]:
    """Votes that count, newest first: on requests that are known here."""
    votes = Feedback.objects.exclude(request_id="").order_by("-id")
    return votes if scope == EVERYBODY else votes.filter(scope=scope)


def newest_vote(scope: str) -> int:
    return votes_of(scope).aggregate(newest=Max("id"))["newest"] or 0


def pairs_of(scope: str) -> QuerySet[Judgement]:
    """Comparisons of two tiers' answers to one request, newest first."""
    pairs = Judgement.objects.order_by("-id")
    return pairs if scope == EVERYBODY else pairs.filter(scope=scope)


def newest_pair(scope: str) -> int:
    return pairs_of(scope).aggregate(newest=Max("id"))["newest"] or 0


def evidence_of(scope: str, most: int) -> list[Evidence]:
    """What the newest votes and comparisons say; votes without a lesson say nothing.

    Besides, and with little trust, what answers looked like that nobody judged.
    """
    by_scope: dict[str, list[Evidence]] = defaultdict(list)
    judged: set[str] = set()
    for vote, lesson in with_lessons(list(votes_of(scope)[:most])):
        if (found := evidence(vote, lesson)) is not None:
            by_scope[vote.scope].append(found)
            judged.add(vote.request_id)
    for pair in pairs_of(scope)[:most]:
        if (found := compared(pair)) is not None:
            by_scope[pair.scope].append(found)
            judged.add(pair.request_id)
    for name, told in by_scope.items():
        told += unjudged(name, judged, len(told))
    return [each for told in balanced(by_scope) for each in told]


def unjudged(scope: str, judged: set[str], most: int) -> list[Evidence]:
    """As many doubted answers as undoubted ones, which together say what is doubted."""
    newest = Lesson.objects.filter(scope=scope).order_by("-id")
    doubted = take(newest.exclude(doubt=""), judged, most // 2)
    quiet = take(newest.filter(doubt=""), judged, len(doubted))
    rows = [(lesson, 0.0) for lesson in doubted] + [(lesson, 1.0) for lesson in quiet]
    found = [seen(lesson, Judged(quality, SEEN_TRUST)) for lesson, quality in rows]
    return [each for each in found if each is not None]


def take(lessons: QuerySet[Lesson], judged: set[str], most: int) -> list[Lesson]:
    kept = lessons[: most + len(judged)] if most else ()
    return [lesson for lesson in kept if lesson.request_id not in judged][:most]


def compared(pair: Judgement) -> Evidence | None:
    try:
        row = Row.unpack(bytes(pair.row))
        cheap, dear = VERDICTS[Judgement.Verdict(pair.verdict)]
    except ValueError:
        return None
    judged = {pair.cheap_tier: Judged(cheap), pair.baseline_tier: Judged(dear)}
    return Evidence(row, pair.baseline_tier, 1.0, float(pair.score or 0), judged)


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
    found = seen(lesson, Judged(min(max(vote.quality, 0.0), 1.0)))
    return found and replace(found, heuristic=vote.score * 100)


def seen(lesson: Lesson, judgement: Judged) -> Evidence | None:
    """None: of an earlier version of the features."""
    try:
        row = Row.unpack(bytes(lesson.row))
    except ValueError:
        return None
    if not 0 < lesson.chance <= 1:
        return None
    return Evidence(row, lesson.tier, lesson.chance, 0.0, {lesson.tier: judgement})


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
