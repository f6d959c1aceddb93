"""Journal records as the pipeline writes them, and the rows that must come of them."""

from django.db.models import Sum

from gateway.ledger.store import TOTALS
from gateway.models import Attempt, RequestLog, UsageTotal
from routing.chat import Json

NOON = "2026-03-01T12:00:00+00:00"


def intent(request_id: str = "req", number: int = 1, **fields: object) -> Json:
    return {
        "t": "intent",
        "attempt_id": f"{request_id}-{number}",
        "request_id": request_id,
        "at": NOON,
        "number": number,
        "scope": "team:a",
        "key_name": "laptop",
        "team": "a",
        "endpoint": "chat.completions",
        "dialect": "openai",
        "stream": False,
        "model_asked": "auto",
        "score": 12,
        "backend": "haiku",
        "provider": "anthropic",
        "model": "claude-haiku",
        "tier": 1,
        "price": {"input": 1, "output": 2, "cache_read": 3, "cache_write": 4},
        "prompt_tokens": 50,
        "cost_nano": 500,
        **fields,
    }


def attempt(request_id: str = "req", number: int = 1, **fields: object) -> Json:
    return {
        **intent(request_id, number),
        "t": "attempt",
        "state": "billed",
        "status": 200,
        "error_code": "",
        "prompt_tokens": 40,
        "completion_tokens": 7,
        "cached_tokens": 3,
        "cache_write_tokens": 2,
        "reasoning_tokens": 1,
        "cost_nano": 400,
        "latency_ms": 12.5,
        "first_byte_ms": None,
        "late": False,
        **fields,
    }


def request(request_id: str = "req", **fields: object) -> Json:
    return {
        "t": "request",
        "request_id": request_id,
        "at": NOON,
        "scope": "team:a",
        "key_name": "laptop",
        "team": "a",
        "endpoint": "chat.completions",
        "dialect": "openai",
        "stream": False,
        "model_asked": "auto",
        "status": 200,
        "outcome": "ok",
        "error_code": "",
        "cache": "MISS",
        "cache_level": "",
        "answered_by": "",
        "score": 12,
        "tier": 1,
        "backend": "haiku",
        "model_served": "claude-haiku",
        "prompt_tokens": 40,
        "completion_tokens": 7,
        "cached_tokens": 3,
        "reasoning_tokens": 1,
        "estimated": False,
        "cost_nano": 400,
        "saved_nano": 600,
        "latency_ms": 13.5,
        "first_byte_ms": None,
        "overhead_ms": 1.0,
        "attempts": 1,
        "tags": ["nightly"],
        "decisions": [{"step": "tier", "text": "Tier 1 is enough."}],
        **fields,
    }


def rows() -> Json:
    """What the three tables hold, without their row numbers."""
    tables = {"requests": RequestLog, "attempts": Attempt, "totals": UsageTotal}
    return {
        name: sorted(
            (
                {k: v for k, v in row.items() if k != "id"}
                for row in model.objects.values()
            ),
            key=repr,
        )
        for name, model in tables.items()
    }


def totals() -> Json:
    """The sums over all kinds."""
    return UsageTotal.objects.aggregate(
        **{name: Sum(name, default=0) for name in TOTALS}
    )


def sums_of_rows() -> Json:
    """The same sums, counted from the rows themselves."""
    requests = RequestLog.objects.all()
    return {
        "requests": requests.count(),
        "errors": requests.filter(status__gte=400).exclude(status=499).count(),
        "prompt_tokens": sum(requests.values_list("prompt_tokens", flat=True)),
        "completion_tokens": sum(requests.values_list("completion_tokens", flat=True)),
        "spent_nano": sum(Attempt.objects.values_list("cost_nano", flat=True)),
        "saved_nano": sum(requests.values_list("saved_nano", flat=True)),
    }


def complete(request_id: str) -> tuple[Json, Json, Json]:
    """A request with its one attempt, from the intent on."""
    return intent(request_id), attempt(request_id), request(request_id)
