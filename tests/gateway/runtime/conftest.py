"""One backend with a price, and what reads it again."""

from datetime import UTC, datetime

import pytest

from gateway.runtime.refresher import Refresher
from gateway.runtime.snapshot import build, utc_now
from routing.models import Backend, ModelAlias, RoutingPolicy, Tier
from tests.gateway.runtime.refreshing import Listener, add_price


@pytest.fixture
def backend():
    small = Tier.objects.create(rank=1, name="small", max_score=40)
    Tier.objects.create(rank=2, name="large")
    backend = Backend.objects.create(
        name="local", tier=small, provider="ollama", model="llama"
    )
    add_price(backend, datetime(2020, 1, 1, tzinfo=UTC), input=1)
    ModelAlias.objects.create(pattern="gpt-*", tier=small)
    RoutingPolicy.load()
    return backend


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
def refresher(backend, listener):
    return Refresher(build(utc_now()), listener)
