"""Misspelled words, by a list of the commonest words and one slip of the finger."""

from collections.abc import Iterator
from pathlib import Path

DATA = Path(__file__).parent / "data"
WORDS = frozenset((DATA / "words.txt").read_text("ascii").split())
# Rarer words and names that only look like a slip: "Brian" is no "brain".
LOOKALIKES = frozenset((DATA / "lookalikes.txt").read_text("ascii").split())

SHORTEST = 4  # letters; a shorter word is one slip away from too many others
SURE = 7  # letters from which on a letter too many, too few or wrong is looked for
VOWELS = "aeiou"


def slips(word: str) -> Iterator[str]:
    """What the writer may have meant: two letters swapped; in a long word also a
    letter too many, doubled or not, a vowel left out or another vowel."""
    for i in range(len(word) - 1):
        if word[i] != word[i + 1]:
            yield word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    if len(word) < SURE:
        return
    for i in range(1, len(word)):
        before, letter, after = word[:i], word[i], word[i + 1 :]
        if after:
            yield before + after
        yield before + letter + letter + after
        for vowel in VOWELS:
            yield before + vowel + letter + after
            if letter in VOWELS and vowel != letter:
                yield before + vowel + after


def corrected(word: str) -> str:
    """The one common word this is a slip of, or the word itself."""
    if len(word) < SHORTEST or word in WORDS or word in LOOKALIKES:
        return word
    if not (word.isascii() and word.isalpha()):
        return word
    meant = WORDS.intersection(slips(word))
    return min(meant) if len(meant) == 1 else word
