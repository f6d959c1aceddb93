"""Negative feedback, heard by every worker: the answer it is about is not given again.

The worker that takes the feedback forgets the answer at once; the others read of it
here within a second.
"""

from collections.abc import Callable

from django.db.models import Max

from gateway.models import RequestLog
from routing.models import Feedback

# Feedback below this says that an answer was bad.
BAD_QUALITY = 0.5
AT_ONCE = 200


class Complaints:
    """`look()` runs in a thread of the refresher's; `forget` is told scope and id."""

    def __init__(self, forget: Callable[[str, str], None]) -> None:
        self._forget = forget
        self._seen: int | None = None

    def look(self) -> None:
        if self._seen is None:
            newest = Feedback.objects.aggregate(newest=Max("pk"))["newest"]
            self._seen = newest or 0
            return
        rows = Feedback.objects.filter(pk__gt=self._seen).order_by("pk")[:AT_ONCE]
        votes = list(rows.values_list("pk", "request_id", "quality"))
        if not votes:
            return
        bad = [id_ for _, id_, quality in votes if id_ and quality < BAD_QUALITY]
        for row in RequestLog.objects.filter(request_id__in=bad):
            self._forget(row.scope, origin_of(row))
        self._seen = votes[-1][0]


def origin_of(row: RequestLog) -> str:
    """The request whose answer this one got."""
    return row.answered_by or row.request_id
