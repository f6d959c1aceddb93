"""What an operator should know about the rows as they are now."""

from collections.abc import Mapping
from datetime import datetime

from django.db.models import Exists, OuterRef

from routing.fields import UndecryptableError, decrypt
from routing.models import Backend, Price, Tier
from routing.models.addresses import forbidden
from routing.providers import PROVIDERS
from routing.secret import Secret


def provider_key(backend: Backend, environ: Mapping[str, str]) -> tuple[Secret, str]:
    """The key of a backend, and in a sentence why there is none where one is needed."""
    if backend.api_key_env:
        value = environ.get(backend.api_key_env, "")
        missing = f"The environment variable {backend.api_key_env} is not set."
        return Secret(value), "" if value else missing
    if backend.api_key_value:
        try:
            return Secret(decrypt(backend.api_key_value)), ""
        except UndecryptableError as error:
            return Secret(), str(error)
    if PROVIDERS[backend.provider].needs_key:
        return Secret(), f"{backend.provider} needs an API key."
    return Secret(), ""


def misconfiguration(backend: Backend, environ: Mapping[str, str]) -> str:
    """Why this backend is misconfigured, or nothing."""
    if backend.provider not in PROVIDERS:  # by raw SQL; the page must still open
        return f"There is no provider {backend.provider!r}."
    return address_problem(backend) or provider_key(backend, environ)[1]


def address_problem(backend: Backend) -> str:
    """Why its address can't be connected to, as far as it tells by itself."""
    reason = forbidden(backend.base_url)
    return f"The gateway never connects to its address: {reason}." if reason else ""


def price_in_effect(backend: Backend, now: datetime) -> Price | None:
    """Read from `backend.prices.all()`, so that a list can prefetch them."""
    return max(
        (price for price in backend.prices.all() if price.effective_from <= now),
        key=lambda price: price.effective_from,
        default=None,
    )


def tiers_without_backend() -> list[Tier]:
    """Tiers of which no backend is enabled."""
    enabled = Backend.objects.filter(tier=OuterRef("pk"), state=Backend.State.ENABLED)
    return list(Tier.objects.filter(~Exists(enabled)))
