"""A tier with one backend, whose key is stored."""

import pytest

from routing.fields import encrypt
from routing.models import Backend, Tier


@pytest.fixture
def tier():
    return Tier.objects.create(rank=1, name="small", max_score=30)


@pytest.fixture
def backend(tier):
    return Backend.objects.create(
        name="haiku",
        tier=tier,
        provider="anthropic",
        model="claude-haiku",
        api_key_value=encrypt("sk-old"),
    )
