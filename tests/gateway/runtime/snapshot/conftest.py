"""Two tiers, one backend."""

import pytest

from routing.models import Backend, Tier


@pytest.fixture(autouse=True)
def two_tiers():
    small = Tier.objects.create(rank=1, name="small", max_score=40)
    Tier.objects.create(rank=2, name="large")
    Backend.objects.create(name="local", tier=small, provider="ollama", model="llama")
