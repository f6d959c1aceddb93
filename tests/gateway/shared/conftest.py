"""Both kinds of shared state: the dictionary of the tests, and a real Redis."""

from collections.abc import AsyncIterator

import pytest

from gateway.shared.state import SharedState
from tests.workers import State


@pytest.fixture
async def state(ways: State) -> AsyncIterator[SharedState]:
    made = ways()
    yield made
    await made.close()
