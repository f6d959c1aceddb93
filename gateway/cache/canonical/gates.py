"""Questions that are matched by their exact text only, each for a named reason.

Words are lower-cased here; what a payload says is never looked at.
"""

from gateway.cache.canonical.english import COMMON, FOREIGN, ONLY_ENGLISH, word_set
from gateway.cache.canonical.tokens import Prompt, is_number, is_word
from gateway.cache.canonical.words import DIGITS

MAX_WORDS = 100
MAX_CHARS = 2000  # far above 100 words; spares the tokeniser a megabyte

# The answer changes while the words don't.
TIME_BOUND = word_set("""
    today tonight tomorrow yesterday now nowadays currently current latest newest
    recent recently upcoming live weather forecast news price prices stock stocks
    score scores ago soon
    """)
TIME_BOUND_AFTER = word_set("this last next past coming")
PERIODS = word_set("""
    second minute hour day morning afternoon evening night week weekend month quarter
    season year decade century time monday tuesday wednesday thursday friday saturday
    sunday
    """)

# Asking again means wanting something else.
CREATIVE = word_set("""
    random randomly another again else surprise joke jokes poem poems story stories
    haiku limerick lyrics riddle brainstorm imagine guess creative funny
    """)

# The words point at something outside the question.
DEICTIC = word_set("""
    this these those here above below following previous earlier attached
    attachment aforementioned
    """)

# The words are the matter: "the" and "a" or two synonyms are not the same here.
ABOUT_LANGUAGE = word_set("""
    translate translation say said spell spelling pronounce pronunciation rhyme rhymes
    grammar grammatical grammatically sentence sentences word words phrase letter
    letters syllable syllables synonym synonyms antonym antonyms capitalize capitalise
    punctuate punctuation rewrite rephrase paraphrase proofread correct article verb
    noun adjective plural prefix suffix anagram palindrome
    """)


def refusal(prompt: Prompt) -> str:
    """Why only the exact text may be matched, or ""."""
    words = [token.lower() for token in prompt.tokens if is_word(token)]
    if len(words) + len(prompt.payload.split()) > MAX_WORDS:
        return f"longer than {MAX_WORDS} words"
    if "```" in "".join(prompt.tokens) or "```" in prompt.payload:
        return "holds a code block"
    if not words and not any(map(is_number, prompt.tokens)):
        return "holds no question"
    if not is_english(words):
        return "not in English as far as we can tell"
    if TIME_BOUND.intersection(words) or names_a_period(words):
        return "the answer depends on the time"
    if CREATIVE.intersection(words):
        return "asks for something new each time"
    if is_self_contained(prompt):
        return ""
    if DEICTIC.intersection(words) or points_with_that(words):
        return "points at something outside the question"
    if is_about_language(prompt.tokens):
        return "the wording itself matters"
    return ""


def is_english(words: list[str]) -> bool:
    """Enough common English words, or a sure one, and hardly any of another language.

    "Was ist die Hauptstadt?" and "Quelle est la capitale?" are not.
    """
    stems = [word.partition("'")[0] for word in words]
    foreign = sum(stem in FOREIGN for stem in stems)
    common = sum(stem in COMMON for stem in stems)
    if common < 2 * foreign:
        return False
    return common >= 0.25 * len(stems) or (
        not foreign and "".join(stems).isascii() and not ONLY_ENGLISH.isdisjoint(stems)
    )


def names_a_period(words: list[str]) -> bool:
    """As in "last week" and "this year": it is another one tomorrow."""
    return any(
        first in TIME_BOUND_AFTER and second in PERIODS
        for first, second in zip(words, words[1:], strict=False)
    )


def points_with_that(words: list[str]) -> bool:
    """As in "is that safe?"; a noun comes before it in "a function that sorts"."""
    return any(
        word == "that" and before in COMMON
        for before, word in zip(["the", *words], words, strict=False)
    )


def is_about_language(tokens: list[str]) -> bool:
    """As in "which word rhymes with the?"; "in 2 words" is only a length."""
    lower = [token.lower() for token in tokens]
    return any(
        word in ABOUT_LANGUAGE and not (before in DIGITS or before[:1].isdecimal())
        for before, word in zip(["", *lower], lower, strict=False)
    )


def is_self_contained(prompt: Prompt) -> bool:
    """What the question is about comes with it, word for word."""
    return bool(prompt.payload) or any(
        len(t) > 1 and t[0] in "\"“`'" for t in prompt.tokens
    )
