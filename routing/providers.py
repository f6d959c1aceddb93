"""Provider presets as data: how each kind of upstream is spoken to.

A new provider is a new row. `dialect` names the wire format, `auth` the header that
carries the key, `cannot` what this kind of upstream has no way to do
(routing/capabilities.py lists the words; routing/features.py finds out which of them a
request needs). An operator can say otherwise of a single backend.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

Dialect = Literal["openai", "anthropic", "responses", "text", "vectors"]


@dataclass(frozen=True, slots=True)
class Provider:
    """One kind of upstream. `probe` is a free GET that proves it is alive.

    `limit_field` is what it calls the limit of an answer's length, for requests that
    were translated for it. `renames` and `drops` are for bodies in its own dialect:
    fields it knows by another name, and fields it refuses that say nothing about the
    answer. `path` is where its API lies on a host that was given alone; `prices` its
    name in genai-prices.
    """

    name: str
    dialect: Literal["openai", "anthropic"]
    base_url: str = ""
    auth: Literal["bearer", "x-api-key", "api-key"] = "bearer"
    needs_key: bool = True
    probe: str = "/models"
    cannot: frozenset[str] = frozenset()
    limit_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    renames: Mapping[str, str] = field(default_factory=dict)
    drops: frozenset[str] = frozenset()
    path: str = ""
    prices: str = ""

    @property
    def api_path(self) -> str:
        return self.path or urlsplit(self.base_url).path or "/v1"


ANTHROPIC_CANNOT = frozenset({"n", "logprobs", "audio", "penalties", "logit_bias"})
NOT_OPENAIS = frozenset({"responses", "stored_responses"})
CHAT_ONLY = NOT_OPENAIS | {"embeddings", "completions"}
TEXT_ONLY = frozenset({"images", "files", "audio"})
# Who knows the limit of an answer's length by one of its two names only.
OLD_LIMIT = {"max_completion_tokens": "max_tokens"}
NEW_LIMIT = {"max_tokens": "max_completion_tokens"}
# OpenAI's bookkeeping, which a strict provider takes for a mistake.
BOOKKEEPING = frozenset(
    {
        "metadata",
        "prompt_cache_key",
        "prompt_cache_options",
        "safety_identifier",
        "service_tier",
        "store",
        "user",
    }
)

ROWS = (
    Provider(
        "openai",
        "openai",
        "https://api.openai.com/v1",
        cannot=frozenset({"completions"}),  # of its models only those without chat
        limit_field="max_completion_tokens",
        renames=NEW_LIMIT,
        prices="openai",
    ),
    Provider(
        "anthropic",
        "anthropic",
        "https://api.anthropic.com/v1",
        auth="x-api-key",
        cannot=ANTHROPIC_CANNOT | CHAT_ONLY,
        prices="anthropic",
    ),
    Provider(
        "azure-openai",  # its address is https://NAME.openai.azure.com
        "openai",
        auth="api-key",
        cannot=frozenset({"completions"}),
        limit_field="max_completion_tokens",
        renames=NEW_LIMIT,
        path="/openai/v1",
        prices="azure",
    ),
    Provider(
        "gemini",
        "openai",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        cannot=NOT_OPENAIS | {"completions", "logprobs", "logit_bias"},
        drops=BOOKKEEPING,
        prices="google",
    ),
    Provider(
        "mistral",
        "openai",
        "https://api.mistral.ai/v1",
        cannot=NOT_OPENAIS | {"completions", "logprobs", "logit_bias"},
        renames=OLD_LIMIT | {"seed": "random_seed"},
        drops=BOOKKEEPING | {"stream_options"},  # its streams always end with usage
        prices="mistral",
    ),
    Provider(
        "groq",
        "openai",
        "https://api.groq.com/openai/v1",
        cannot=CHAT_ONLY | {"n", "logprobs", "logit_bias", "files", "audio"},
        limit_field="max_completion_tokens",
        drops=frozenset({"store", "prompt_cache_key", "prompt_cache_options"}),
        prices="groq",
    ),
    Provider(
        "deepseek",
        "openai",
        "https://api.deepseek.com/v1",
        cannot=CHAT_ONLY | TEXT_ONLY | {"n", "json_schema", "logit_bias"},
        renames=OLD_LIMIT,
        prices="deepseek",
    ),
    Provider(
        "together",
        "openai",
        "https://api.together.xyz/v1",
        cannot=NOT_OPENAIS | {"files", "audio"},
        renames=OLD_LIMIT,
        prices="together",
    ),
    Provider(
        "fireworks",
        "openai",
        "https://api.fireworks.ai/inference/v1",
        cannot=frozenset({"files", "audio"}),
        prices="fireworks",
    ),
    Provider(
        "openrouter",
        "openai",
        "https://openrouter.ai/api/v1",
        cannot=frozenset({"n", "stored_responses"}),
        prices="openrouter",
    ),
    Provider(
        "xai",
        "openai",
        "https://api.x.ai/v1",
        cannot=frozenset({"embeddings", "completions", "logit_bias", "audio"}),
        limit_field="max_completion_tokens",
        prices="x-ai",
    ),
    Provider(
        "cerebras",
        "openai",
        "https://api.cerebras.ai/v1",
        cannot=NOT_OPENAIS | TEXT_ONLY | {"embeddings", "n", "penalties"},
        limit_field="max_completion_tokens",
        renames=NEW_LIMIT,
        prices="cerebras",
    ),
    Provider(
        "ollama",
        "openai",
        "http://localhost:11434/v1",
        needs_key=False,
        cannot=NOT_OPENAIS | {"n", "logit_bias", "files", "audio"},
        renames=OLD_LIMIT,
    ),
    Provider(
        "vllm",
        "openai",
        "http://localhost:8000/v1",
        needs_key=False,
        cannot=NOT_OPENAIS | {"files"},
    ),
    Provider(
        "lm-studio",
        "openai",
        "http://localhost:1234/v1",
        needs_key=False,
        cannot=NOT_OPENAIS | {"n", "logprobs", "files", "audio"},
        renames=OLD_LIMIT,
    ),
    Provider(
        "llama.cpp",
        "openai",
        "http://localhost:8080/v1",
        needs_key=False,
        cannot=NOT_OPENAIS | {"files"},
    ),
    Provider("openai-compatible", "openai", needs_key=False, cannot=NOT_OPENAIS),
)
PROVIDERS: dict[str, Provider] = {provider.name: provider for provider in ROWS}
