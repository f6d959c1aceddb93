"""The one-time link by which the first administrator is made."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.urls import reverse

from gateway.models import SetupToken


def first_time_link(base_url: str) -> str | None:
    """A new link to print once, or None when there is an administrator already."""
    if has_administrator():
        return None
    token = SetupToken.issue()
    return base_url.rstrip("/") + reverse("setup_link", args=(token,))


def has_administrator() -> bool:
    return User.objects.filter(is_superuser=True, is_active=True).exists()


def is_valid(digest: str, now: datetime) -> bool:
    """Looked up by digest, so no comparison tells a guess how near it was."""
    return not has_administrator() and valid_tokens(digest, now).exists()


def use_up(digest: str, now: datetime) -> bool:
    """Spend the token. Of two who try at once, one is told True."""
    deleted, _ = valid_tokens(digest, now).delete()
    return deleted == 1


def valid_tokens(digest: str, now: datetime) -> QuerySet[SetupToken]:
    return SetupToken.objects.filter(digest=digest, expires_at__gt=now)
