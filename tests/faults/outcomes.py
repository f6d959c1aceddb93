"""What a client must see when a provider misbehaves, in a few words."""

from pathlib import Path

from routing.catalog import Catalog
from tests.harness import (
    Reply,
    ask,
    backend,
    one_backend,
    serving,
    three_tiers,
)

QUICK = {
    "connect_timeout_seconds": 0.3,
    "first_byte_timeout_seconds": 0.3,
    "write_timeout_seconds": 0.3,
    "max_attempts": 2,
}


def two_backends(
    first: str, second: str, first_model: str, **policy: object
) -> Catalog:
    """Two in one tier; the first is cheaper, so it is asked first."""
    one = one_backend(first, first_model, **policy)
    spare = backend("spare", 1, second, price=three_tiers(second).backends[1].price)
    return Catalog(one.tiers, (*one.backends, spare), policy=one.policy)


async def once(
    catalog: Catalog, journal: Path, stream: bool = False
) -> tuple[Reply, list[dict]]:
    """One request, and the attempts the books have of it."""
    async with serving(catalog, journal) as gateway:
        reply = await ask(gateway, stream=stream)
        await gateway.settled()
        return reply, gateway.records("attempt")


def assert_is_error(reply: Reply, status: int, code: str) -> None:
    """I5: JSON in OpenAI's shape, a request id, Retry-After where it belongs."""
    assert (reply.status, reply.error["code"]) == (status, code)
    assert set(reply.json) == {"error"}
    assert set(reply.error) == {"message", "type", "param", "code"}
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["x-request-id"]
    if status in (429, 503):
        assert 1 <= int(reply.headers["retry-after"]) <= 120


def assert_ended_badly(reply: Reply) -> None:
    """I6: an error event and no `[DONE]`: truncation never looks like success."""
    assert reply.status == 200
    assert "[DONE]" not in reply.text
    assert reply.error["code"]
    assert '"finish_reason":"stop"' not in reply.text
