"""What the first pages tell to write with an SDK works as it stands there."""

import asyncio
import re
from pathlib import Path

import pytest

from routing.catalog import Catalog
from tests import ROOT
from tests.faultllm import FaultLLM
from tests.harness import TIERS, backend, serving

HERE = "http://127.0.0.1:8080"
SNIPPET = re.compile(r"```python\n(.*?)```", re.DOTALL)


def snippets(page: str) -> list[str]:
    """Those that make a client of their own."""
    found = SNIPPET.findall((ROOT / page).read_text())
    return [code for code in found if "base_url" in code]


@pytest.mark.parametrize(
    "page", ["README.md", "docs/getting-started.md", "docs/dialects.md"]
)
async def test_the_python_of_a_page_runs_in_open_mode(
    upstream: FaultLLM, tmp_path: Path, monkeypatch, page: str
):
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    codes = snippets(page)
    only = backend("claude-sonnet-4-6", 1, upstream.url)
    async with serving(Catalog(TIERS[:1], (only,)), tmp_path) as gateway:
        for code in codes:
            assert HERE in code
            told = compile(code.replace(HERE, gateway.url), page, "exec")
            await asyncio.to_thread(exec, told, {})

    assert codes
    assert len(upstream.attempts) == len({*codes})
