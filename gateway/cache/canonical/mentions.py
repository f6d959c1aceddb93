"""Words that are asked about as words: another word for the same thing won't do."""

from gateway.cache.canonical.english import word_set
from gateway.cache.canonical.lexicon import canonical
from gateway.cache.canonical.tokens import MARK
from gateway.cache.canonical.vocabulary import SHORT_FORMS, SYNONYMS

KNOWN_SYNONYMS = frozenset(SYNONYMS) | frozenset(SYNONYMS.values())
SYNONYMOUS = KNOWN_SYNONYMS - SHORT_FORMS
ARTICLES = word_set("a an the to")
CHOICE = word_set("and or versus vs")
ASKING = word_set("what what's whats which define")
DOES = word_set("does do did")
MEANING = word_set("meaning definition")
MARKS = word_set("? . !")


def as_words(words: list[str]) -> list[str]:
    """The words, with a mark at those that are meant as words."""
    if KNOWN_SYNONYMS.isdisjoint(words):
        return words
    if words[0] in ASKING:
        place = place_asked_about(words)
        if place and words[place] in SYNONYMOUS:
            words = [*words[:place], words[place] + MARK, *words[place + 1 :]]
    if CHOICE.isdisjoint(words):
        return words
    words = words.copy()
    for place, word in enumerate(words):
        if word in CHOICE:
            mark_synonyms(words, place)
    return words


def place_asked_about(words: list[str]) -> int:
    """Where "what does _ mean", "what is _" and "define _" have their word, or 0."""
    rest = [word for word in words[:8] if word not in MARKS]
    if len(rest) > 3 and rest[1] in DOES:
        return 2 if rest[3] in ("mean", "do", "return", "print") else 0
    if rest[0] == "define" or MEANING.isdisjoint(rest):
        before = ARTICLES | {"define", "what", "what's", "whats", "is", "are"}
    else:
        before = ARTICLES | MEANING | ASKING | {"is", "of", "word", "term"}
    last = len(rest) - 1
    return last if all(word in before for word in rest[:last]) else 0


def mark_synonyms(words: list[str], place: int) -> None:
    """Mark what stands on both sides of "and" when it has one canonical form."""
    after = place + 1
    while after < len(words) and words[after] in ARTICLES:
        after += 1
    if place > 0 and after < len(words):
        one, other = words[place - 1], words[after]
        if one != other and canonical(one) == canonical(other):
            words[place - 1], words[after] = one + MARK, other + MARK
