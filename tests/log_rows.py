"""Rows of the request log, as they are written of a chat that a backend answered."""

from django.utils import timezone

from gateway.models import RequestLog


def log_row(request_id: str, **fields: object) -> RequestLog:
    """Unsaved; `fields` are what is another in it, or more."""
    given = {
        "request_id": request_id,
        "at": timezone.now(),
        "scope": "local",
        "endpoint": "chat.completions",
        "dialect": "openai",
        "model_asked": "auto",
        "status": 200,
        "outcome": "ok",
        "cache": "MISS",
    }
    return RequestLog(**(given | fields))
