"""The mixture of intents, reckoned from a row without the code that does it."""

from math import exp
from zlib import crc32

from routing.intent_defaults import INTENTS
from routing.learned.features import CUES, Row


def bucket(number: int) -> int:
    return (number * 0x9E3779B97F4A7C15 % 2**64) >> 48


def phrase_bucket(phrase: str) -> int:
    first, *second = (crc32(word.encode()) for word in phrase.split())
    if not second:
        return bucket(first)
    return bucket((first * 0x9E3779B1 + second[0] * 0x85EBCA77) % 2**32)


def mixture_by_hand(row: Row) -> dict[str, float]:
    """The share of each intent that a new gateway knows."""
    there, pulls = set(row.buckets.tolist()), {}
    for slug, _, words, cues, bias in INTENTS:
        phrases = filter(str.strip, words.split(","))
        found = bias + len({phrase_bucket(phrase) for phrase in phrases} & there)
        for cue in filter(None, cues.split(",")):
            name, weight = cue.strip().rsplit(" ", 1)
            found += float(weight) * min(float(row.cues[CUES.index(name)]), 3.0)
        pulls[slug] = exp(2 * min(max(found, 0.0), 6.0))
    return {slug: pull / sum(pulls.values()) for slug, pull in pulls.items()}
