"""The explained 0-100 score: how demanding a request looks, and why."""

from collections.abc import Iterator
from dataclasses import dataclass

from routing.chat import Features
from routing.counting import counted

# Each band: (below this many, points). The last number is for everything beyond.
Bands = tuple[tuple[tuple[int, int], ...], int]

TOKENS: Bands = (
    ((100, 5), (500, 10), (1000, 15), (2000, 20), (4000, 25), (8000, 30)),
    35,
)
TURNS: Bands = (((1, 0), (3, 3), (5, 6), (9, 9), (15, 12)), 15)
SYSTEM_CHARS: Bands = (((1, 0), (200, 2), (800, 4), (2000, 6), (5000, 8)), 10)

JSON_MODE_POINTS = 10
TOOLS_POINTS = 15
TOOLS_MIN_TIER = 2
CODE_POINTS = 10
REASONING_POINTS = 15
MAX_SCORE = 100


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that makes a request look harder."""

    name: str
    points: int
    reason: str


@dataclass(frozen=True, slots=True)
class Score:
    """`value` is the signals' sum, at most 100. `min_tier` is 1 when nothing forces."""

    value: int
    signals: tuple[Signal, ...]
    min_tier: int = 1


def classify(features: Features) -> Score:
    """Add up what the request shows; signals of no points are left out."""
    signals = tuple(signals_of(features))
    return Score(
        value=min(MAX_SCORE, sum(signal.points for signal in signals)),
        signals=signals,
        min_tier=TOOLS_MIN_TIER if features.tools else 1,
    )


def signals_of(features: Features) -> Iterator[Signal]:
    tokens, turns = features.prompt_tokens, features.turns
    if points := points_in(TOKENS, tokens):
        yield Signal("tokens", points, f"about {counted(tokens, 'token')}")
    if points := points_in(TURNS, turns):
        yield Signal("depth", points, f"{counted(turns, 'message')} came before")
    if points := points_in(SYSTEM_CHARS, features.system_chars):
        reason = f"{counted(features.system_chars, 'character')} of instructions"
        yield Signal("system prompt", points, reason)
    if features.json_mode:
        yield Signal("json mode", JSON_MODE_POINTS, "JSON is required")
    if features.tools:
        offered = f"{counted(features.tools, 'tool')} offered"
        yield Signal("tools", TOOLS_POINTS, offered)
    if features.code:
        yield Signal("code", CODE_POINTS, "it contains code")
    if features.reasoning_cues:
        cues = ", ".join(features.reasoning_cues)
        yield Signal("reasoning", REASONING_POINTS, f"it says: {cues}")


def points_in(bands: Bands, value: int) -> int:
    steps, beyond = bands
    for below, points in steps:
        if value < below:
            return points
    return beyond
