"""Rules about what people say around a question."""

import re

from gateway.cache.canonical.english import OF_ASKING, REMARK_STARTS, REMARKS, word_set
from gateway.cache.canonical.rule import Rule, rule
from gateway.cache.canonical.tokens import CODE

# Thanks after the question are made of these, have one of the latter, and come after a
# pause.
CLOSING = word_set("""
    thank thanks you so very much a lot many in advance for your any help time answer
    answering i would really appreciate it this that the be is grateful appreciated
    great please and cheers best kind regards advice suggestion idea welcome let me know
    tell explain reply need ty advise
""")
THANKFUL = word_set("""
    thank thanks appreciate grateful appreciated cheers help please regards ty know
    suggestion idea advice advise
""")
LONGEST_CLOSING = 10  # words
GREETINGS = word_set("hi hello hey there")
GREETED = word_set("good just")
MARKS = ".,!?:;-" + CODE
NOT_ASKING = (" as i please", " as you please", " as they please", " to please")
# "What is ?" asks about the mark.
BEFORE_A_MARK = (" and", " or", " between")
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
    return line if asks_about_a_mark(line[:-2]) else line[:-2]


def asks_about_a_mark(rest: str) -> bool:
    """Does the line ask about the mark that comes after this?"""
    return rest == "what is" or rest.endswith(BEFORE_A_MARK)


def without_thanks(line: str) -> str:
    if line.endswith(" please") and not line.endswith(NOT_ASKING):
        return line.removesuffix(" please")
    words = line.rsplit(" ", LONGEST_CLOSING)
    for place in range(len(words) - 1, 0, -1):
        if words[place] in PAUSES:
            thanks = not THANKFUL.isdisjoint(words[place + 1 :])
            return " ".join(words[: place + 1]) if thanks else line
        if words[place] not in CLOSING:
            break
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
            if words[0] not in GREETED and OF_ASKING.isdisjoint(words[:place]):
                return line
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
    keep = STATEMENT.match(line) or asks_about_a_mark(line[:-2])
    return line if keep else line.removesuffix(" ?")


POLITENESS: tuple[Rule, ...] = (closers, openers)
