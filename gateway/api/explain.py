"""`GET /v1/requests/{id}`: what happened to a request and why, from the log."""

from typing import Any

from django.forms.models import model_to_dict

from gateway.alternatives import alternatives
from gateway.api.written import soon_written
from gateway.errors import NotFound
from gateway.ledger.books import Caller
from gateway.models import Attempt, RequestLog
from gateway.story import contents_of, cost_json, who_asked, why_not_cheaper
from routing.chat import Json
from routing.pricing import nano_to_usd


async def explain(request_id: str, caller: Caller) -> Json:
    """The story of a request of this scope. Raises 404 for any other."""
    found = await soon_written(_read, request_id, caller)
    if found is None:
        raise NotFound(
            "There is no such request here, or it has not ended yet.",
            code="request_not_found",
        )
    return found


def _read(request_id: str, caller: Caller) -> Json | None:
    rows = RequestLog.objects.filter(request_id=request_id, scope=caller.scope)
    row = rows.first()
    if row is None:
        return None
    attempts = Attempt.objects.filter(request_id=request_id).order_by("number")
    return {
        **_columns(row, leave_out=("id", "decisions", "cost_nano", "saved_nano")),
        "cost_usd": nano_to_usd(row.cost_nano),
        "saved_usd": nano_to_usd(row.saved_nano),
        "cost_nano_usd": row.cost_nano,
        "saved_nano_usd": row.saved_nano,
        "unpriced": any(
            each.price is None and each.state != "free" for each in attempts
        ),
        "who": who_asked(row),
        "contents": contents_of(request_id),
        "decisions": row.decisions,
        "why_not_cheaper": why_not_cheaper(row),
        "candidates": [each.to_json() for each in alternatives(row, caller.models)],
        "attempts": [
            {
                **_columns(attempt, leave_out=("id", "request_id", "scope")),
                "cost_lines": cost_json(attempt),
            }
            for attempt in attempts
        ],
    }


def _columns(row: RequestLog | Attempt, leave_out: tuple[str, ...]) -> dict[str, Any]:
    columns = {"at": row.at.isoformat(), **model_to_dict(row)}
    return {name: v for name, v in columns.items() if name not in leave_out}
