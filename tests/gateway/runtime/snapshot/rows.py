"""Rows to be read, and the reading of them."""

from datetime import UTC, datetime

import pytest
from django.db import connection

from gateway.runtime.checks import InvalidConfiguration
from gateway.runtime.snapshot import build
from routing.models import (
    Backend,
    Price,
    Tier,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CANARY = "sk-canary-0123456789"


def sql(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def read(**environ):
    return build(NOW, environ)


def refusal():
    with pytest.raises(InvalidConfiguration) as error:
        read()
    return str(error.value)


def add_backend(name="cloud", **fields):
    tier = Tier.objects.get(rank=2)
    fields = {"provider": "anthropic", "model": "claude", **fields}
    return Backend.objects.create(name=name, tier=tier, **fields)


def add_price(backend, effective_from, **amounts):
    amounts = {"input": 1, "output": 2, "cache_read": 3, "cache_write": 4, **amounts}
    return Price.objects.create(
        backend=backend, effective_from=effective_from, **amounts
    )
