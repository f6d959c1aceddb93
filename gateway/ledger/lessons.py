"""What requests looked like, moved from the journal into rows to learn from."""

import binascii
from base64 import b64decode
from collections.abc import Sequence
from datetime import datetime

from gateway.ledger.table import text
from routing.chat import Json
from routing.models import Lesson

ID_CHARS, SCOPE_CHARS, DOUBT_CHARS = 64, 160, 200
SAID = ("router", "gain", "shadow", "shadow_tier", "shadow_gain")


def keep_lessons(requests: Sequence[Json]) -> None:
    """Store the lessons of these requests; what can't be read teaches nothing."""
    found = [_lesson(r) for r in requests if r.get("lesson")]
    Lesson.objects.bulk_create([x for x in found if x], ignore_conflicts=True)
    for request in requests:
        if doubted := request.get("doubted"):
            earlier, reason = map(text, doubted)
            lessons = Lesson.objects.filter(request_id=earlier, doubt="")
            lessons.filter(scope=text(request["scope"])).update(
                doubt=reason[:DOUBT_CHARS]
            )


def _lesson(request: Json) -> Lesson | None:
    lesson = request["lesson"]
    try:
        return Lesson(
            request_id=text(request["request_id"])[:ID_CHARS],
            at=datetime.fromisoformat(request["at"]),
            scope=text(request["scope"])[:SCOPE_CHARS],
            tier=int(lesson["tier"]),
            chance=float(lesson["chance"]),
            tokens=int(lesson["tokens"]),
            row=b64decode(lesson["row"], validate=True),
            doubt=text(lesson.get("doubt", ""))[:DOUBT_CHARS],
            **{name: lesson.get(name) for name in SAID},
        )
    except (KeyError, TypeError, ValueError, binascii.Error):
        return None
