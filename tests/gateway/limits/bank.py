"""Budgets kept by several processes."""

import asyncio
from pathlib import Path

import httpx

from tests.instance import Instance

# An answer's token costs 1000 nano-dollars, a prompt nothing: a request of 5 tokens
# costs 5000, and a budget of $0.0001 is 100,000.
CONFIG = """
models:
  - {{name: small, provider: openai-compatible, model: small, base_url: "{url}",
     api_key: $TEST_PROVIDER_KEY, cost_per_1k_in: 0, cost_per_1k_out: 0.001, tier: 1}}
"""


class Bank(Instance):
    """An instance with one priced backend and a key that has a budget."""

    def __init__(self, folder: Path, upstream: str, **environ: str) -> None:
        super().__init__(folder, upstream)
        self.config.write_text(CONFIG.format(url=upstream))
        self.more = environ
        made = self.manage("create_key", "ci", "--team=t", "--budget-day=0.0001")
        assert made.returncode == 0, made.stderr
        self.headers = {"authorization": f"Bearer {made.stdout.strip()}"}

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, **getattr(self, "more", {})}

    @property
    def replayed(self) -> int:
        """How many journals of killed workers their successors have read."""
        return self.log.count('"event": "journal_replayed"')

    async def ask(self, client: httpx.AsyncClient, text: str, tokens: int = 5) -> int:
        answer = await client.post(
            f"{self.url}/v1/chat/completions",
            headers=self.headers,
            json={
                "max_tokens": tokens,
                "messages": [{"role": "user", "content": text}],
            },
        )
        return answer.status_code

    def ask_at_once(self, count: int, name: str = "") -> list[int]:
        async def ask_all() -> list[int]:
            limits = httpx.Limits(max_connections=count)
            async with httpx.AsyncClient(timeout=60, limits=limits) as client:
                asked = (self.ask(client, f"{name} question {n}") for n in range(count))
                return sorted(await asyncio.gather(*asked))

        return asyncio.run(ask_all())

    def ask_one(self, text: str) -> int:
        return self.ask_at_once(1, text)[0]
