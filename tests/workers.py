"""Several gateways in one event loop that share state, as workers do."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from gateway.shared.state import SharedState
from routing.catalog import Catalog
from tests.harness import Gateway, serving

State = Callable[[], SharedState]


@asynccontextmanager
async def workers(
    catalog: Catalog, folder: Path, state: State, count: int = 2, **options: object
) -> AsyncIterator[list[Gateway]]:
    """`state()` gives each worker its own way to the one shared state."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                serving(catalog, folder / f"{n}", state=state(), **options)
            )
            for n in range(count)
        ]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


def readers(gateway: Gateway) -> int:
    """Who reads its only call: clients, and one for all other workers together."""
    (call,) = gateway.runtime.inflight.calls
    return len(call.readers)
