"""The cache browser's page, in the process of a gateway with one backend."""

from contextlib import asynccontextmanager
from pathlib import Path

from django.test import AsyncClient

from gateway.asgi.context import RUNTIME
from tests.faultllm import FaultLLM
from tests.harness import Gateway, ask, one_backend, serving

URL = "/admin/gateway/cacheentry/"
QUESTION = "What is the capital of France?"


class Browser(AsyncClient):
    """Speaks to Django in the gateway's process, as its own server does."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__()
        self._runtime = gateway.runtime

    def _base_scope(self, **request: object) -> dict[str, object]:
        return {**super()._base_scope(**request), RUNTIME: self._runtime}


@asynccontextmanager
async def browsing(upstream: FaultLLM, folder: Path, user, **policy: object):
    """A gateway, and its administrator's browser."""
    catalog = one_backend(upstream.url, **policy)
    async with serving(catalog, folder) as gateway:
        client = Browser(gateway)
        await client.aforce_login(user)
        yield gateway, client


async def page(client: AsyncClient, query: str = "") -> str:
    response = await client.get(URL + query)
    assert response.status_code == 200
    return response.content.decode()


async def post(client: AsyncClient, **data: object) -> str:
    response = await client.post(URL, data, follow=True)
    assert response.status_code == 200
    return response.content.decode()


async def stored_id(gateway: Gateway, text: str) -> str:
    return (await ask(gateway, text)).headers["x-request-id"]
