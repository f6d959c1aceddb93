"""Rows of the request log."""

from django.utils import timezone

from gateway.models import RequestLog


def request_row(number: int, **fields) -> RequestLog:
    return RequestLog(
        request_id=f"req_{number:04}",
        at=timezone.now(),
        scope="key:1",
        endpoint="chat",
        dialect="openai",
        model_asked="auto",
        status=200,
        outcome="answered",
        cache="MISS",
        **fields,
    )
