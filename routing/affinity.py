"""Should a conversation leave the backend that holds it in its prompt cache?

A provider charges little for the part of a prompt it has read before. Whoever sends the
next turn elsewhere pays for all of it once more, so a cheaper model may come dearer.
"""

from dataclasses import dataclass

from routing.candidates import expected_output
from routing.catalog import PriceList
from routing.chat import Features, Json, Usage
from routing.pricing import cost_nano, nano_to_usd

# Providers keep what nobody asks for this long; some keep it longer, none promises to.
WARM_SECONDS = 300.0
MOST_CALLS_AHEAD = 10


@dataclass(frozen=True, slots=True)
class Visit:
    """A conversation's last call: where, and the prompt tokens that its provider said
    it read from its cache and wrote there. `at` is in POSIX seconds."""

    backend: str
    tier: int
    cached: int
    written: int
    at: float


@dataclass(frozen=True, slots=True)
class Balance:
    """What the calls still to come cost where the conversation is, and elsewhere, in
    nano-USD."""

    warm_tokens: int
    prompt_tokens: int
    calls_ahead: int
    stay: int
    leave: int

    @property
    def stays(self) -> bool:
        return self.stay <= self.leave

    def facts(self) -> Json:
        return {
            "warm_tokens": self.warm_tokens,
            "prompt_tokens": self.prompt_tokens,
            "calls_ahead": self.calls_ahead,
            "stay_usd": nano_to_usd(self.stay),
            "leave_usd": nano_to_usd(self.leave),
        }


def warm_tokens(visit: Visit, features: Features, now: float) -> int:
    """How much of this prompt should still be in the provider's cache."""
    if now - visit.at > WARM_SECONDS:
        return 0
    return min(visit.cached + visit.written, features.prompt_tokens)


def weigh(
    visit: Visit,
    here: PriceList,
    there: PriceList,
    features: Features,
    warm: int,
    calls: int,
) -> Balance:
    """Compare the rest of a conversation that has had so many calls, here and there.

    It is expected to last as long again as it has, ten calls at most. The first call
    elsewhere finds a cold cache; later ones find there what they would find here.
    """
    prompt, ahead = features.prompt_tokens, min(max(1, calls), MOST_CALLS_AHEAD)
    # A provider that was paid for writing its cache is so again for what is new.
    writes = visit.written > 0

    def call(price: PriceList, read: int) -> int:
        fresh = prompt - read
        return cost_nano(
            Usage(
                prompt=prompt,
                completion=expected_output(features),
                cached=read,
                cache_write=fresh if writes else 0,
            ),
            price,
        )

    stay = ahead * call(here, warm)
    leave = call(there, 0) + (ahead - 1) * call(there, warm)
    return Balance(warm, prompt, ahead, stay, leave)


def answers_in(messages: list[Json]) -> int:
    return sum(message.get("role") == "assistant" for message in messages)


def loop_is_open(messages: list[Json]) -> bool:
    """Has the assistant called a tool and not spoken since?"""
    for message in reversed(messages):
        if message.get("role") == "assistant":
            return bool(message.get("tool_calls") or message.get("function_call"))
    return False
