"""A gateway of two tiers that learns from votes."""

CONFIG = """
models:
  - {{name: weak, provider: openai-compatible, model: weak, base_url: "{url}",
     cost_per_1k_in: 0.0002, cost_per_1k_out: 0.0002, tier: 1}}
  - {{name: strong, provider: openai-compatible, model: strong, base_url: "{url}",
     cost_per_1k_in: 0.0024, cost_per_1k_out: 0.0024, tier: 2}}
cache: {{enabled: false}}
sharing: {{enabled: false}}
learned: {{learning: auto}}
routing: {{cold_start: baseline}}
"""
