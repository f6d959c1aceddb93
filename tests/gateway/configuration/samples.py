"""Configurations that several tests load."""

from datetime import UTC, datetime

from gateway.configuration import Config, apply, plan, read_bytes

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 2, 1, tzinfo=UTC)

TWO_MODELS = """\
models:
  - name: small
    provider: ollama
    model: llama3.2
    cost_per_1k_in: 0.0008
    cost_per_1k_out: 0.004
    tier: 1
  - name: large
    provider: anthropic
    model: claude-opus-4-6
    api_key: $BIG_KEY
    cost_per_1k_in: 0.015
    cost_per_1k_out: 0.075
    tier: 2
"""

# The whole example of the reference's README, as a user of it has it.
REFERENCE = """\
# config.yaml — full reference
models:
  - name: claude-haiku
    provider: anthropic
    model: claude-haiku-4-5-20251001
    base_url: https://api.anthropic.com
    api_key: $ANTHROPIC_API_KEY # supports env var expansion
    cost_per_1k_in: 0.0008
    cost_per_1k_out: 0.004
    max_tokens: 200000
    tier: 1 # cheapest tier
  - name: claude-sonnet
    provider: anthropic
    model: claude-sonnet-4-6
    base_url: https://api.anthropic.com
    api_key: $ANTHROPIC_API_KEY
    cost_per_1k_in: 0.003
    cost_per_1k_out: 0.015
    max_tokens: 200000
    tier: 2
  - name: claude-opus
    provider: anthropic
    model: claude-opus-4-6
    base_url: https://api.anthropic.com
    api_key: $ANTHROPIC_API_KEY
    cost_per_1k_in: 0.015
    cost_per_1k_out: 0.075
    max_tokens: 200000
    tier: 3 # most capable
  # Also works with Ollama, vLLM, or any OpenAI-compatible backend:
  # - name: llama-local
  #   provider: ollama
  #   model: llama3.2
  #   base_url: http://localhost:11434
  #   cost_per_1k_in: 0 # self-hosted = free
  #   cost_per_1k_out: 0
  #   tier: 1
classifier:
  tier1_max: 30 # score 0-30 → claude-haiku
  tier2_max: 70 # score 31-70 → claude-sonnet
  # score 71+ → claude-opus
cache:
  enabled: true
  max_size: 1000
  ttl_sec: 300
  similarity_thresh: 0.85
learned:
  threshold: 0.5
  # sidecar_url: http://localhost:6060/classify
  # sidecar_weight: 0.7
server:
  read_timeout_sec: 30
  write_timeout_sec: 120
"""


def parsed(text: str) -> Config:
    return read_bytes(text.encode(), "config.yaml", {"BIG_KEY": "sk-big"})


def load(text: str, now: datetime = NOW) -> list[str]:
    """Import `text`; the labels of what was created or changed."""
    wanted = plan(parsed(text), now)
    apply(wanted)
    return [change.label for change in wanted.changes if change.rows]


def models(*tiers: int) -> str:
    """A `models` section with one free backend in each of these tiers."""
    return "models:\n" + "".join(
        f"  - {{name: m{n}, provider: ollama, model: x{n}, tier: {tier}}}\n"
        for n, tier in enumerate(tiers, start=1)
    )
