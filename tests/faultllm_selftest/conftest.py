"""An upstream for each test, which must not have failed in itself."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faultllm import FaultLLM


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


@pytest.fixture
async def upstream(
    journal: Path, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[FaultLLM]:
    async with FaultLLM(journal=journal) as server:
        yield server
    assert caplog.get_records("call") == []
