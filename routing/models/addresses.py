"""What every address an operator types must be."""

from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from routing.addresses import refusal_of_host


class ForbiddenUrl(ValidationError):
    """The gateway would never connect there. Nobody may enter it; a row that has it
    serves nothing, and keeps no other from serving."""


def clean_url(row: models.Model, field: str) -> None:
    """Refuse what is not an absolute http(s) address without credentials in it.

    Comes last in a row's `clean`: what raises ForbiddenUrl is right in all else.
    """
    value = getattr(row, field)
    if not value:
        return
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise ValidationError({field: f"Not an address: {error}."}) from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValidationError(
            {field: "Give an absolute address such as https://api.example.com/v1."}
        )
    if parts.username or parts.password:
        raise ValidationError({field: "Credentials belong in the API key, not here."})
    if parts.query or parts.fragment or any(c <= " " for c in value):
        raise ValidationError({field: "No query, fragment or spaces in an address."})
    if reason := forbidden(value):
        raise ForbiddenUrl({field: f"The gateway never connects there: {reason}."})


def forbidden(url: str) -> str:
    """Why the gateway never connects to a written-out address, or nothing."""
    allow_private = settings.PRIVATE_UPSTREAMS == "allow"
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:  # by raw SQL, and refused for that; the page must still open
        return ""
    return refusal_of_host(host, allow_private=allow_private)
