"""The command `calibrate`, as its tests call it."""

from io import StringIO

from django.core.management import call_command


def calibrate(*options: str) -> str:
    out = StringIO()
    call_command("calibrate", *options, stdout=out)
    return out.getvalue()
