"""Rules about the forms one question can take."""

from gateway.cache.canonical.english import (
    AUXILIARIES,
    BE,
    COMMON,
    QUESTION_WORDS,
    phrases,
)
from gateway.cache.canonical.politeness import after, closers, openers
from gateway.cache.canonical.rule import Rule, Tokens, rule
from gateway.cache.canonical.tokens import is_number, is_word

HOW_TO = phrases(
    "how do i",
    "how can i",
    "how i can",
    "how can one",
    "how does one",
    "what is the way to",
)
ENDS = frozenset(".?!")
LONGEST_NAME = 2  # words before 's; more may hide a verb: "Alice loves Bob's dog"


@rule(
    same=(
        ("What is the capital of Peru?", "What is the capital of Peru"),
        ("2+2?", "2+2"),
    ),
    differ=(
        ("I should rest?", "I should rest."),
        ("What is ?", "What is !"),
        ("What is between ! and ?", "What is between ! and ."),
    ),
)
def question_mark(tokens: Tokens) -> Tokens:
    """A question is one by its first word; else the mark makes it one."""
    if tokens[-1:] != ["?"]:
        return tokens
    asks = tokens[0] in QUESTION_WORDS | AUXILIARIES or not is_word(tokens[0])
    return tokens[:-1] if asks else tokens


@rule(
    same=(("In Ruby, how do I sort a list?", "How do I sort a list in Ruby?"),),
    differ=(
        ("In Ruby, how do I sort a list?", "In Java, how do I sort a list?"),
        ("In Spain, is it safe?", "Is it safe?"),
    ),
)
def fronted_place(tokens: Tokens) -> Tokens:
    """A fronted "in X," goes last, when there is a single sentence."""
    if tokens[:1] != ["in"] or "," not in tokens[2:4] or ENDS.intersection(tokens[:-1]):
        return tokens
    comma = tokens.index(",")
    place, asked = tokens[:comma], tokens[comma + 1 :]
    if asked and asked[0] in QUESTION_WORDS | AUXILIARIES:
        return question_mark(asked) + place
    return tokens


@rule(
    same=(
        ("What's Peru's capital?", "What is the capital of Peru?"),
        ("Where is the dog's bowl?", "Where is the bowl of the dog?"),
    ),
    differ=(
        ("Does she love Bob's dog?", "Does the dog of she love Bob?"),
        ("What is Peru's capital?", "What is the Peru of capital?"),
        ("What is Alice's brother's name?", "What is Alice's name?"),
        ("Who is Alice and Bob's aunt?", "Who is Alice and the aunt of Bob?"),
    ),
)
def possessive(tokens: Tokens) -> Tokens:
    """Y's X -> the X of Y, right after "what is", for a name or "the" and a noun."""
    if tokens.count("'s") != 1 or tokens[0] not in QUESTION_WORDS:
        return tokens
    end = tokens.index("'s")
    owner, owned = tokens[2:end], tokens[end + 1 :]
    names = owner[1:] if owner[:1] == ["the"] else owner
    if tokens[1] not in BE or not 0 < len(names) <= LONGEST_NAME:
        return tokens
    if not owned or not all(is_plain_noun(token) for token in (*names, *owned)):
        return tokens
    return [*tokens[:2], "the", *owned, "of", *owner]


def is_plain_noun(token: str) -> bool:
    return is_word(token) and token not in COMMON and not token.endswith("ing")


@rule(
    same=(("What is the capital city of Peru?", "What is the capital of Peru?"),),
    differ=(("What is the largest city of Peru?", "What is the largest of Peru?"),),
)
def capital_city(tokens: Tokens) -> Tokens:
    """A capital city is a capital."""
    return [
        word
        for before, word in zip(["", *tokens], tokens, strict=False)
        if (before, word) != ("capital", "city")
    ]


@rule(
    same=(
        ("How can I sort a list?", "How to sort a list?"),
        ("What is the way to sort a list?", "How do I sort a list?"),
    ),
    differ=(
        ("How do I sort a list?", "Why do I sort a list?"),
        ("How should I sort a list?", "How did I sort a list?"),
        ("How not to burn rice?", "How to burn rice?"),
        ("What is the best way to sort a list?", "What is the way to sort a list?"),
    ),
)
def how_to(tokens: Tokens) -> Tokens:
    """The ways to ask for a method."""
    method = after(tokens, HOW_TO)
    return ["how", "to", *method] if method else tokens


@rule(
    same=(
        ("What is the capital of Peru?", "capital of Peru"),
        ("Which is the longest river of Peru?", "What is the longest river of Peru?"),
        ("What is 2+2?", "2+2"),
    ),
    differ=(
        ("What is the matter?", "The matter?"),
        ("What was the capital of Peru?", "What is the capital of Peru?"),
        ("Who is the king of Spain?", "Where is the king of Spain?"),
        ("What is a few?", "What is few?"),
    ),
)
def what_is(tokens: Tokens) -> Tokens:
    """A long "what is the ..." asks no more than its "..."; a sum needs no words."""
    if tokens[:1] == ["which"]:
        tokens = ["what", *tokens[1:]]
    if tokens[:2] not in (["what", "is"], ["what", "are"]):
        return tokens
    asked = tokens[2:]
    if asked[:1] == ["the"] and len(asked) > 3:
        return asked
    if len(asked) > 1 and is_number(asked[0]):
        return asked
    return tokens


@rule(
    same=(("Who wrote the constitution of Peru?", "Who wrote constitution of Peru?"),),
    differ=(
        ("Who is a king?", "Who is the king?"),
        ("Who made The Wall?", "Who made the wall?"),
    ),
)
def articles(tokens: Tokens) -> Tokens:
    """Only "the" goes; "a" makes another thing of "few" and "king"."""
    return [word for word in tokens if word != "the"]


PHRASE_RULES: tuple[Rule, ...] = (
    closers,
    openers,
    question_mark,
    fronted_place,
    possessive,
    capital_city,
    how_to,
    what_is,
    articles,
)
