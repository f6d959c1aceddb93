"""Provider presets as data: how each kind of upstream is spoken to.

A new provider is a new row. `dialect` names the wire format, `auth` the header that
carries the key, `cannot` what requests this upstream is unable to express: images,
files, audio, tools, json_schema, thinking, n, logprobs, penalties, logit_bias
(routing/features.py finds out which of them a request needs).
"""

from dataclasses import dataclass
from typing import Literal

Dialect = Literal["openai", "anthropic"]


@dataclass(frozen=True, slots=True)
class Provider:
    """One kind of upstream. `probe` is a free GET that proves it is alive.

    `limit_field` is what it calls the limit of an answer's length, for requests that
    were translated for it.
    """

    name: str
    dialect: Dialect
    base_url: str = ""
    auth: Literal["bearer", "x-api-key"] = "bearer"
    needs_key: bool = True
    probe: str = "/models"
    cannot: frozenset[str] = frozenset()
    limit_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"


ANTHROPIC_CANNOT = frozenset({"n", "logprobs", "audio", "penalties", "logit_bias"})

PROVIDERS: dict[str, Provider] = {
    provider.name: provider
    for provider in (
        Provider(
            "openai",
            "openai",
            "https://api.openai.com/v1",
            limit_field="max_completion_tokens",
        ),
        Provider(
            "anthropic",
            "anthropic",
            "https://api.anthropic.com/v1",
            auth="x-api-key",
            cannot=ANTHROPIC_CANNOT,
        ),
        Provider("ollama", "openai", "http://localhost:11434/v1", needs_key=False),
        Provider("vllm", "openai", "http://localhost:8000/v1", needs_key=False),
        Provider("openai-compatible", "openai", needs_key=False),
    )
}
