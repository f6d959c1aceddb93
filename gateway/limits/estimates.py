"""What a call may take at most, as far as it can be known before it is made."""

from routing.catalog import Backend, Policy, PriceList
from routing.chat import ChatRequest, Features, Usage
from routing.pricing import cost_nano


def most_tokens(
    backend: Backend, chat: ChatRequest, features: Features, policy: Policy
) -> Usage:
    """The prompt is estimated; an answer without a limit counts as the policy's."""
    if features.ways == ("embeddings",):  # vectors have no tokens
        return Usage(prompt=features.prompt_tokens, estimated=True)
    output = features.max_output or policy.default_max_output_tokens
    if backend.max_output_tokens is not None:
        output = min(output, backend.max_output_tokens)
    choices = chat.body.get("n")
    if isinstance(choices, int) and choices > 1:
        output *= choices
    if backend.context_window:
        output = min(output, max(0, backend.context_window - features.prompt_tokens))
    return Usage(prompt=features.prompt_tokens, completion=output, estimated=True)


def most_nano(usage: Usage, price: PriceList | None) -> int:
    """What these tokens cost at most; writing a provider's cache may cost more than
    reading a prompt. A backend without a price costs nothing anybody knows of."""
    if price is None:
        return 0
    written = Usage(usage.prompt, usage.completion, cache_write=usage.prompt)
    return max(cost_nano(usage, price), cost_nano(written, price))
