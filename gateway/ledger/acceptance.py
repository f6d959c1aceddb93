"""Which answers of a measured group were not accepted. Each counts once, whatever was
heard of it first."""

from typing import Literal

from django.db import transaction

from gateway.ledger.measured_days import add_to_day
from gateway.models import RequestLog

Sign = Literal["asked_again", "bad_feedback"]


def note(request_id: str, scope: str, sign: Sign) -> None:
    """The answer to this request was not what somebody wanted."""
    answered = RequestLog.objects.filter(
        request_id=request_id, scope=scope, status=200, unaccepted=False
    ).exclude(arm="")
    with transaction.atomic():
        row = answered.values("at", "arm").first()
        # Of two that are heard at once, the second finds nothing to change.
        if row and answered.update(unaccepted=True):
            add_to_day(row["at"], scope, row["arm"], **{sign: 1})
