"""Rules about the order of words: what may stand anywhere, and what may be swapped."""

import re

from gateway.cache.canonical.english import one_of, word_set
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


ASK = one_of("what who where when why how")
LIST = re.compile(rf"(?<![^ ])(\w+) (and|or) (?!{ASK} )(\w+)(?![^ ])")


@rule(
    words="and or",
    same=(("Are family and friends important?", "Are friends and family important?"),),
    differ=(("Are cats and dogs animals?", "Are cats or dogs animals?"),),
)
def lists(line: str) -> str:
    """Two words joined by "and" mean the same in either order."""
    if "between " in line:
        return line
    return LIST.sub(lambda m: f"{min(m[1], m[3])} {m[2]} {max(m[1], m[3])}", line)


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
# Where English takes now one, now the other: in or at school, think of or about.
GENERIC = {
    **dict.fromkeys(("in", "at", "on", "about", "for"), "of"),
    **dict.fromkeys(("person", "somebody"), "people"),
}


def arranged(line: str) -> tuple[str, ...]:
    """The words in order, but phrases with different prepositions in a fixed one."""
    if not line:
        return ()
    head, *phrases = PREPOSITION.split(line)
    if len(phrases) > 1:
        prepositions = {phrase.partition(" ")[0] for phrase in phrases}
        joined = any(" and " in phrase or " or " in phrase for phrase in phrases[:-1])
        if len(prepositions) == len(phrases) and not joined:
            phrases.sort()
    words = " ".join((head, *phrases)).split(" ")
    return tuple(GENERIC.get(word, word) for word in words)
