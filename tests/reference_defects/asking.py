"""Keys, and requests that are under way together."""

import asyncio

from gateway.ledger.books import Caller
from tests.faultllm import FaultLLM
from tests.harness import Gateway, Reply, ask

KEYS = {
    "one": Caller(scope="key:1", key_name="one", key_id=1),
    "two": Caller(scope="key:2", key_name="two", key_id=2),
}


async def at_once(
    gateway: Gateway, upstream: FaultLLM, bodies: list[dict], calls: int
) -> list[Reply]:
    """These requests, all under way before the provider answers its `calls`."""
    asked = []
    for body in bodies:
        asked.append(asyncio.create_task(ask(gateway, **body)))
        await gateway.called(len(asked))
    await upstream.until(lambda: upstream.holding == calls)
    upstream.release()
    return await asyncio.gather(*asked)
