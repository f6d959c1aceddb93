"""One word at a time: contractions, spelling, inflection, numbers.

A word becomes one canonical word, or several with spaces between them. What was worked
out is kept, so that a line costs one look-up per word.
"""

from gateway.cache.canonical.tokens import MARK
from gateway.cache.canonical.typos import WORDS, corrected
from gateway.cache.canonical.vocabulary import (
    AGREEMENT,
    ENDINGS,
    INVARIABLE,
    IRREGULAR,
    KNOWN,
    NO_IZE,
    NO_OR,
    NUMBERS,
    ORDINALS,
    TAKES_IS,
)

MEMO_SIZE = 20_000  # words; 2 MB
OWNS = "'s"
NO_PLURAL = ("ss", "us", "is", "ics", "'s")
SIBILANTS = ("xes", "ches", "shes", "sses", "zes")


class Lexicon(dict[str, str]):
    """The canonical forms of words in small letters, worked out when first met."""

    def __missing__(self, word: str) -> str:
        if len(self) >= MEMO_SIZE:
            self.clear()
        self[word] = known = work_out(word)
        return known


def work_out(word: str) -> str:
    if word in KNOWN:
        return KNOWN[word]
    if word[0].isdecimal():
        return ORDINALS.get(word) or word.replace(",", "")
    if not word[0].isalpha() or word.endswith(MARK):
        return word
    if "-" in word:
        return compound(word)
    if "'" in word:
        return in_full(word)
    word = corrected(word)
    if word in KNOWN:
        return KNOWN[word]
    word = american(singular(word))
    return KNOWN.get(word, word)


def compound(word: str) -> str:
    """Twenty-five is a number, and an e-mail an email; else a hyphen is a space."""
    if word.startswith("e-mail"):
        return "email"
    ten, _, one = word.partition("-")
    ones = "1" if one == "one" else NUMBERS.get(one, "")
    if len(ones) == 1:
        return str(int(NUMBERS[ten]) + int(ones))
    return " ".join(map(canonical, filter(None, word.split("-"))))


def in_full(word: str) -> str:
    if word.endswith("n't"):
        stem = word[:-3]
        return f"{AGREEMENT.get(stem, stem)} not"
    stem, apostrophe, ending = word.rpartition("'")
    if apostrophe + ending in ENDINGS:
        return f"{canonical(stem)} {ENDINGS[apostrophe + ending]}"
    if ending == "s":
        return f"{canonical(stem)} {'is' if stem in TAKES_IS else OWNS}"
    return word


def singular(word: str) -> str:
    """Without the s of a plural or of a verb after he, she, it."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word[-1] != "s" or len(word) < 4 or word in INVARIABLE:
        return word
    if word.endswith(NO_PLURAL):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    sibilant = word.endswith("es") and word[:-1] not in WORDS
    if sibilant and (word[:-2] in WORDS or word.endswith(SIBILANTS)):
        return word[:-2]
    return IRREGULAR.get(word[:-1], word[:-1])


def american(word: str) -> str:
    """The spelling with z and or."""
    for british, spelled in (("ise", "ize"), ("ised", "ized"), ("ising", "izing")):
        if word.endswith(british) and len(word) > len(british) + 3:
            stem = word.removesuffix(british)
            return word if stem in NO_IZE else stem + spelled
    if "our" in word and len(word) > 5 and word not in NO_OR:
        other = word.replace("our", "or")
        return other if other in WORDS else word
    return word


canonical = Lexicon().__getitem__
