"""`POST /v1/feedback`: stored and scoped; by request id it counts in full."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from gateway import aliases
from gateway.api.written import soon_written
from gateway.errors import BadRequest, Conflict, NotFound
from gateway.ledger import acceptance
from gateway.models import RequestLog, StoredAnswer
from gateway.runtime.complaints import BAD_QUALITY, origin_of
from gateway.runtime.database import in_database
from routing import trails
from routing.chat import Json
from routing.models import Feedback, RoutingPolicy, Tier

# Without a request id nobody can check what the numbers are about.
UNCHECKED_WEIGHT = 0.1
THUMBS = {"up": 1.0, "down": 0.0}


async def store(body: Json, scope: str) -> tuple[Json, str]:
    """Store one vote; also the request whose answer was bad, "" when none was.

    Raises 400, 404 for another's request, 409 for a second vote.
    """
    if "request_id" in body:
        quality = judged(body)
        request_id = body["request_id"]
        if not isinstance(request_id, str) or not 1 <= len(request_id) <= 64:
            raise BadRequest("request_id must be a string.", param="request_id")
        stored_for = None
        if "\x00" not in request_id:  # PostgreSQL would refuse the question
            stored_for = await soon_written(
                _store_by_request, request_id, quality, scope
            )
        if stored_for is None:
            raise NotFound(
                "There is no such request here, or it has not ended yet.",
                param="request_id",
                code="request_not_found",
            )
        return stored_for
    if not body.keys() & {"score", "tier"}:
        raise BadRequest(
            "Name the answer by its request_id, or tell its score and tier.",
            param="request_id",
        )
    quality = number(body, "quality", 0.0, 1.0)
    score = number(body, "score", 0.0, 1.0)
    tier = number(body, "tier", 1, 9999)
    if tier != int(tier):
        raise BadRequest("tier must be a whole number.", param="tier")
    stored = await in_database(_store_unchecked, scope, score, int(tier), quality)
    return stored, ""


def judged(body: Json) -> float:
    """The quality, whether told as a number, by a thumb or by a better answer."""
    thumb, correction = body.get("thumb"), body.get("correction")
    if correction is not None and not (isinstance(correction, str) and correction):
        raise BadRequest("correction must be a text.", param="correction")
    if thumb is not None:
        if not isinstance(thumb, str) or thumb not in THUMBS:
            raise BadRequest('thumb must be "up" or "down".', param="thumb")
        if "quality" in body:
            raise BadRequest("Give a quality or a thumb, not both.", param="thumb")
        return THUMBS[thumb]
    if correction is not None and "quality" not in body:
        return 0.0
    return number(body, "quality", 0.0, 1.0)


def number(body: Json, name: str, low: float, high: float) -> float:
    value: Any = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequest(f"{name} must be a number.", param=name)
    if not low <= value <= high:
        raise BadRequest(f"{name} must lie between {low} and {high}.", param=name)
    return value


def _store_unchecked(scope: str, score: float, tier: int, quality: float) -> Json:
    ranks = sorted(Tier.objects.values_list("rank", flat=True))
    if tier not in ranks:
        told = ", ".join(map(str, ranks)) or "none"
        raise BadRequest(
            f"There is no tier {tier} here; there is: {told}.", param="tier"
        )
    return _store(scope, "", score, tier, quality, UNCHECKED_WEIGHT)


def _store_by_request(
    request_id: str, quality: float, scope: str
) -> tuple[Json, str] | None:
    row = RequestLog.objects.filter(request_id=request_id, scope=scope).first()
    if row is None:
        return None
    score, tier = (row.score or 0) / 100, row.tier or 1
    stored = _store(scope, request_id, score, tier, quality, 1.0)
    today = timezone.now().date()
    trails.reinforce(request_id, scope, tier, row.backend, quality, today)
    if quality >= BAD_QUALITY:
        return stored, ""
    acceptance.note(request_id, scope, "bad_feedback")
    origin = origin_of(row)
    StoredAnswer.objects.filter(scope=scope, request_id=origin).delete()
    if wording := alias_of(row):
        aliases.refuse(scope, wording, f"feedback on {request_id}"[:64])
    return stored, origin


def alias_of(row: RequestLog) -> str:
    """The wording by which a learned alias led to this request's answer, or ""."""
    if row.cache_level != "alias":
        return ""
    said = [each for each in row.decisions if isinstance(each, dict)]
    return next((str(each["wording"]) for each in said if "wording" in each), "")


def _store(
    scope: str, request_id: str, score: float, tier: int, quality: float, weight: float
) -> Json:
    try:
        with transaction.atomic():
            Feedback.objects.create(
                scope=scope,
                request_id=request_id,
                score=score,
                tier=tier,
                quality=quality,
                weight=weight,
            )
    except IntegrityError:
        raise Conflict(
            "This request has its feedback already.", param="request_id"
        ) from None
    keep_newest(scope)
    return {"status": "stored", "score": score, "tier": tier, "quality": quality}


def keep_newest(scope: str) -> None:
    """Forget the oldest votes of a scope beyond the policy's `max_feedback`."""
    votes = Feedback.objects.filter(scope=scope).order_by("-id")
    limit = RoutingPolicy.load().max_feedback
    for oldest in votes.values_list("id", flat=True)[limit : limit + 1]:
        votes.filter(id__lte=oldest).delete()
