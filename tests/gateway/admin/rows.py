"""Rows of the request log."""

from gateway.models import RequestLog
from tests.log_rows import log_row


def request_row(number: int, **fields) -> RequestLog:
    return log_row(f"req_{number:04}", **{"scope": "key:1"} | fields)
