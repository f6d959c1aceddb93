"""Rules about what people say around a question."""

from gateway.cache.canonical.english import (
    AUXILIARIES,
    BE,
    QUESTION_WORDS,
    phrases,
    word_set,
)
from gateway.cache.canonical.rule import Tokens, rule

GREETINGS = word_set("hi hello hey")
PLEASE = word_set("please kindly")
PAUSES = frozenset(",.!?")
MAY_FOLLOW_GREETING = PAUSES | QUESTION_WORDS | AUXILIARIES | PLEASE
ASKING = phrases(
    "tell me",
    "can you tell me",
    "could you tell me",
    "would you tell me",
    "i want to know",
    "i need to know",
    "i would like to know",
    "i'd like to know",
    "i wonder",
    "i am wondering",
    "i was wondering",
    "do you know",
)
GIVING = phrases(
    "tell me",
    "can you tell me",
    "could you tell me",
    "give me",
    "can you give me",
    "could you give me",
)
# Whose subject never holds the question word itself, as in "what food is good".
SUBJECT_FOLLOWS = word_set("when where why")
VERB_ENDS = word_set("what who")
# With "please" after it, anything is a request; without, only these surely are.
REQUESTING = phrases("can you", "could you", "would you", "will you")
REQUESTED = word_set("explain describe summarize define list calculate convert compare")
THANKS = phrases(
    "thank you very much",
    "thank you so much",
    "thank you",
    "thanks in advance",
    "thanks a lot",
    "many thanks",
    "thanks",
    "thx",
    "please help",
    "please help me",
)


@rule(
    same=(
        ("Explain gravity. Thanks!", "Explain gravity."),
        ("Explain gravity, please. Thank you!", "Explain gravity."),
    ),
    differ=(
        ("Can I do as I please?", "Can I do as I?"),
        ("How do I treat dogs kindly?", "How do I treat dogs?"),
        ("How do I show thanks?", "How do I show?"),
    ),
)
def closers(tokens: Tokens) -> Tokens:
    """Thanks after a pause, and "please", at the end. Of the marks a "?" stays."""
    end = len(tokens)
    while end:
        pause = end - thanks_length(tokens, end)
        if tokens[end - 1] in PAUSES or asks_politely(tokens[:end]):
            end -= 1
        elif pause < end and tokens[pause - 1] in PAUSES:
            end = pause
        else:
            break
    return tokens[:end] + ["?"] * ("?" in tokens[end:])


def asks_politely(tokens: Tokens) -> bool:
    """By a "please" at the end, but not by "as I please" or "hard to please"."""
    *before, last = tokens
    return last == "please" and before[-1:] not in (["i"], ["you"], ["they"], ["to"])


def thanks_length(tokens: Tokens, end: int) -> int:
    for phrase in THANKS:
        if len(phrase) < end and tuple(tokens[end - len(phrase) : end]) == phrase:
            return len(phrase)
    return 0


@rule(
    same=(
        ("Hi! Please explain gravity", "Explain gravity"),
        ("Hello there. What is gravity?", "What is gravity?"),
        ("Could you please freeze the rice?", "Freeze the rice"),
        ("Could you explain gravity?", "Explain gravity"),
        ("Can you tell me who founded Rome?", "Who founded Rome?"),
        ("Could you tell me when Rome was founded?", "When was Rome founded?"),
        ("Give me the capital of Peru", "What is the capital of Peru?"),
        ("Do you know what the capital of Peru is?", "What is the capital of Peru?"),
    ),
    differ=(
        ("Can you freeze the rice?", "Freeze the rice"),
        ("Tell me about the cats", "The cats"),
        ("Tell me how old Bob is", "How is old Bob?"),
        ("Do you know the king?", "The king?"),
        ("What does hello world do in C?", "What does world do in C?"),
        ("Hello world in C", "World in C"),
        (".Net is what?", "Net is what?"),
    ),
)
def openers(tokens: Tokens) -> Tokens:
    """Greetings and requests for an answer, when a question or order follows."""
    while (shorter := without_opener(tokens)) != tokens:
        while shorter and shorter[0] in PAUSES:
            shorter = shorter[1:]
        tokens = shorter
    return tokens


def without_opener(tokens: Tokens) -> Tokens:
    if len(tokens) < 2:
        return tokens
    first, second = tokens[:2]
    if first in PLEASE:
        return tokens[1:]
    if first in GREETINGS and second == "there":
        return [first, *tokens[2:]]
    if first in GREETINGS and second in MAY_FOLLOW_GREETING:
        return tokens[1:]
    if (rest := after(tokens, REQUESTING)) and rest[0] in REQUESTED | PLEASE:
        return told(rest)
    rest = after(tokens, ASKING)
    if rest[:1] == [","]:
        rest = rest[1:]
    if rest and rest[0] in QUESTION_WORDS:
        return upright(told(rest))
    if (rest := after(tokens, GIVING)) and rest[0] == "the":
        return ["what", "is", *told(rest)]
    return tokens


def after(tokens: Tokens, openings: tuple[tuple[str, ...], ...]) -> Tokens:
    for phrase in openings:
        if tuple(tokens[: len(phrase)]) == phrase:
            return tokens[len(phrase) :]
    return []


def told(request: Tokens) -> Tokens:
    """Without the "?" that belonged to the request, not to what it requests."""
    return request[:-1] if request[-1] == "?" else request


def upright(asked: Tokens) -> Tokens:
    """Verb before subject again: "what the capital of Peru is"."""
    verbs = [place for place, token in enumerate(asked) if token in BE]
    if len(verbs) != 1 or PAUSES.intersection(asked):
        return asked
    question_word, verb = asked[0], verbs[0]
    at_the_end = verb == len(asked) - 1
    if question_word in SUBJECT_FOLLOWS or question_word in VERB_ENDS and at_the_end:
        return [question_word, asked[verb], *asked[1:verb], *asked[verb + 1 :]]
    return asked
