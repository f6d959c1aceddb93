from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from tests.faultllm import FaultLLM
from tests.gateway.messages.asking import one
from tests.harness import Gateway, serving


@pytest.fixture
async def gateway(upstream: FaultLLM, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with serving(one(upstream.url, "anthropic"), tmp_path) as running:
        yield running


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(
        base_url=gateway.url, api_key="any", max_retries=0
    ) as made:
        yield made


@pytest.fixture
async def openai_client(gateway: Gateway) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(
        base_url=f"{gateway.url}/v1", api_key="any", max_retries=0
    ) as made:
        yield made
