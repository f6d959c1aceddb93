"""Workflows that several tests use."""

# As the reference's README sends it.
STRAWBERRY = """\
start_ops: [reason]
end_ops: [refine]
ops:
  reason:
    prompt: "Think step by step."
    tier: 1
    max_tokens: 1024
    output_ops: [critique]
  critique:
    prompt: "Find errors in the reasoning."
    tier: 2
    max_tokens: 512
    input_ops: [reason]
    output_ops: [refine]
  refine:
    prompt: "Give a correct final answer."
    tier: 2
    max_tokens: 512
    input_ops: [critique]
"""


def one_op(**fields: object) -> dict:
    """A workflow of a single op `a`, as JSON."""
    return {"end_ops": ["a"], "ops": {"a": {"prompt": "Say it.", **fields}}}


def two_ops(first: dict | None = None, second: dict | None = None) -> dict:
    """`a`, then `b`."""
    return {
        "end_ops": ["b"],
        "ops": {
            "a": {"prompt": "First.", **(first or {})},
            "b": {"prompt": "Second.", "input_ops": ["a"], **(second or {})},
        },
    }
