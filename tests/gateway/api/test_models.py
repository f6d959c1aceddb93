"""`GET /v1/models` for both SDKs."""

from collections.abc import AsyncIterator
from pathlib import Path

import anthropic
import openai
import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from tests.harness import Gateway, serving, three_tiers

NAMES = ["auto", "tier-1", "tier-2", "tier-3", "small", "medium", "large"]


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with serving(three_tiers("http://127.0.0.1:9"), tmp_path) as running:
        yield running


async def test_openais_list(gateway: Gateway):
    async with AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="x") as client:
        models = [model async for model in client.models.list()]
        one = await client.models.retrieve("small")
        with pytest.raises(openai.NotFoundError) as error:
            await client.models.retrieve("gpt-9")

    assert [model.id for model in models] == NAMES
    assert (one.object, one.owned_by) == ("model", "openai-compatible")
    assert error.value.code == "model_not_found"


async def test_anthropics_list(gateway: Gateway):
    async with AsyncAnthropic(base_url=gateway.url, api_key="x") as client:
        models = [model async for model in client.models.list()]
        one = await client.models.retrieve("small")
        with pytest.raises(anthropic.NotFoundError) as error:
            await client.models.retrieve("gpt-9")

    assert [model.id for model in models] == NAMES
    assert (one.type, one.display_name, one.lifecycle) == ("model", "small", "active")
    assert one.created_at.year == 1970
    assert error.value.error_code == "model_not_found"


async def test_anthropics_pages_lead_through_the_whole_list(gateway: Gateway):
    async with AsyncAnthropic(base_url=gateway.url, api_key="x") as client:
        paged = [model.id async for model in client.models.list(limit=2)]
        page = await client.models.list(limit=2)
        back = await client.models.list(limit=2, before_id="small")
        last = await client.models.list(after_id="large")
        for wrong in ({"limit": 0}, {"limit": 1001}, {"after_id": "gpt-9"}):
            with pytest.raises(anthropic.BadRequestError):
                await client.models.list(**wrong)

    assert paged == NAMES
    assert (page.has_more, page.first_id, page.last_id) == (True, "auto", "tier-1")
    assert [model.id for model in back.data] == ["tier-2", "tier-3"]
    assert back.has_more
    assert (last.data, last.has_more, last.last_id) == ([], False, None)
