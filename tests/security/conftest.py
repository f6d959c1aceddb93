"""One running instance with the keys of two teams, shared by the tests here."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.faultllm import ThreadedFaultLLM
from tests.instance import Instance

STORED_KEY = "sk-canary-of-the-stored-provider-key"
STORED = """
  - {{name: stored, provider: openai-compatible, model: stored, base_url: "{url}",
     api_key: {key}, cost_per_1k_in: 0.001, cost_per_1k_out: 0.005, tier: 1}}
"""


@dataclass
class TwoTenants:
    """A running instance; `red` and `blue` are the keys of two teams."""

    instance: Instance
    upstream: ThreadedFaultLLM
    url: str
    red: str
    blue: str

    def client(self, key: str = "", **headers: str) -> httpx.Client:
        bearer = {"authorization": f"Bearer {key}"} if key else {}
        return httpx.Client(base_url=self.url, headers=bearer | headers, timeout=20)

    def ask(self, key: str, text: str, **fields: object) -> httpx.Response:
        body = {"messages": [{"role": "user", "content": text}], **fields}
        with self.client(key) as client:
            return client.post("/v1/chat/completions", json=body)


@pytest.fixture(scope="session")
def tenants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoTenants]:
    folder: Path = tmp_path_factory.mktemp("two-tenants")
    with ThreadedFaultLLM() as upstream:
        extra = STORED.format(url=upstream.url, key=STORED_KEY)
        instance = Instance(folder, upstream.url, extra)
        red, blue = (
            instance.manage("create_key", name, "--team", name).stdout.strip()
            for name in ("red", "blue")
        )
        with instance.serving() as url:
            yield TwoTenants(instance, upstream, url, red, blue)
