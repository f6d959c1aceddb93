"""OpenAI's own SDK as the client."""

from collections.abc import Callable

from openai import AsyncOpenAI

from tests.harness import Gateway

MakeClient = Callable[..., AsyncOpenAI]


def client_at(url: str, key: str = "any") -> AsyncOpenAI:
    return AsyncOpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)


def client_of(gateway: Gateway) -> AsyncOpenAI:
    return client_at(gateway.url)


def says(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]
