"""Rows of the request log that tell of a cascade."""

from tests.log_rows import log_row


def log(number, score, tier, cost, latency, decisions, **other):
    fields = {
        "attempts": 1,
        "score": score,
        "tier": tier,
        "cost_nano": cost,
        "latency_ms": latency,
        "decisions": decisions,
    }
    log_row(f"r{number}", **(fields | other)).save()
