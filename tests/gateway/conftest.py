"""What the tests of several endpoints share."""

from collections.abc import AsyncIterator

import pytest
from django.utils import timezone
from openai import AsyncOpenAI

from routing.models import Backend, Price, RoutingPolicy, Tier
from tests.gateway.sdk import MakeClient, client_at


@pytest.fixture
async def sdk() -> AsyncIterator[MakeClient]:
    """Makes OpenAI clients, and closes them at the end."""
    made: list[AsyncOpenAI] = []

    def make(url: str, key: str = "any") -> AsyncOpenAI:
        made.append(client_at(url, key))
        return made[-1]

    yield make
    for client in made:
        await client.close()


@pytest.fixture
def three_tiers() -> None:
    """Rows of three tiers, with a backend and a price each."""
    RoutingPolicy.load()
    for rank, border, price in ((1, 30, 1), (2, 70, 3), (3, None, 15)):
        tier = Tier.objects.create(rank=rank, name=f"t{rank}", max_score=border)
        backend = Backend.objects.create(
            name=f"b{rank}", tier=tier, provider="ollama", model="m"
        )
        nano = price * 10**9
        Price.objects.create(
            backend=backend,
            effective_from=timezone.now(),
            **{"input": nano, "output": 5 * nano, "cache_read": 0, "cache_write": 0},
        )
