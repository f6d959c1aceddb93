"""Rules about the order of words: what may stand anywhere, and what may be swapped."""

import re

from gateway.cache.canonical.english import (
    AUXILIARIES,
    QUESTION_WORDS,
    one_of,
    word_set,
)
from gateway.cache.canonical.rule import rule

PREPOSITIONS = """
    in for from to at on with by during before after under without than about if when
"""
FRONTED = re.compile(
    rf"^({one_of(PREPOSITIONS + 'compared_to as')}\b[^,.?]*?) , ([^,.?]+)$"
)
ASKS = re.compile(
    one_of("""
        what which who when where why how can could should is was do did will would
        write explain list convert show give
    """)
    + " "
)


STATEMENT = re.compile(r"(?:i|my|we|our|he|she|it) ")


@rule(
    words=",",
    same=(
        ("My cat is ill, what can I do?", "My cat is ill. What can I do?"),
        ("In Ruby, how do I sort a list?", "How do I sort a list in Ruby?"),
        (
            "From Rome to Oslo, how long is a flight?",
            "How long is a flight from Rome to Oslo?",
        ),
    ),
    differ=(
        ("In Ruby, how do I sort a list?", "In Java, how do I sort a list?"),
        ("In Spain, is it safe?", "Is it safe?"),
    ),
)
def fronted(line: str) -> str:
    """A phrase before the question, set off by a comma, goes last; before a question a
    comma also ends a sentence."""
    found = FRONTED.match(line)
    if found and ASKS.match(found[2]):
        return f"{found[2]} {found[1]}"
    statement, _, question = line.partition(" , ")
    if found or not STATEMENT.match(statement) or not ASKS.match(question):
        return line
    return f"{statement} . {question}"


ONE_WAY = re.compile(r"\b(?:ratio|rate|quotient|proportion|odds|conversion) between ")
NOT_BETWEEN = word_set("from to in of for with is . ?")
LONGEST_OPERAND = 4  # words
SAME_KIND = re.compile(r"(\w+) (\w+) and \w+ \2")


@rule(
    words="between among",
    same=(
        (
            "What is the difference between tea and coffee?",
            "What is the difference between coffee and tea?",
        ),
        (
            "What is the difference between the Latin alphabet and Greek alphabet?",
            "What is the difference between the Greek and the Latin alphabet?",
        ),
    ),
    differ=(
        (
            "What is the difference between red wine and red paint?",
            "What is the difference between red and red paint?",
        ),
        (
            "What is the difference between tea and coffee?",
            "What is the difference between tea and milk?",
        ),
    ),
)
def between(line: str) -> str:
    """What lies between two things lies between them in either order, and the same
    noun need not be said twice."""
    if ONE_WAY.search(line):
        return line
    words = line.replace(" among ", " between ").split(" ")
    start = words.index("between") + 1 if "between" in words else len(words)
    end = start
    while end < len(words) and words[end] not in NOT_BETWEEN:
        end += 1
    operands = " ".join(words[start:end]).replace(" versus ", " and ").split(" and ")
    if len(operands) != 2 or any(o.count(" ") >= LONGEST_OPERAND for o in operands):
        return line
    one, other = sorted(operands)
    if found := SAME_KIND.fullmatch(f"{one} and {other}"):
        one = found[1]
    return " ".join((*words[:start], one, "and", other, *words[end:]))


BEFORE_A_LIST = """
    is was be become feel look do did can could will would should of in on for with
    from to by about between like versus than what who where when why how use learn
    need mix combine compare blend explain more if as that my your his her our their
    and or
"""
ASK = one_of("what who where when why how")
# What else stands before them may belong to the first one alone: "red wine and beer".
LIST = re.compile(
    rf"(?:^|(?<= ))({one_of(BEFORE_A_LIST)} |^)(\w+) (and|or) (?!{ASK} )(\w+)(?![^ ])"
)


@rule(
    words="and or",
    same=(("Are family and friends important?", "Are friends and family important?"),),
    differ=(("Are cats and dogs animals?", "Are cats or dogs animals?"),),
)
def lists(line: str) -> str:
    """Two words joined by "and" mean the same in either order."""
    if "between " in line or " respectively" in line:
        return line
    return LIST.sub(lambda m: f"{m[1]}{min(m[2], m[4])} {m[3]} {max(m[2], m[4])}", line)


VERB = "(is|was|can|will|should)"
NO_VERB = rf"(?!{one_of('is was do did can could will would should have to')} )"
PARTICIPLE = r"(?:\w+ed|made|done|built|grown|written|drawn|sold|taught|taken|born)\b"
INVERTED = re.compile(
    rf"^(when|where|why) ((?:{NO_VERB}\w+ ){{1,3}}?){VERB} (?=\S+(?: \S+){{0,3}}$)"
    rf"|^(how (?:far|fast|high|deep|long|often|well)) ((?:{NO_VERB}\w+ ){{1,3}}?)(can) "
    r"(?=\w+$)"
    rf"|^(how) ((?:{NO_VERB}\w+ ){{1,3}}?){VERB} (?={PARTICIPLE}(?: \S+){{0,3}}$)"
)


@rule(
    words="how why when where",
    same=(
        ("How gold is formed?", "How is gold formed?"),
        ("How far dogs can see?", "How far can dogs see?"),
        ("Why Venus is hot?", "Why is Venus hot?"),
    ),
    differ=(("How old is gold?", "How is old gold?"),),
)
def upright(line: str) -> str:
    """The verb before the subject, also where it was forgotten."""
    found = INVERTED.match(line)
    if not found:
        return line
    asks, subject, verb = (group for group in found.groups() if group)
    return f"{asks} {verb} {subject}{line[found.end() :]}"


PREPOSITION = re.compile(rf" (?={one_of(PREPOSITIONS)}(?![^ ]))")
GENERIC = dict.fromkeys(("person", "somebody"), "people")
# After a noun English takes now one, now the other: the hotels in or of a town.
AFTER_A_NOUN = dict.fromkeys(("in", "at", "on", "for"), "of")
# After a verb they are different things: to look in, at or for a mirror.
NO_NOUN = (
    QUESTION_WORDS
    | AUXILIARIES
    | word_set("""
        write explain summarize translate convert list show give find tell make ask look
        vote work pay go get sit live stand call run talk speak wait search apply fight
        play stay walk come read listen aim shoot throw turn put move take add use set
        buy sell send compare calculate compute sort check test define create generate
    """)
)
# Where one is on or in something that is no place, or in or at it.
ON_SCREEN = re.compile(
    r" on (?=(?:my |your )?(?:quora|youtube|facebook|instagram|whatsapp|twitter|google|"
    r"iphone|android|internet|gmail|excel|clash|snapchat|linkedin|reddit|tiktok|linux|"
    r"windows|ubuntu|debian|mac|macos|ios|chrome|github)\b)"
)
AT_LIFE = re.compile(r" at (?=(?:my |your )?(?:life|school|college|university)$)")
ABOUT = re.compile(r"\b(think|book|example|fact) about (?=\w)")


def arranged(line: str) -> tuple[str, ...]:
    """The words in order, but phrases with different prepositions in a fixed one."""
    if not line:
        return ()
    if " on " in line:
        line = ON_SCREEN.sub(" in ", line)
    if " at " in line:
        line = AT_LIFE.sub(" in ", line)
    if " about " in line:
        line = ABOUT.sub(r"\1 of ", line)
    head, *phrases = PREPOSITION.split(line)
    if len(phrases) > 1:
        prepositions = {phrase.partition(" ")[0] for phrase in phrases}
        joined = any(" and " in phrase or " or " in phrase for phrase in phrases[:-1])
        if len(prepositions) == len(phrases) and not joined:
            phrases.sort()
    words = " ".join((head, *phrases)).split(" ")
    if words[0] in NO_NOUN:
        return tuple(GENERIC.get(word, word) for word in words)
    return tuple(AFTER_A_NOUN.get(word) or GENERIC.get(word, word) for word in words)
