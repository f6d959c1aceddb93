"""What an operator types to describe an intent: phrases, and weights of cues."""

from collections.abc import Iterable
from difflib import get_close_matches

MAX_PHRASES = 500


def phrases_of(text: str) -> list[str]:
    """Words and pairs of words. Raises ValueError in a sentence."""
    phrases = [" ".join(part.split()) for part in text.replace("\n", ",").split(",")]
    found = [phrase.casefold() for phrase in phrases if phrase]
    if len(found) > MAX_PHRASES:
        raise ValueError(f"At most {MAX_PHRASES} words and pairs.")
    for phrase in found:
        if len(phrase.split()) > 2:
            raise ValueError(f"{phrase!r} has more than two words.")
    return found


def cue_weights(text: str) -> dict[str, float]:
    """`tools 2, code fences 1` as a weight by cue. Raises ValueError in a sentence."""
    weights: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = part.rpartition(" ")
        try:
            weights[name.strip()] = float(number)
        except ValueError:
            raise ValueError(f"{part!r} is no cue and a number.") from None
    return weights


def unknown_cue(name: str, known: Iterable[str]) -> str:
    """A sentence with the cue that was probably meant, else with all there are."""
    known = list(known)
    if close := get_close_matches(name, known, n=1):
        return f"{name!r} is no cue; did you mean {close[0]!r}?"
    return f"{name!r} is no cue. There is: {', '.join(known)}."
