"""Rules about what people say around a question."""

import re

from gateway.cache.canonical.english import word_set, words_of
from gateway.cache.canonical.rule import Rule, rule
from gateway.cache.canonical.tokens import CODE

THANKS = tuple(
    f" {phrase}".replace("_", " ")
    for phrase in words_of("""
        thanks thanks_a_lot thanks_in_advance thanks_so_much thanks_very_much
        many_thanks thank_you thank_you_very_much thank_you_so_much
        thank_you_in_advance thanks_for_your_help thank_you_for_your_help ty cheers
        much_appreciated appreciate_it i_would_appreciate_it i_would_be_grateful
        any_help_is_appreciated any_help_would_be_appreciated please_help
        please_help_me help_me help_please help please_advise please_answer
        please_explain please_reply please_let_me_know let_me_know please_tell_me
        any_suggestion any_idea any_advice
    """)
)
GREETINGS = word_set("hi hello hey there")
MARKS = ".,!?:;-" + CODE
NOT_ASKING = (" as i please", " as you please", " as they please", " to please")
# "What is ?" asks about the mark.
ABOUT_A_MARK = re.compile(r"^what is$| (?:and|or|between)$")
# A remark before the question is made of these, begins with one of the latter, and ends
# with a pause.
REMARKS = word_set("""
    hi hello hey greetings howdy good morning afternoon evening day there all everybody
    guys folks team friend sir madam dear chatgpt gpt claude ai assistant sorry to
    bother bothering disturb disturbing you for excuse me pardon apologies fast one
    question simple short small basic general silly stupid dumb honest just a an the i
    is have got need help some your with please kindly thanks thank out of curiosity
    curious wondering wonder was been in opinion view experience according if possible
    can do not mind would may ask tell me by way okay well so um uh hmm anyway again
""")
REMARK_STARTS = word_set("""
    hi hello hey greetings howdy good dear sorry excuse pardon apologies fast one
    question simple short small basic general silly stupid dumb honest just a i in out
    according by okay well so um uh hmm anyway please kindly thanks thank help curious
    if may tell
""")
PAUSES = frozenset(".,!?:;-" + CODE)
LONGEST_REMARK = 9  # words
ASKS = word_set("what which who when where why how can could would is do did please i")


@rule(
    same=(
        ("Explain gravity. Thanks!", "Explain gravity."),
        ("Explain gravity, please. Thank you!", "Explain gravity."),
        ("What is the capital of Peru?", "What is the capital of Peru"),
    ),
    differ=(
        ("Can I do as I please?", "Can I do as I?"),
        ("How do I treat dogs kindly?", "How do I treat dogs?"),
        ("How do I show thanks?", "How do I show?"),
    ),
)
def closers(line: str) -> str:
    """Thanks after a pause, "please", and the marks at the end."""
    rest = line
    while (shorter := without_mark(without_thanks(rest))) != rest:
        rest = shorter
    return f"{rest} ?" if "?" in line[len(rest) :] else rest


def without_mark(line: str) -> str:
    if line[-2:-1] != " " or line[-1] not in MARKS:
        return line
    return line if ABOUT_A_MARK.search(line, 0, len(line) - 2) else line[:-2]


def without_thanks(line: str) -> str:
    if line.endswith(" please") and not line.endswith(NOT_ASKING):
        return line.removesuffix(" please")
    if line.endswith(THANKS):
        for thanks in THANKS:
            before = line.removesuffix(thanks)
            if before != line and before[-1:] in MARKS:
                return before
    return line


@rule(
    same=(
        ("Hi! Please explain gravity", "Explain gravity"),
        ("Hello there. What is gravity?", "What is gravity?"),
        ("Quick question: what is gravity?", "What is gravity?"),
        ("Sorry to bother you, but what is gravity?", "What is gravity?"),
        ("Out of curiosity, why do cats purr?", "Why do cats purr?"),
    ),
    differ=(
        ("What does hello world do in C?", "What does world do in C?"),
        ("Hello world in C", "World in C"),
        (".Net is what?", "Net is what?"),
        ("In your country, is it safe?", "Is it safe?"),
    ),
)
def openers(line: str) -> str:
    """Greetings and remarks before the question."""
    while (rest := after_a_remark(line)) != line:
        line = rest
    return line


def after_a_remark(line: str) -> str:
    words = line.split(" ", LONGEST_REMARK)
    if words[0] in ("please", "kindly") and len(words) > 1:
        return line.partition(" ")[2]
    if words[0] not in REMARK_STARTS:
        return line
    for place, word in enumerate(words[:-1]):
        if word in PAUSES and place:
            rest = words[place + 1 :]
            while rest[0] in PAUSES or rest[0] in ("but", "and"):
                if len(rest) == 1:
                    return line
                rest = rest[1:]
            return " ".join(rest)
        if word not in REMARKS:
            return line
        if word in GREETINGS and words[place + 1] in ASKS:
            return " ".join(words[place + 1 :])
    return line


# A question mark makes a question of these; everything else is one anyhow.
STATEMENT = re.compile(r"(?:i|you|he|she|it|we|they|this|that|there) ")


@rule(
    words="?",
    same=(("2+2?", "2+2"), ("I wonder, why do cats purr?", "Why do cats purr?")),
    differ=(
        ("I should rest?", "I should rest."),
        ("What is ?", "What is !"),
        ("What is between ! and ?", "What is between ! and ."),
    ),
)
def question_mark(line: str) -> str:
    """At the end it says nothing, unless it makes a question of a statement."""
    keep = STATEMENT.match(line) or ABOUT_A_MARK.search(line, 0, len(line) - 2)
    return line if keep else line.removesuffix(" ?")


POLITENESS: tuple[Rule, ...] = (closers, openers)
