"""Rows of the request log that tell of a cascade."""

from django.utils import timezone

from gateway.models import RequestLog


def log(number, score, tier, cost, latency, decisions, **other):
    fields = {
        "request_id": f"r{number}",
        "at": timezone.now(),
        "scope": "local",
        "endpoint": "chat.completions",
        "dialect": "openai",
        "model_asked": "auto",
        "status": 200,
        "outcome": "ok",
        "cache": "MISS",
        "attempts": 1,
        "score": score,
        "tier": tier,
        "cost_nano": cost,
        "latency_ms": latency,
        "decisions": decisions,
    }
    RequestLog.objects.create(**(fields | other))
