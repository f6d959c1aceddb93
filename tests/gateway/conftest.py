"""What the tests of several endpoints share."""

from collections.abc import AsyncIterator

import pytest
from openai import AsyncOpenAI

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
