"""Questions that are matched by their exact text only, each for a named reason.

What material says is never looked at.
"""

from gateway.cache.canonical.english import (
    AUXILIARIES,
    COMMON,
    FOREIGN,
    MOSTLY_ENGLISH,
    ONLY_ENGLISH,
    QUESTION_WORDS,
    SHARED,
    word_set,
)
from gateway.cache.canonical.tokens import MARK, Prompt, is_word
from gateway.cache.canonical.typos import WORDS
from gateway.cache.canonical.vocabulary import NUMBERS

MAX_WORDS = 100
MAX_CHARS = 2000  # far above 100 words; spares the tokeniser a megabyte

# The answer changes while the words don't.
TIME_BOUND = word_set("""
    today tonight tomorrow yesterday now currently current latest newest recent
    recently upcoming weather forecast news price prices score
    """)
TIME_BOUND_AFTER = word_set("this last next past coming")
PERIODS = word_set("""
    second minute hour day morning afternoon evening night week weekend month quarter
    season year decade century time monday tuesday wednesday thursday friday saturday
    sunday
    """)

# Asking again means wanting something else.
CREATIVE = word_set("random randomly joke jokes riddle riddles haiku limerick lyrics")
# An order with these asks for something new; a question only asks about it.
CREATIVE_ORDER = word_set("""
    another again else surprise poem poems story stories brainstorm imagine guess
    creative funny
    """)

# The words point at something outside the question.
DEICTIC = word_set("this these here attached attachment aforementioned")
DEICTIC_AFTER_THE = word_set("above below following previous earlier former latter")
# What stands before "that" when it points; a noun does in "a function that sorts".
BEFORE_POINTING_THAT = word_set("""
    is are was were be do does did can could will would should if why how what when
    where of about with for in on at to from like and make makes made
    """)

# The words are the matter: "the" and "a" or two synonyms are not the same here.
ABOUT_LANGUAGE = word_set("""
    translate translation say spell spelling pronounce pronunciation rhyme rhymes
    grammar grammatical grammatically sentence sentences word words letters syllable
    syllables synonym synonyms antonym antonyms capitalize capitalise punctuate
    punctuation rewrite rephrase paraphrase proofread verb noun adjective plural prefix
    suffix anagram palindrome
    """)


def refusal(prompt: Prompt) -> str:
    """Why only the exact text may be matched, or "". The cheapest come first."""
    words = prompt.words
    if len(words) + prompt.material.count(" ") > MAX_WORDS:
        return f"longer than {MAX_WORDS} words"
    unique = set(words)
    if not any(map(str.isalnum, unique)) and not prompt.quotes:
        return "holds no question"
    if (
        not unique.isdisjoint(TIME_BOUND)
        or names_a_period(words, unique)
        or asks_the_time(words)
    ):
        return "the answer depends on the time"
    if asks_for_something_new(unique):
        return "asks for something new each time"
    if not is_english(words, unique):
        return "not in English as far as we can tell"
    if prompt.material or prompt.quotes:
        return ""  # what the question is about comes with it, word for word
    if points_outside(words, unique):
        return "points at something outside the question"
    if not unique.isdisjoint(ABOUT_LANGUAGE) and is_about_language(words):
        return "the wording itself matters"
    return ""


def is_english(words: list[str], unique: set[str]) -> bool:
    """Enough words that only English has, and hardly any of another language.

    "Was ist die Hauptstadt?" and "Quelle est la capitale?" are not. Where no word gives
    it away, as in "capital of Peru", most must be common English words.
    """
    sure = len(unique & ONLY_ENGLISH) + len(unique & MOSTLY_ENGLISH) // 3
    foreign = len(unique & FOREIGN)
    if foreign:
        return sure > 2 * foreign
    if sure > 1:
        return True
    letters = [word.partition("'")[0].rstrip(MARK) for word in words if is_word(word)]
    if sure:
        return all(map(str.isascii, letters))
    unknown = sum(
        word not in WORDS and word not in COMMON and len(word) > 1 for word in letters
    )
    if 2 * unknown > len(letters):
        return False
    return not unknown or words[0] in AUXILIARIES or unique.isdisjoint(SHARED)


def names_a_period(words: list[str], unique: set[str]) -> bool:
    """As in "last week" and "this year": it is another one tomorrow."""
    if unique.isdisjoint(TIME_BOUND_AFTER) or unique.isdisjoint(PERIODS):
        return False
    return any(
        first in TIME_BOUND_AFTER and second in PERIODS
        for first, second in zip(words, words[1:], strict=False)
    )


def asks_the_time(words: list[str]) -> bool:
    """As in "what time is it?" and "what's the time?", which is not "what is time?"."""
    if "time" not in words[1:4] or not words[0].startswith("what"):
        return False
    if words[1:4] == ["time", "is", "it"]:
        return "when" not in words and "if" not in words
    return [word for word in words[-3:] if is_word(word)][-2:] == ["the", "time"]


def asks_for_something_new(unique: set[str]) -> bool:
    if not unique.isdisjoint(CREATIVE):
        return True
    return not unique.isdisjoint(CREATIVE_ORDER) and unique.isdisjoint(QUESTION_WORDS)


def points_outside(words: list[str], unique: set[str]) -> bool:
    """As in "is that safe?" and "what do the above rules mean?".

    "The following" points at what comes after it, when anything does.
    """
    if not unique.isdisjoint(DEICTIC):
        return True
    if "that" in unique and any(
        word == "that" and before in BEFORE_POINTING_THAT
        for before, word in zip(["is", *words], words, strict=False)
    ):
        return True
    if unique.isdisjoint(DEICTIC_AFTER_THE):
        return False
    if "following" in unique and "." in words[words.index("following") : -1]:
        return False
    return words[-1] in DEICTIC_AFTER_THE or any(
        first == "the" and second in DEICTIC_AFTER_THE
        for first, second in zip(words, words[1:], strict=False)
    )


def is_about_language(words: list[str]) -> bool:
    """As in "which word rhymes with the?"; "in 2 words" is only a length."""
    return any(
        word in ABOUT_LANGUAGE
        and not (before in NUMBERS or before == "one" or before[:1].isdecimal())
        for before, word in zip(["", *words], words, strict=False)
    )
