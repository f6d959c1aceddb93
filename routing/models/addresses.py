"""What every address an operator types must be."""

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import models


def clean_url(row: models.Model, field: str) -> None:
    """Refuse what is not an absolute http(s) address without credentials in it."""
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
